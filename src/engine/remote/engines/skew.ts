/** What to know of an engine that speaks another version than this one. */

import { API_VERSION } from '../../../shared/api/status.ts';

export interface Version {
  readonly major: number;
  readonly minor: number;
}

/** Why it cannot be talked to; null: it can. A newer minor version only adds. */
export function refuseVersion(theirs: Version, own: Version = API_VERSION): string | null {
  if (theirs.major === own.major) return null;
  const [here, there] = [`version ${own.major}`, `version ${theirs.major}`];
  return theirs.major > own.major
    ? `the engine over there speaks ${there} of the API, this one ${here}: update Vigie here`
    : `the engine over there speaks ${there} of the API, this one ${here}: update the engine there`;
}

/** Null: it speaks as this one does. */
export function skewOf(theirs: Version, own: Version = API_VERSION): string | null {
  if (theirs.major !== own.major || theirs.minor === own.minor) return null;
  return theirs.minor > own.minor
    ? 'it is newer than this one: what it has more than this one is not shown'
    : 'it is older than this one: some views may lack what it does not know';
}

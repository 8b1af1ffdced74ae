/** What measured a run, for people. */

import type { Profile } from '../api/profiles.ts';

/** `Vigie 0.1.0, node_exporter 1.8.2`; empty: not known. */
export function measuredBy(versions: Profile['versions']): string {
  if (!versions) return '';
  return [`Vigie ${versions.engine}`, ...versions.exporters.map(({ name, version }) => `${name} ${version}`)].join(
    ', ',
  );
}

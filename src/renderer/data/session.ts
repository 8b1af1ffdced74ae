/**
 * The page's token. It arrives once in the fragment of the link that `vigie start` prints, moves to sessionStorage
 * (which the browser binds to origin and port) and never stays in an address that could be copied or kept in a history.
 */

const KEY = 'vigie.token';

export interface Place {
  readonly hash: string;
  readonly pathname: string;
  readonly search: string;
}

/** The token in a fragment `#token=…`, or null. */
export function tokenFromHash(hash: string): string | null {
  const token = new URLSearchParams(hash.replace(/^#/, '')).get('token');
  return token === null || token.trim() === '' ? null : token.trim();
}

/** Takes the token out of the address, if one is there; then tells which token the page has. */
export function takeToken(place: Place, storage: Storage, replace: (url: string) => void): string | null {
  const given = tokenFromHash(place.hash);
  if (given !== null) {
    storage.setItem(KEY, given);
    replace(`${place.pathname}${place.search}`);
  }
  return storage.getItem(KEY);
}

export const keepToken = (storage: Storage, token: string): void => storage.setItem(KEY, token);
export const dropToken = (storage: Storage): void => storage.removeItem(KEY);

/** Patterns of `ssh_config` and `known_hosts`: `*`, `?`, and lists of them with `!`. */

/** Whether all of `text` is matched. Linear in memory, and never more than |text| × |pattern| steps. */
export function matchesPattern(text: string, pattern: string): boolean {
  let at = 0;
  let p = 0;
  // Where the last star stands, and how much of the text it has taken so far.
  let star = -1;
  let taken = 0;
  while (at < text.length) {
    const char = pattern[p];
    if (char === '*') {
      star = p++;
      taken = at;
    } else if (char !== undefined && (char === '?' || char === text[at])) {
      p++;
      at++;
    } else if (star >= 0) {
      p = star + 1;
      at = ++taken;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p++;
  return p === pattern.length;
}

/** Longest pattern of a list, as in OpenSSH. */
const MAX_PATTERN = 1023;

/** Whether a list separated by commas has `text`: one pattern must match and none that begins with `!`. */
export function matchesList(text: string, list: string): boolean {
  let found = false;
  for (const item of list.split(',')) {
    const negated = item.startsWith('!');
    const pattern = negated ? item.slice(1) : item;
    if (pattern.length > MAX_PATTERN) return false;
    if (!matchesPattern(text, pattern)) continue;
    if (negated) return false;
    found = true;
  }
  return found;
}

/** The same for names of hosts, which have no case. */
export function matchesHost(host: string, list: string): boolean {
  return matchesList(lowerCase(host), lowerCase(list));
}

/** ASCII only, as `tolower` does it there: `İ` and the Kelvin sign stay what they are. */
export function lowerCase(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

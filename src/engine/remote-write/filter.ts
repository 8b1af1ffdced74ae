/** Which families are sent: texts with `*` for any text, compared in linear time. */

function glob(pattern: string): (text: string) => boolean {
  const parts = pattern.split('*');
  const [first = '', ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return (text) => text === first;
  return (text) => {
    if (!text.startsWith(first)) return false;
    let at = first.length;
    for (const part of rest) {
      const found = text.indexOf(part, at);
      if (found < 0) return false;
      at = found + part.length;
    }
    return text.length - last.length >= at && text.endsWith(last);
  };
}

export function familyFilter(keep: readonly string[], drop: readonly string[]): (family: string) => boolean {
  const keeps = keep.map(glob);
  const drops = drop.map(glob);
  return (family) => keeps.some((fits) => fits(family)) && !drops.some((fits) => fits(family));
}

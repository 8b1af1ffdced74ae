/**
 * What a series is called wherever Prometheus' rules hold: the text that scrapers read, and remote write. A family that
 * is no legal name is spelled with underscores and keeps its real name in a label, so that two such families stay apart.
 */

/** Label that carries a family that is not a legal name. */
export const NAME_LABEL = 'vigie_name';
const LEGAL = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

export const isLegalFamily = (family: string): boolean => LEGAL.test(family);

/** The nearest legal name. */
export function legalFamily(family: string): string {
  const legal = family.replace(/[^a-zA-Z0-9_:]/g, '_');
  return /^[a-zA-Z_:]/.test(legal) ? legal : `_${legal}`;
}

/** Labels with `__` are the scraper's own: with `__name__` a client would give its metric another one's name. */
export const exportedLabel = (label: string): string => (label.startsWith('__') ? `exported${label}` : label);

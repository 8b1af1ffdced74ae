const FIRST_MS = 500;
const MOST_MS = 15_000;

/**
 * How long to wait before the next attempt: doubles from 0.5 s up to 15 s. `random` (0 to 1) spreads pages that lost
 * the same engine, so that they do not all return in one instant.
 */
export function retryDelay(attempt: number, random: number): number {
  const base = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(attempt, 10));
  return Math.round(Math.min(MOST_MS, Math.max(FIRST_MS, base * (0.8 + 0.4 * random))));
}

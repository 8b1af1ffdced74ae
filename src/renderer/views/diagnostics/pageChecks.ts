import type { Check } from '../../../shared/api/diagnosis.ts';
import { formatShortSpan } from '../../format/time.ts';

/** This machine's and the engine's clock may differ by so much, in ms. */
const APART = 60_000;

interface Seen {
  /** Version in the page's own head; null: it has none. */
  readonly page: string | null;
  readonly engine: string;
  /** The engine's clock minus this machine's, ms. */
  readonly skew: number;
}

/** What only the page can know: a tab that is older than its engine, a laptop whose clock is wrong. */
export function pageChecks({ page, engine, skew }: Seen): Check[] {
  const checks: Check[] = [];
  if (page !== null && page !== engine) {
    const found = `this page is of version ${page}, the engine ${engine}`;
    checks.push({ id: 'page_stale', area: 'versions', level: 'warning', found, advice: 'reload the page' });
  }
  if (Math.abs(skew) > APART) {
    const found = `the clock of this browser’s machine is ${formatShortSpan(Math.abs(skew))} ${skew < 0 ? 'ahead of' : 'behind'} the engine’s`;
    const advice = 'times here are the engine’s; let a time service keep both clocks';
    checks.push({ id: 'browser_clock', area: 'clock', level: 'warning', found, advice });
  }
  return checks;
}

const RANK = { problem: 0, warning: 1, ok: 2 } as const;

/** The worst first, otherwise in the order they came. */
export const worstFirst = (checks: readonly Check[]): Check[] =>
  [...checks].sort((a, b) => RANK[a.level] - RANK[b.level]);

/** Series that say again what series of single calls say: over all calls, by mount, by size. */

import type { Series } from './described-series.ts';

const SUM = /^(?:total___|io_mount_|io_sizes_)/;

type Counted = Pick<Series, 'family' | 'group' | 'quantity'>;

/** Without the sums whose parts are among them: beside these they would be counted twice. In the same order. */
export function withoutSums<S extends Counted>(series: readonly S[]): S[] {
  const measure = ({ group, quantity }: Counted): string => `${group} ${quantity}`;
  const single = new Set(series.filter(({ family }) => !SUM.test(family)).map(measure));
  return series.filter((one) => !SUM.test(one.family) || !single.has(measure(one)));
}

/**
 * What profiles cost: lists, comparing, heatmaps, exports.
 *
 *     npm run bench -- profiles [--only lists,heatmap,export] [--profiles 100000] [--values 10000000] [--formats csv,parquet]
 */

import { parseArgs } from 'node:util';
import { ExportFormat } from '../src/shared/api/exports.ts';
import { benchExport, fillOnce } from './profiles/export.ts';
import { benchHeatmap } from './profiles/heatmap.ts';
import { benchLists } from './profiles/lists.ts';
import { printResult } from './support/report.ts';

/** One line for each part: what it is called with `--only`, and what measures it. */
const PARTS: Readonly<Record<string, () => Promise<Record<string, unknown>>>> = {
  lists: () => benchLists(Number(flags.profiles)),
  heatmap: benchHeatmap,
  export: () => benchExport(Number(flags.values), flags.formats.split(',')),
};

const [, , word, what, ...rest] = process.argv;
const { values: flags } = parseArgs({
  args: word === 'child' ? [] : process.argv.slice(2),
  options: {
    only: { type: 'string', default: Object.keys(PARTS).join(',') },
    profiles: { type: 'string', default: '100000' },
    values: { type: 'string', default: '10000000' },
    formats: { type: 'string', default: ExportFormat.options.join(',') },
  },
});

if (word === 'child' && what === 'fill') fillOnce(rest[0]!, Number(rest[1]));
else {
  const result: Record<string, unknown> = {};
  for (const name of flags.only.split(',')) {
    const part = PARTS[name];
    if (!part) throw new Error(`there is no part "${name}": ${Object.keys(PARTS).join(', ')}`);
    Object.assign(result, await part());
  }
  printResult(result);
}

/** The same samples in Debian's Prometheus: compacted blocks, made by its own promtool out of OpenMetrics text. */

import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { scopeLabels, seriesLabels } from '../../src/engine/remote-write/labels.ts';
import { bytesBelow } from './sizes.ts';
import { gaugeValue, type Source, type Told } from './told.ts';

/** Longest block: more than the 36 h at which it stops compacting with its default retention. */
const BLOCK = '54h';
const DEADLINE_MS = 900_000;
const FLUSH_CHARS = 1 << 20;

/** Null: it is not installed. */
export function prometheusVersion(): string | null {
  try {
    return /version (\S+)/.exec(execFileSync('promtool', ['--version'], { encoding: 'utf8' }))?.[1] ?? 'unknown';
  } catch {
    return null;
  }
}

export interface PrometheusBlocks {
  /** Chunks, index, meta and tombstones of all blocks. */
  readonly bytes: number;
  readonly blocks: number;
  readonly samples: number;
  /** Of promtool: reading the text, storing, compacting. */
  readonly cpuSeconds: number;
}

/** As remote write would send it. */
class ScopeText {
  readonly #told: Told;
  readonly #names: { readonly counter: string[]; readonly gauge: string[] } = { counter: [], gauge: [] };

  constructor(told: Told) {
    this.#told = told;
  }

  lines({ added, columns }: Told, time: string): { text: string; samples: number } {
    const { scope, jobid } = this.#told;
    const labels = scopeLabels(scope, 'vm', jobid, {});
    for (const { kind, name } of added) {
      const all = seriesLabels(name, labels).labels;
      const family = all.find(([label]) => label === '__name__')![1];
      const rest = all
        .filter(([label]) => label !== '__name__')
        .map(([label, value]) => `${label}=${JSON.stringify(value)}`);
      this.#names[kind].push(`${family}{${rest.join(',')}}`);
    }
    let text = '';
    let samples = 0;
    const add = (name: string | undefined, value: number): void => {
      if (Number.isNaN(value)) return;
      text += `${name} ${value} ${time}\n`;
      samples++;
    };
    for (let i = 0; i < columns.counterCount; i++) add(this.#names.counter[i], columns.counters[i]!);
    for (let i = 0; i < columns.gaugeCount; i++) add(this.#names.gauge[i], gaugeValue(columns, i));
    return { text, samples };
  }
}

/** Makes blocks below `folder`. Their number of samples is counted as they are written. */
export function prometheusBlocks(source: Source, folder: string): PrometheusBlocks {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'samples.om');
  const scopes = new Map<string, ScopeText>();
  const file = openSync(path, 'w');
  let [text, samples] = ['', 0];
  for (const { time, told } of source()) {
    const seconds = (time / 1000).toFixed(3);
    for (const each of told) {
      let scope = scopes.get(each.scope);
      if (!scope) scopes.set(each.scope, (scope = new ScopeText(each)));
      const lines = scope.lines(each, seconds);
      text += lines.text;
      samples += lines.samples;
      if (each.last) scopes.delete(each.scope);
    }
    if (text.length < FLUSH_CHARS) continue;
    writeSync(file, text);
    text = '';
  }
  writeSync(file, `${text}# EOF\n`);
  closeSync(file);
  const out = join(folder, 'blocks');
  const before = childCpu();
  const args = ['tsdb', 'create-blocks-from', 'openmetrics', '-q', `--max-block-duration=${BLOCK}`, path, out];
  execFileSync('promtool', args, { timeout: DEADLINE_MS, stdio: ['ignore', 'ignore', 'inherit'] });
  const cpuSeconds = childCpu() - before;
  rmSync(path);
  const told = storedSamples(out);
  if (told.samples !== samples) throw new Error(`Prometheus has ${told.samples} of ${samples} samples`);
  return { bytes: bytesBelow(out), blocks: told.blocks, samples, cpuSeconds };
}

/** What the blocks say of themselves. */
function storedSamples(folder: string): { blocks: number; samples: number } {
  let samples = 0;
  const blocks = readdirSync(folder);
  for (const block of blocks) {
    const meta = JSON.parse(readFileSync(join(folder, block, 'meta.json'), 'utf8')) as {
      stats: { numSamples: number };
    };
    samples += meta.stats.numSamples;
  }
  return { blocks: blocks.length, samples };
}

/** CPU seconds of children that this process has waited for. */
function childCpu(): number {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

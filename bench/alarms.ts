/**
 * What alarms cost: 1,000 rules over 10,000 series once per second, beside Debian's real Prometheus with the same rules;
 * and how soon a preview of the past is there.
 *
 *     npm run bench -- alarms [--seconds N] [--quick] [--only evaluate,preview]
 *
 * CPU per round: of a process with the rules, less one without. --quick leaves out the week.
 */

import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { findProgram } from '../scripts/lib/components.mjs';
import { preview, type PreviewHost } from '../src/engine/alarms/preview.ts';
import { openStore } from '../src/engine/store/index.ts';
import { ON_DISK } from '../src/engine/store/keep.ts';
import { PreviewRequest, type RuleSettingsInput } from '../src/shared/api/alarms.ts';
import { startOwn, type Evaluating } from './alarms/evaluate.ts';
import { fillStore, SCOPE } from './alarms/fill.ts';
import { prometheusRules, RULES, SERIES, type Form } from './alarms/rules.ts';
import { startChild } from './support/child.ts';
import { temporaryFolder } from './support/engine.ts';
import { Exporters } from './support/exporter.ts';
import { cpuSeconds, residentBytes } from './support/proc.ts';
import { median, megabytes, printResult, printTable, verdict } from './support/report.ts';

const BUDGET = { core: 0.1, dayMs: 200, weekMs: 2000 };
const WARM_UP_SECONDS = 12;
const LEAST_ROUNDS = 3;
const MOST_SECONDS = 120;
const DAY = 86_400_000;
const PREVIEWED = 10;

const { values: flags } = parseArgs({
  options: {
    seconds: { type: 'string', default: '20' },
    only: { type: 'string', default: 'evaluate,preview' },
    quick: { type: 'boolean', default: false },
  },
});
const seconds = Number(flags.seconds);
if (!(seconds > 0)) throw new Error('--seconds takes a number');
const parts = new Set(flags.only.split(','));

interface Cost {
  /** CPU seconds per second. */
  readonly core: number;
  /** Rounds of rules that came to their end, in so many seconds. */
  readonly rounds: number;
  readonly seconds: number;
  readonly rss: number;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => void server.close(resolve));
  return port;
}

async function startPrometheus(program: string, form: Form, exporter: number): Promise<Evaluating> {
  const folder = temporaryFolder('prometheus');
  const port = await freePort();
  writeFileSync(join(folder.path, 'rules.yml'), prometheusRules(form));
  const config = {
    global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
    rule_files: form === 'none' ? [] : [join(folder.path, 'rules.yml')],
    scrape_configs: [{ job_name: 'bench', static_configs: [{ targets: [`127.0.0.1:${exporter}`] }] }],
  };
  writeFileSync(join(folder.path, 'prometheus.yml'), JSON.stringify(config));
  const child = startChild(program, [
    `--config.file=${join(folder.path, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder.path, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=error',
  ]);
  return {
    pid: child.pid,
    async rounds() {
      // Rounds that it left out because the one before took too long are counted as rounds, too.
      const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      const count = (name: string): number => Number(new RegExp(`^${name}\\{.*\\} (\\S+)$`, 'm').exec(text)?.[1] ?? 0);
      const [all, missed] = [
        count('prometheus_rule_group_iterations_total'),
        count('prometheus_rule_group_iterations_missed_total'),
      ];
      return all - missed;
    },
    async stop() {
      await child.stop();
      folder.remove();
    },
  };
}

async function measure(start: () => Promise<Evaluating> | Evaluating): Promise<Cost> {
  const evaluating = await start();
  try {
    await sleep(1000 * WARM_UP_SECONDS);
    const [before, cpu] = [await evaluating.rounds(), cpuSeconds(evaluating.pid)];
    const begun = performance.now();
    let rounds = 0;
    // A round may take longer than all that time.
    for (let waited = 0; waited < seconds || (rounds < LEAST_ROUNDS && waited < MOST_SECONDS);) {
      await sleep(1000);
      waited = (performance.now() - begun) / 1000;
      rounds = (await evaluating.rounds()) - before;
    }
    const took = (performance.now() - begun) / 1000;
    return {
      core: (cpuSeconds(evaluating.pid) - cpu) / took,
      rounds,
      seconds: took,
      rss: residentBytes(evaluating.pid).now,
    };
  } finally {
    await evaluating.stop();
  }
}

interface Row {
  readonly who: string;
  readonly form: Form;
  readonly msPerRound: number;
  readonly rounds: number;
  readonly rss: number;
}

async function evaluateRows(): Promise<Row[]> {
  const program = findProgram('prometheus');
  const exporters = await Exporters.start(1, SERIES);
  const rows: Row[] = [];
  try {
    const starts: [string, (form: Form) => Promise<Evaluating> | Evaluating][] = [['vigie', startOwn]];
    if (program) starts.push(['Prometheus', (form) => startPrometheus(program, form, exporters.ports[0]!)]);
    for (const [who, start] of starts) {
      const none = await measure(() => start('none'));
      for (const form of ['each', 'all'] as const) {
        const { core, rounds, seconds: took, rss } = await measure(() => start(form));
        rows.push({ who, form, msPerRound: (1000 * took * (core - none.core)) / Math.max(1, rounds), rounds, rss });
      }
    }
  } finally {
    await exporters.stop();
  }
  return rows;
}

const PREVIEWS: readonly (readonly [string, Partial<RuleSettingsInput>])[] = [
  ['value', { metric: 'bench_load', raise: 94, clear: 90, for: '1m' }],
  ['rate', { metric: 'bench_work_total', measure: { kind: 'rate' }, raise: 3.5, for: '5s' }],
  ['avg over 5m', { metric: 'bench_load', measure: { kind: 'avg', window: '5m' }, raise: 90 }],
];

interface PreviewRow {
  readonly rule: string;
  readonly days: number;
  readonly first: number;
  readonly ms: number;
  /** Longest time without another turn of the loop. */
  readonly late: number;
  readonly times: number;
  readonly step: number;
}

async function previewRows(days: number): Promise<PreviewRow[]> {
  const folder = temporaryFolder('alarms');
  const until = Date.now();
  try {
    await fillStore(folder.path, days, PREVIEWED, until);
    const { store } = await openStore({ data: folder.path, worker: { retention: ON_DISK } });
    const host: PreviewHost = {
      ...{ store, now: () => until, live: () => [SCOPE] },
      about: () => ({ kind: 'node', place: 'bench', names: ['bench'] }),
      aboutRun: () => ({ kind: 'run', place: '' }),
    };
    const rows: PreviewRow[] = [];
    for (const [rule, settings] of PREVIEWS) {
      const took: number[] = [];
      let [late, times, step] = [0, 0, 0];
      for (let round = 0; round < 6; round++) {
        const given = {
          rule: { name: rule, scope: { kind: 'node' }, ...settings },
          from: until - days * DAY,
          to: until,
        };
        const begun = performance.now();
        let last = begun;
        const timer = setInterval(() => {
          const now = performance.now();
          late = round === 0 ? 0 : Math.max(late, now - last - 2);
          last = now;
        }, 2);
        for await (const line of preview(host, PreviewRequest.parse(given), new AbortController().signal)) {
          if (line.kind === 'done') ({ times, step } = line);
        }
        clearInterval(timer);
        took.push(performance.now() - begun);
      }
      rows.push({ rule, days, first: took[0]!, ms: median(took.slice(1)), late, times, step });
    }
    await store.close();
    return rows;
  } finally {
    folder.remove();
  }
}

const evaluated = parts.has('evaluate') ? await evaluateRows() : [];
if (evaluated.length > 0) {
  console.log(
    `\n${RULES} rules over ${SERIES} series at 1 Hz, ${seconds} s; each: ten series per rule, all: every rule over all\n`,
  );
  printTable(
    ['', 'form', 'CPU ms per round', '% of a core at 1 Hz', 'rounds', 'RSS'],
    evaluated.map(({ who, form, msPerRound, rounds, rss }) => [
      ...[who, form, msPerRound.toFixed(2), (msPerRound / 10).toFixed(2), String(rounds), megabytes(rss)],
    ]),
  );
  const own = evaluated.filter(({ who }) => who === 'vigie');
  const met = own.every(({ msPerRound }) => msPerRound / 1000 <= BUDGET.core);
  console.log(`\n≤ ${100 * BUDGET.core} % of a core in both forms: ${verdict(met)}`);
}
const previewed = parts.has('preview') ? [...(await previewRows(1)), ...(flags.quick ? [] : await previewRows(7))] : [];
if (previewed.length > 0) {
  console.log(`\nPreview of ${PREVIEWED} series at 1 Hz, the median of five; the first one also starts the reader\n`);
  printTable(
    ['', 'days', 'ms', 'first', 'longest turn', 'times', 'step'],
    previewed.map(({ rule, days, ms, first, late, times, step }) => [
      ...[rule, String(days), ms.toFixed(0), first.toFixed(0), late.toFixed(0), String(times), `${step / 1000} s`],
    ]),
  );
  const within = (days: number, most: number): string => {
    const rows = previewed.filter((row) => row.days === days);
    return rows.length === 0 ? 'not measured' : verdict(rows.every(({ ms }) => ms <= most));
  };
  console.log(
    `\na day ≤ ${BUDGET.dayMs} ms: ${within(1, BUDGET.dayMs)}; a week ≤ ${BUDGET.weekMs} ms: ${within(7, BUDGET.weekMs)}\n`,
  );
}
printResult({ bench: 'alarms', node: process.version, budget: BUDGET, seconds, evaluated, previewed });

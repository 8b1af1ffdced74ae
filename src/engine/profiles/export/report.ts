/**
 * A report: one page that needs nothing else, for a browser, a mail, a printer. What ran, where its time went, its last
 * values, its ranks, plots. No script; nothing in it is loaded from anywhere.
 */

import type { Profile } from '../../../shared/api/profiles.ts';
import type { SeriesValue } from '../../../shared/api/series.ts';
import { measuredBy } from '../../../shared/profiles/measured-by.ts';
import type { ExportJob } from './job.ts';
import { markup, Markup, REPORT_POLICY, REPORT_STYLE } from './markup.ts';
import type { Out } from './out.ts';
import { drawPlot, MOST_LINES, type Plot } from './plot.ts';
import { advice, slowParts, type SlowPart } from './slow-parts.ts';
import { amount, duration, moment, seriesName } from './words.ts';

/** Runs that are shown in full; more are in the table only. */
export const MOST_RUNS = 20;
const MOST_PARTS = 12;
/** Values that are shown at once; more are folded. */
const OPEN_VALUES = 30;
const MOST_VALUES = 1000;
const [MOST_RANKS, RANK_COLUMNS] = [128, 6];
const MOST_PLOTS = 6;
const POINTS = 400;

export async function writeReport(job: ExportJob, out: Out): Promise<void> {
  const { runs, engine, now } = job;
  const title = runs.length === 1 ? runs[0]!.command || runs[0]!.jobid : `${runs.length} runs`;
  const put = async (part: Markup | null): Promise<void> => {
    if (part) out.text(`${part.text}\n`);
    if (out.full) await out.drained();
  };
  await put(markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(REPORT_POLICY)}">
<meta name="viewport" content="width=device-width">
<meta name="generator" content="vigie ${engine.version}">
<title>${title}</title>
<style>${REPORT_STYLE}</style>
</head>
<body>
<h1>${title}</h1>
<p class="dim">Made on ${engine.host} by Vigie ${engine.version}, ${moment(now)}</p>`);
  if (runs.length > 1) await put(runTable(job));
  for (const [i, run] of runs.entries()) {
    const profile = i < MOST_RUNS ? await job.profile(run) : null;
    job.count(1);
    if (profile) await writeRun(job, profile, put);
  }
  if (runs.length > MOST_RUNS) {
    await put(markup`<p class="dim">The other ${runs.length - MOST_RUNS} runs are in the table above only.</p>`);
  }
  await put(markup`</body>
</html>`);
}

const lasted = (run: Profile['run'], now: number): number | null =>
  run.start_time > 0 ? ((run.end_time || now) - run.start_time) / 1000 : null;

function runTable({ runs, now }: ExportJob): Markup {
  const longest = Math.max(...runs.map((run) => lasted(run, now) ?? 0), 0.001);
  return markup`<div class="wide">
    <table>
      <tr>
        <th>Job</th>
        <th>Command</th>
        <th class="n">Size</th>
        <th>Began</th>
        <th class="n">Time</th>
        <th></th>
        <th>State</th>
      </tr>
      ${runs.map((run) => {
        const time = lasted(run, now);
        const width = Math.round((120 * (time ?? 0)) / longest);
        return markup`<tr>
          <td>${run.jobid}</td>
          <td>${run.command}</td>
          <td class="n">${run.size}</td>
          <td>${moment(run.start_time)}</td>
          <td class="n">${time === null ? '–' : duration(time)}</td>
          <td><span class="bar" style="width:${width}px"></span></td>
          <td>${run.state}</td>
        </tr>`;
      })}
    </table>
  </div>`;
}

async function writeRun(job: ExportJob, profile: Profile, put: (part: Markup | null) => Promise<void>): Promise<void> {
  const { run } = profile;
  const time = lasted(run, job.now);
  const parts = slowParts(profile, job.now).slice(0, MOST_PARTS);
  if (job.runs.length > 1) await put(markup`<h2>${run.jobid}: ${run.command}</h2>`);
  const facts: [string, string][] = [
    ['Job', run.jobid],
    ['Command', run.command],
    ['Began', moment(run.start_time)],
    ['Time', time === null ? 'not known' : duration(time)],
    ['State', run.state],
    ['Size', `${run.size} (${run.ranks} ranks seen)`],
    ['Nodes', run.nodes.join(', ') || run.nodelist],
    ['Cluster', run.cluster],
    ['Partition', run.partition],
    ['Directory', run.run_dir],
    ['Run', run.id],
    ...more(profile),
  ];
  const known = facts.filter(([, value]) => value !== '');
  await put(
    markup`<table>
      ${known.map(
        ([name, value]) =>
          markup`<tr>
            <th>${name}</th>
            <td>${value}</td>
          </tr>`,
      )}
    </table>`,
  );
  await put(markup`<h3>Slow parts</h3>`);
  await put(slowTable(parts));
  for (const plot of await plotsOf(job, profile, parts)) await put(drawPlot(plot, run.start_time));
  await put(rankTable(profile, parts));
  await put(valueTable(profile));
}

/** What newer profiles tell, and people wrote. */
function more({ exits, versions, user }: Profile): [string, string][] {
  const codes = exits?.codes.map(({ code, count }) => `${code} (${count}×)`).join(', ') ?? '';
  return [
    ['User', user ?? ''],
    ['Exit', exits ? `${exits.outcome}${codes === '' ? '' : `: ${codes}`}` : ''],
    ['Measured by', measuredBy(versions)],
  ];
}

function slowTable(parts: readonly SlowPart[]): Markup {
  if (parts.length === 0) return markup`<p class="dim">Nothing of this run tells how long its calls took.</p>`;
  const words = advice(parts);
  const widest = Math.max(...parts.map(({ seconds }) => seconds));
  return markup`${words === null ? '' : markup`<p>${words}</p>`}
    <div class="wide">
      <table>
        <tr>
          <th>Call</th>
          <th class="n">Share</th>
          <th></th>
          <th class="n">All ranks</th>
          <th class="n">Least</th>
          <th class="n">Mean</th>
          <th class="n">Most</th>
        </tr>
        ${parts.map(({ name, share, seconds, ranks }) => {
          const spread = ranks
            ? [
                `${duration(ranks.min)} (rank ${ranks.minRank})`,
                duration(ranks.avg),
                `${duration(ranks.max)} (rank ${ranks.maxRank})`,
              ]
            : ['', '', ''];
          const part = Number.isFinite(share) ? `${(100 * share).toFixed(1)} %` : '–';
          return markup`<tr>
            <td>${name}</td>
            <td class="n">${part}</td>
            <td><span class="bar" style="width:${Math.round((120 * seconds) / widest)}px"></span></td>
            <td class="n">${duration(seconds)}</td>
            ${spread.map((text) => markup`<td class="n">${text}</td>`)}
          </tr>`;
        })}
      </table>
    </div>`;
}

/** The slow parts, what the run is shown by in lists, and of each other panel what is most. */
async function plotsOf(job: ExportJob, { run, series }: Profile, parts: readonly SlowPart[]): Promise<Plot[]> {
  const chosen: { title: string; series: readonly SeriesValue[] }[] = [];
  if (parts.length > 0) chosen.push({ title: 'Time in calls', series: parts.map((part) => part.series) });
  const taken = new Set(parts.map((part) => part.series.key));
  const groups = Map.groupBy(
    series.filter(
      ({ key, value, family }) => !taken.has(key) && value !== null && value !== 0 && !family.startsWith('total___'),
    ),
    ({ group, quantity, unit, kind }) => JSON.stringify([group, quantity, unit, kind]),
  );
  const headline = (some: readonly SeriesValue[]): number => (some.some(({ key }) => key === run.headline) ? 0 : 1);
  for (const some of [...groups.values()].sort((a, b) => headline(a) - headline(b))) {
    const most = some.toSorted((a, b) => (b.value ?? 0) - (a.value ?? 0));
    chosen.push({ title: `${most[0]!.group}, ${most[0]!.quantity}`, series: most });
  }
  const plots: Plot[] = [];
  for (const { title, series: all } of chosen) {
    if (plots.length >= MOST_PLOTS) break;
    const some = all.slice(0, MOST_LINES);
    const to = run.end_time || job.now;
    if (!(run.start_time > 0 && to > run.start_time)) break;
    const asked = { scope: run.scope, series: some.map(({ key }) => key), from: run.start_time, to, maxPoints: POINTS };
    const columns = await job.range(asked);
    if (!columns || columns.times.length < 2) continue;
    const { times, avg, targets } = columns;
    const names = new Map(some.map((one) => [one.key, seriesName(one).replace(/, [^,]*$/, '')]));
    const lines = targets.map(({ key }, i) => ({
      ...{ name: names.get(key) ?? key, times },
      values: avg.subarray(i * times.length, (i + 1) * times.length),
    }));
    plots.push({ title, unit: some[0]!.unit, per: some[0]!.kind === 'counter', lines });
  }
  return plots;
}

function rankTable({ series, ranks }: Profile, parts: readonly SlowPart[]): Markup | null {
  if (ranks.length < 2) return null;
  const slow = parts.map((part) => part.series);
  const others = series
    .filter((one) => !slow.includes(one) && one.value !== null && one.value !== 0)
    .toSorted((a, b) => Number(b.kind === 'counter') - Number(a.kind === 'counter'));
  const columns = [...slow, ...others].slice(0, RANK_COLUMNS).map((one) => ({ one, place: series.indexOf(one) }));
  const shown = ranks.slice(0, MOST_RANKS);
  return markup`<h3>Ranks</h3>
    <div class="wide">
      <table>
        <tr>
          <th class="n">Rank</th>
          <th>Node</th>
          ${columns.map(({ one }) => markup`<th class="n">${seriesName(one)}</th>`)}
        </tr>
        ${shown.map(
          ({ rank, node, values }) =>
            markup`<tr>
              <td class="n">${rank}</td>
              <td>${node}</td>
              ${columns.map(({ one, place }) => markup`<td class="n">${amount(values[place] ?? null, one.unit)}</td>`)}
            </tr>`,
        )}
      </table>
    </div>
    ${ranks.length > shown.length ? markup`<p class="dim">${ranks.length - shown.length} more ranks are not shown.</p>` : ''}`;
}

function valueTable({ series }: Profile): Markup {
  const known = series
    .filter(({ value, kind }) => value !== null && !(kind === 'counter' && value === 0))
    .toSorted((a, b) => (a.group < b.group ? -1 : a.group > b.group ? 1 : a.key < b.key ? -1 : 1))
    .slice(0, MOST_VALUES);
  if (known.length === 0)
    return markup`<h3>Last values</h3>
      <p class="dim">This run has told no values.</p>`;
  const table = (some: readonly SeriesValue[]): Markup =>
    markup`<div class="wide">
      <table>
        <tr>
          <th>What</th>
          <th class="n">Value</th>
          <th>Metric</th>
        </tr>
        ${some.map(
          (one) =>
            markup`<tr>
              <td>${seriesName(one)}</td>
              <td class="n">${amount(one.value, one.unit)}</td>
              <td class="dim">${one.key}</td>
            </tr>`,
        )}
      </table>
    </div>`;
  const rest = known.slice(OPEN_VALUES);
  return markup`<h3>Last values</h3>
    ${table(known.slice(0, OPEN_VALUES))}${
      rest.length === 0
        ? ''
        : markup`<details>
            <summary>${rest.length} more</summary>
            ${table(rest)}
          </details>`
    }`;
}

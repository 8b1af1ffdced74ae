/** The way of every user: jobs → job → export, while it runs, when it has ended, and after a restart. */

import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { formatValue } from '../../src/renderer/format/units.ts';
import { useBrowser } from '../support/chromium.ts';
import { lacksComponent } from '../support/components.ts';
import { type Engine, startEngine } from '../support/engine.ts';
import { temporaryFolder } from '../support/tmp.ts';
import {
  cell,
  chart,
  choose,
  download,
  ENGINE_GONE,
  jobRow,
  legend,
  link,
  readCsv,
  readJson,
  SOON,
} from './console.ts';
import { Program } from './program.ts';

/** Whether every value of an export's column is one that the sum can have had, in the order of time. */
function grows(values: readonly (number | null)[]): boolean {
  return values.every((value, i) => value !== null && (i === 0 || value >= values[i - 1]!));
}

/** Exports what is seen as totals, in both formats, and holds it against what was pushed. */
async function expectExport(page: Page, program: Program, jobid: string): Promise<void> {
  const csv = await download(page, 'CSV');
  const json = await download(page, 'JSON');
  expect(csv.name).toMatch(new RegExp(`^vigie-${jobid}-[\\dT-]+\\.csv$`));
  expect(json.name).toMatch(new RegExp(`^vigie-${jobid}-[\\dT-]+\\.json$`));
  const columns = readCsv(csv.text);
  const { document, series } = readJson(json.text);
  expect(document).toMatchObject({ title: jobid, counters_as: 'totals' });
  for (const found of [columns, series]) {
    for (const [name, last] of program.expected()) {
      const { times, values } = found.get(`${jobid}: ${name}`) ?? { times: [], values: [] };
      expect(last, name).toContain(values.at(-1));
      expect(times.every((time, i) => i === 0 || time > times[i - 1]!)).toBe(true);
      if (program.totals.has(name)) expect(grows(values), `${name}: ${values.join(' ')}`).toBe(true);
    }
  }
  // Both formats say the same, also of the node that ran it. The clock went on between the two downloads.
  for (const [name, { times, values }] of columns) {
    const other = series.get(name);
    const byTime = new Map(other?.times.map((time, i) => [time, other.values[i]]));
    for (const [i, time] of times.entries()) if (byTime.has(time)) expect(byTime.get(time), name).toBe(values[i]);
  }
}

/** The last values of the series table's rows that match, by series. */
async function lastValues(page: Page, search: string): Promise<Map<string, string>> {
  await page.getByRole('searchbox', { name: 'Search series' }).fill(search);
  const table = page.getByTestId('series-table');
  const rows = await table
    .getByRole('row')
    .filter({ has: page.getByRole('gridcell') })
    .all();
  const out = new Map<string, string>();
  for (const row of rows) {
    const texts = await row.getByRole('gridcell').allInnerTexts();
    const [, , name = '', min = '', avg = '', max = '', last = ''] = texts;
    expect(
      [min, avg, max].every((text) => /^-?\d/.test(text)),
      texts.join(' | '),
    ).toBe(true);
    out.set(name, last);
  }
  return out;
}

describe.skipIf(lacksComponent('chromium'))('jobs, job, export', () => {
  const screens = useBrowser();
  let data: string;
  let engine: Engine;
  let program: Program;

  beforeAll(async () => {
    data = path.join(temporaryFolder(), 'data');
    engine = await startEngine({ page: true, args: ['--data', data] });
  });
  afterAll(async () => {
    program.lose();
    await engine.stop('SIGKILL');
  });

  test('a program that pushes appears by itself, and its rate moves', async () => {
    const { page } = await screens.open(link(engine));
    await page.getByRole('heading', { name: 'No job yet' }).waitFor();

    program = await Program.start(engine.ready.legacy_socket, {
      jobid: 'lulesh-42',
      command: 'mpirun -n 4 ./lulesh2.0 -s 40',
      cluster: 'baltic',
      start_time: Date.now(),
    });
    program.run();
    const row = jobRow(page, 'lulesh-42');
    await row.waitFor(SOON);
    await expect.poll(() => cell(page, row, 'State'), SOON).toBe('running');
    expect(await cell(page, row, 'Command')).toBe('mpirun -n 4 ./lulesh2.0 -s 40');
    await expect.poll(() => cell(page, row, 'Size'), SOON).toBe('4');

    await expect.poll(() => cell(page, row, 'Rate'), SOON).toMatch(/^\d.*\/s$/);
    const first = await cell(page, row, 'Rate');
    await expect.poll(() => cell(page, row, 'Rate'), SOON).not.toBe(first);
  });

  test('it opens by click and by keyboard, and its charts show rates for people', async () => {
    const { page } = await screens.open(link(engine));
    await jobRow(page, 'lulesh-42').click();
    await page.getByRole('heading', { level: 1, name: 'lulesh-42' }).waitFor();
    const address = page.url();
    expect(address).toMatch(/\/ui\/jobs\/[\w-]+$/);

    const calls = chart(page, 'MPI: Calls');
    await expect
      .poll(() => legend(calls), SOON)
      .toEqual(
        new Map(['Send', 'Recv', 'Allreduce'].map((name) => [name, expect.stringMatching(/^[\d.]+( k)? ?\/s$/)])),
      );
    await expect
      .poll(() => legend(chart(page, 'MPI: Bytes')), SOON)
      .toEqual(
        new Map(['Send', 'Recv', 'Allreduce'].map((name) => [name, expect.stringMatching(/^[\d.]+ [KM]iB\/s$/)])),
      );
    await expect
      .poll(() => legend(chart(page, 'MPI: Time')), SOON)
      .toEqual(
        new Map(['Send', 'Recv', 'Allreduce'].map((name) => [name, expect.stringMatching(/^[\d.]+ (ms|s)\/s$/)])),
      );
    // The node that it runs on stands beside.
    await page
      .getByRole('region', { name: /^Node / })
      .getByTestId('chart-panel')
      .first()
      .waitFor();
    const before = await legend(calls);
    await expect.poll(() => legend(calls), SOON).not.toEqual(before);

    await page.goBack();
    await jobRow(page, 'lulesh-42').waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: 'lulesh-42' }).waitFor();
    expect(page.url()).toBe(address);
  });

  test('totals, the table of series and both exports say what was pushed', async () => {
    const { page } = await screens.open(link(engine));
    await jobRow(page, 'lulesh-42').click();
    await chart(page, 'MPI: Calls').waitFor();
    program.hold();
    const calls = program.totals.get('mpi___hits___mpi_send')!;
    await choose(page, 'Totals');
    await expect
      .poll(async () => (await legend(chart(page, 'MPI: Calls'))).get('Send'), SOON)
      .toBe(formatValue(calls, '1'));
    expect(new URL(page.url()).searchParams.get('values')).toBe('totals');

    await page.getByRole('tab', { name: 'Series' }).click();
    await expect
      .poll(() => lastValues(page, 'send'), SOON)
      .toEqual(
        new Map([
          ['Send · calls', formatValue(calls, '1')],
          ['Send · time', formatValue(program.totals.get('mpi___time___mpi_send'), 's')],
          ['Send · bytes', formatValue(program.totals.get('mpi___size___mpi_send'), 'B')],
        ]),
      );
    await page.getByRole('searchbox', { name: 'Search series' }).fill('');
    await expectExport(page, program, 'lulesh-42');

    await page.getByRole('searchbox', { name: 'Search series' }).fill('allreduce calls');
    const { series } = readJson((await download(page, 'JSON')).text);
    expect([...series.keys()]).toEqual(['lulesh-42: mpi___hits___mpi_allreduce']);
  });

  test('when it ends the page shows it finished, with its last values', async () => {
    const { page } = await screens.open(link(engine));
    await jobRow(page, 'lulesh-42').click();
    await page.getByTestId('elapsed').waitFor();
    program.step();
    await program.end();
    await page.getByText('finished', { exact: true }).waitFor(SOON);
    await choose(page, 'Totals');
    await page.getByRole('tab', { name: 'Series' }).click();
    const calls = program.totals.get('mpi___hits___mpi_send')!;
    await expect
      .poll(async () => (await lastValues(page, 'send')).get('Send · calls'), SOON)
      .toBe(formatValue(calls, '1'));
    await page.getByRole('searchbox', { name: 'Search series' }).fill('');
    await vi.waitFor(() => expectExport(page, program, 'lulesh-42'), SOON);

    await page.getByRole('tab', { name: 'Ranks (4)' }).click();
    expect(await page.getByTestId('ranks-table').getByRole('row').count()).toBe(5);
    await page.getByRole('link', { name: 'Jobs' }).first().click();
    const row = jobRow(page, 'lulesh-42');
    expect(await cell(page, row, 'State')).toBe('finished');
  });

  test('and after a restart of the engine and a reload of the page', async () => {
    const port = new URL(engine.url).port;
    const { page, tolerate } = await screens.open(link(engine));
    tolerate(ENGINE_GONE);
    await jobRow(page, 'lulesh-42').click();
    await page.getByText('finished', { exact: true }).waitFor(SOON);
    await choose(page, 'Totals');

    expect(await engine.stop()).toEqual({ code: 0, signal: null });
    engine = await startEngine({ page: true, args: ['--data', data, '--listen', `127.0.0.1:${port}`] });
    await page.reload();
    await page.getByText('finished', { exact: true }).waitFor(SOON);
    await expect
      .poll(() => legend(chart(page, 'MPI: Calls')), SOON)
      .toEqual(
        new Map(
          (['send', 'recv', 'allreduce'] as const).map((call) => [
            call.charAt(0).toUpperCase() + call.slice(1),
            formatValue(program.totals.get(`mpi___hits___mpi_${call}`), '1'),
          ]),
        ),
      );
    await vi.waitFor(() => expectExport(page, program, 'lulesh-42'), SOON);
  });
});

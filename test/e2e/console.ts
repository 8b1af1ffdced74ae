/** The console in a browser, as its users go through it. */

import { readFile } from 'node:fs/promises';
import type { Locator, Page } from 'playwright-core';
import { type Engine, tokenOf } from '../support/engine.ts';

/** Patience with the screen: ten times and more of what it takes. */
export const SOON = { timeout: 20_000 };

/** What a page says when its engine went away on purpose. */
export const ENGINE_GONE = /ERR_CONNECTION_(REFUSED|RESET|CLOSED)|ERR_EMPTY_RESPONSE|ERR_SOCKET_NOT_CONNECTED/;

/** The link that `vigie serve` prints, to a view. */
export const link = (engine: Engine, path = '/ui/jobs'): string => `${engine.url}${path}#token=${tokenOf(engine)}`;

/** A question to the engine's API as its owner. @throws {Error} With the answer, where it is not a good one. */
export async function askApi(engine: Engine, method: string, route: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${engine.url}/api/v1${route}`, {
    method,
    headers: {
      Authorization: `Bearer ${tokenOf(engine)}`,
      ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${route}: ${response.status} ${text}`);
  return text === '' ? null : JSON.parse(text);
}

/** A job's row in the table of jobs. */
export const jobRow = (page: Page, jobid: string): Locator =>
  page
    .getByTestId('jobs-table')
    .getByRole('row')
    .filter({ has: page.getByText(jobid, { exact: true }) });

/** The text of a row's cell, by the title of its column. */
export async function cell(page: Page, row: Locator, column: string): Promise<string> {
  const titles = await page.getByRole('columnheader').allInnerTexts();
  const index = titles.findIndex((title) => title.trim() === column);
  if (index < 0) throw new Error(`no column ${column} among ${titles.join(', ')}`);
  return (await row.getByRole('gridcell').nth(index).innerText()).trim();
}

/** A chart, by its accessible name `GROUP: TITLE`. */
export const chart = (page: Page, name: string): Locator =>
  page.getByTestId('chart-panel').and(page.getByRole('group', { name, exact: true }));

/** What a chart's legend shows: the value beside each line's name. */
export async function legend(panel: Locator): Promise<Map<string, string>> {
  const names = await panel.locator('.v-legend-name').allInnerTexts();
  const values = await panel.locator('.v-legend-value').allInnerTexts();
  return new Map(names.map((name, i) => [name, values[i] ?? '']));
}

/** Chooses one of a segmented control: the radio itself is hidden below its label. */
export const choose = (page: Page, label: string): Promise<void> => page.getByText(label, { exact: true }).click();

/** Exports what is seen and gives the downloaded text and its proposed name. */
export async function download(page: Page, format: 'CSV' | 'JSON'): Promise<{ name: string; text: string }> {
  await page.getByRole('button', { name: 'Export', exact: true }).click();
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('menuitem', { name: new RegExp(`^${format}`) }).click(),
  ]);
  return { name: file.suggestedFilename(), text: await readFile(await file.path(), 'utf8') };
}

/** Rows of cells of a CSV text as RFC 4180 has it. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  let at = 0;
  while (at < text.length) {
    let value = '';
    if (text[at] === '"') {
      for (at++; text[at] !== '"' || text[at + 1] === '"'; at++) {
        if (at >= text.length) throw new Error('a quoted cell does not end');
        if (text[at] === '"') at++;
        value += text[at]!;
      }
      at++;
    } else {
      while (at < text.length && text[at] !== ',' && text[at] !== '\r') value += text[at++]!;
    }
    rows.at(-1)!.push(value);
    if (text[at] === ',') at++;
    else if (text.startsWith('\r\n', at)) {
      at += 2;
      if (at < text.length) rows.push([]);
    } else if (at < text.length) throw new Error(`neither a comma nor a line's end at ${at}`);
  }
  return rows;
}

/** A series as both export formats have it. */
export interface Exported {
  readonly times: readonly number[];
  readonly values: readonly (number | null)[];
}

/** The columns of an exported CSV by `OWNER: NAME`, without what has no value. */
export function readCsv(text: string): Map<string, Exported> {
  const [head = [], ...rows] = parseCsv(text);
  if (head[0] !== 'time' || head[1] !== 'time_ms') throw new Error(`not an export: ${head.join(',')}`);
  for (const row of rows) {
    if (row.length !== head.length) throw new Error(`a row of ${row.length} cells below ${head.length} titles`);
    if (Date.parse(row[0]!) !== Number(row[1])) throw new Error(`two times in one row: ${row[0]} and ${row[1]}`);
  }
  return new Map(
    head.slice(2).map((title, i) => {
      const filled = rows.filter((row) => row[i + 2] !== '');
      const series = { times: filled.map((row) => Number(row[1])), values: filled.map((row) => Number(row[i + 2])) };
      return [title.replace(/ \[[^\]]*\]$/, ''), series];
    }),
  );
}

export interface ExportDocument {
  readonly title: string;
  readonly from: { readonly ms: number };
  readonly to: { readonly ms: number };
  readonly counters_as: string;
  readonly scopes: readonly {
    readonly scope: string;
    readonly label: string;
    readonly times_ms: readonly number[];
    readonly series: readonly {
      readonly name: string;
      readonly kind: string;
      readonly unit: string;
      readonly values: readonly (number | null)[];
    }[];
  }[];
}

/** The series of an exported document, by the same names and without what has no value. */
export function readJson(text: string): { document: ExportDocument; series: Map<string, Exported> } {
  const document = JSON.parse(text) as ExportDocument;
  const series = new Map<string, Exported>();
  for (const { label, times_ms: times, series: list } of document.scopes) {
    for (const { name, values } of list) {
      if (values.length !== times.length) throw new Error(`${name}: ${values.length} values at ${times.length} times`);
      const filled = times.map((_, i) => i).filter((i) => values[i] !== null);
      series.set(`${label}: ${name}`, { times: filled.map((i) => times[i]!), values: filled.map((i) => values[i]!) });
    }
  }
  return { document, series };
}

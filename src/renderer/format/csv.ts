/**
 * CSV as RFC 4180 has it. Text that a spreadsheet would take for a formula gets a leading apostrophe: metric names and
 * job ids come from programs that nobody vouches for.
 */

export type CsvCell = string | number | null;

const FORMULA = /^[=+\-@\t\r]/;

export function csvCell(cell: CsvCell): string {
  if (cell === null) return '';
  if (typeof cell === 'number') return Number.isFinite(cell) ? String(cell) : '';
  const text = FORMULA.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Rows to text; lines end with CRLF, the last one too. */
export function toCsv(rows: Iterable<readonly CsvCell[]>): string {
  let text = '';
  for (const row of rows) text += `${row.map(csvCell).join(',')}\r\n`;
  return text;
}

/** A file name made of data: what could be a path, a hidden file or an option becomes a dash. */
export function safeFileName(text: string): string {
  const clean = text
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/^[.-]+/, '')
    .slice(0, 80);
  return clean === '' ? 'export' : clean;
}

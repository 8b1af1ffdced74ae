import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { Command, Option } from 'commander';
import { AlarmList, RuleImportResult, type Alarm } from '../../shared/api/alarms.ts';
import { addSearchOptions, requireEngine, type SearchFlags } from '../engine-search.ts';

/** `-` is standard input. */
const read = (file: string): Promise<string> => (file === '-' ? text(process.stdin) : readFile(file, 'utf8'));

async function test(files: readonly string[]): Promise<void> {
  // Loaded when needed: other commands do without.
  const { runTestFile } = await import('../../engine/alarms/test-file.ts');
  let failed = 0;
  for (const file of files) {
    try {
      const near = (name: string): Promise<string> => readFile(resolve(dirname(file), name), 'utf8');
      const { tests, checks, failures } = await runTestFile(await read(file), near);
      failed += failures.length;
      for (const failure of failures) console.log(`${file}: ${failure}`);
      console.log(`${file}: ${failures.length === 0 ? 'passed' : 'FAILED'}, ${tests} test(s), ${checks} time(s)`);
    } catch (error) {
      failed++;
      console.log(`${file}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (failed > 0) process.exitCode = 1;
}

const agoOf = (ms: number): string =>
  ms < 60_000
    ? `${Math.round(ms / 1000)} s`
    : ms < 3_600_000
      ? `${Math.round(ms / 60_000)} min`
      : `${(ms / 3_600_000).toFixed(1)} h`;

function tableOf(alarms: readonly Alarm[], now: number): string {
  const rows = [
    ['STATE', 'SEVERITY', 'FOR', 'RULE', 'WHERE', 'METRIC', 'VALUE'],
    ...alarms.map(({ state, severity, since, name, place, metric, value, silenced, acknowledged }) => [
      `${state}${silenced.length > 0 ? ' (silenced)' : acknowledged ? ' (acknowledged)' : ''}`,
      severity,
      agoOf(Math.max(0, now - since)),
      ...[name, place, metric, value === null ? '–' : numberText(value)],
    ]),
  ].map((row) => row.map(printable));
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** As messages have it. */
const numberText = (value: number): string => String(Number(value.toPrecision(6)));

/** Names come from programs, and a terminal obeys control characters. */
const printable = (cell: string): string => cell.replace(/\p{Cc}/gu, '?');

async function list(flags: SearchFlags & { json?: boolean; state?: string }): Promise<void> {
  const { client } = await requireEngine(flags);
  const state = flags.state === undefined ? {} : { state: flags.state };
  const answer = await client.json('/alarms', { ...state, limit: 5000 });
  if (flags.json) {
    console.log(JSON.stringify(answer));
    return;
  }
  const { alarms, counts } = AlarmList.parse(answer);
  if (alarms.length > 0) console.log(tableOf(alarms, Date.now()));
  console.log(
    `${counts.firing} firing (${counts.silenced} silenced), ${counts.pending} pending, ${counts.no_data} without data`,
  );
}

async function exported(flags: SearchFlags): Promise<void> {
  const { client } = await requireEngine(flags);
  process.stdout.write(await client.text('/alarms/rules/export'));
}

async function imported(file: string, flags: SearchFlags & { replace?: boolean; dryRun?: boolean }): Promise<void> {
  const yaml = await read(file);
  const { client } = await requireEngine(flags);
  const request = { yaml, replace: flags.replace ?? false, dry_run: flags.dryRun ?? false };
  const { items } = RuleImportResult.parse(await client.post('/alarms/rules/import', request));
  for (const { name, outcome, reason } of items) {
    console.log(printable(`${outcome}: ${name}${reason === null ? '' : `: ${reason}`}`));
  }
  if (request.dry_run) console.log('Nothing was changed: this is what would be done.');
  if (items.some(({ outcome }) => outcome === 'refused')) process.exitCode = 1;
}

/** `vigie alarms`: what fires, rules as files, and tests of them. */
export function alarmsCommand(): Command {
  const command = new Command('alarms').description('what fires; rules from and to files; tests of rules');
  command.addCommand(
    addSearchOptions(new Command('list').description('list alarms that are not inactive'))
      .addOption(new Option('--state <state>', 'only these').choices(['pending', 'firing', 'resolved', 'no_data']))
      .option('--json', 'as JSON, as /api/v1/alarms answers')
      .action(list),
  );
  command.addCommand(addSearchOptions(new Command('export').description('print all rules as YAML')).action(exported));
  command.addCommand(
    addSearchOptions(new Command('import').description('add the rules of a file; fails when one is refused'))
      .argument('<FILE>', 'YAML as export prints it; - reads it from standard input')
      .option('--replace', 'change rules that have the same name')
      .option('--dry-run', 'only say what would be done')
      .action(imported),
  );
  command.addCommand(
    new Command('test')
      .description('run tests of rules, without an engine; fails when one fails')
      .argument('<FILE...>', 'series, times and the alarms that are expected (docs/alarms.md)')
      .action(test),
  );
  return command;
}

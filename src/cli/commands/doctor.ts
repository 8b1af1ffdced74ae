import { Command } from 'commander';
import { diagnose } from '../../engine/diagnosis/doctor.ts';
import type { Diagnosis } from '../../shared/api/diagnosis.ts';
import { addSearchOptions, searchEngine, type SearchFlags } from '../engine-search.ts';
import { patientOf } from '../patient.ts';

interface DoctorFlags extends SearchFlags {
  json?: boolean;
}

const plural = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;

function text({ checks }: Diagnosis): string {
  let area = '';
  const lines: string[] = [];
  for (const check of checks) {
    if (check.area !== area) lines.push(check.area);
    area = check.area;
    lines.push(`  ${check.level.toUpperCase().replace('OK', 'ok').padEnd(8)} ${check.found}`);
    if (check.advice !== null) lines.push(`           -> ${check.advice}`);
  }
  const of = (level: string): number => checks.filter((check) => check.level === level).length;
  lines.push(`${plural(of('problem'), 'problem')}, ${plural(of('warning'), 'warning')}, ${of('ok')} ok`);
  return `${lines.join('\n')}\n`;
}

async function doctor(flags: DoctorFlags): Promise<void> {
  const { config, search } = await searchEngine(flags);
  const diagnosis = await diagnose(patientOf(config, search));
  process.stdout.write(flags.json ? `${JSON.stringify(diagnosis, null, 2)}\n` : text(diagnosis));
  if (diagnosis.level === 'problem') process.exitCode = 1;
}

/** `vigie doctor`: what keeps an engine from starting or from doing its work. Ends with 1 when there is a problem. */
export function doctorCommand(): Command {
  return addSearchOptions(
    new Command('doctor').description('look for what is wrong, and say what to do; fails when there is a problem'),
  )
    .option('--json', 'as JSON')
    .action(doctor);
}

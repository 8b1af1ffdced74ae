/** Looks at everything that keeps an engine from starting, or from doing its work. Changes nothing. */

import type { Check, CheckArea, Diagnosis } from '../../shared/api/diagnosis.ts';
import { diagnosisOf, messageOf, problem } from './check.ts';
import { checkClock } from './clock.ts';
import { checkDisk } from './disk.ts';
import { checkFiles } from './files.ts';
import { checkLimits } from './limits.ts';
import type { Patient } from './patient.ts';
import { checkPort } from './port.ts';
import { checkRunning } from './running.ts';
import { checkSockets } from './sockets.ts';
import { checkTargets } from './targets.ts';
import { checkVersions } from './versions.ts';

type Examine = (patient: Patient) => readonly Check[] | Promise<readonly Check[]>;

/** In the order in which they are told. */
const EXAMINATIONS: readonly (readonly [area: CheckArea, examine: Examine])[] = [
  ['engine', checkRunning],
  ['sockets', checkSockets],
  ['port', checkPort],
  ['disk', checkStorage],
  ['limits', checkLimits],
  ['clock', checkClock],
  ['versions', checkVersions],
  ['engine', checkTargets],
];

/** What does not answer within this time, in ms, hangs: mostly a network file system. */
const WITHIN = 10_000;

/** Questions that are still out, by directory. */
const asked = new Map<string, Promise<Check[]>>();

/**
 * What is on disk. A file system that hangs holds a thread for each question, and there are few: whoever asks again
 * meanwhile waits for the first answer.
 */
function checkStorage(patient: Patient): Promise<Check[]> {
  const key = patient.data ?? '';
  const known = asked.get(key);
  if (known) return known;
  const answer = (async () => [...(await checkFiles(patient)), ...(await checkDisk(patient))])().finally(() =>
    asked.delete(key),
  );
  asked.set(key, answer);
  return answer;
}

/** The answer, or a rejection when it takes too long. */
export async function inTime<T>(answer: T | Promise<T>, within: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${within / 1000} s`)), within);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

export async function diagnose(patient: Patient, now: () => number = Date.now): Promise<Diagnosis> {
  const found = await Promise.all(
    EXAMINATIONS.map(async ([area, examine]) => {
      try {
        return await inTime(examine(patient), WITHIN);
      } catch (error) {
        // One that fails does not take the others with it.
        const text = `this could not be looked at: ${messageOf(error)}`;
        const advice =
          area === 'disk'
            ? 'the file system hangs: use a --data on a local disk'
            : 'the message says what the machine refuses';
        return [problem(area, 'examination', text, advice)];
      }
    }),
  );
  return diagnosisOf(now(), found.flat());
}

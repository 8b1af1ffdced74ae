import { join } from 'node:path';
import { Cursor, ascii } from './cursor.ts';
import { openTickFile } from './read.ts';
import type { TickFile } from './read.ts';
import type { Source, SourceInstance, SourceWriter } from './source.ts';

/** One of the two lines of a file in /proc/pressure. */
export interface Stall {
  /** Share of the last ten seconds, 0 to 100. */
  percent: number;
  /** Seconds since boot. */
  seconds: number;
}

export interface Pressure {
  /** At least one task waited; null when the line is not there. */
  some: Stall | null;
  /** All tasks that could have run waited. */
  full: Stall | null;
}

const SOME = ascii('some avg10=');
const FULL = ascii('full avg10=');
const TOTAL = ascii(' total=');
const DOT = 0x2e;
const SPACE = 0x20;
/** The kernel counts in microseconds and writes two digits behind the point. */
const MICRO = 1e6;

/** The lines of a file in /proc/pressure; malformed and cut off ones are null. Never throws. */
export function parsePressure(bytes: Uint8Array): Pressure {
  const cursor = new Cursor(bytes);
  const found: Pressure = { some: null, full: null };
  while (cursor.at < bytes.length) {
    const which = cursor.skip(SOME) ? 'some' : cursor.skip(FULL) ? 'full' : null;
    const stall = which === null ? null : readStall(cursor);
    if (!cursor.nextLine()) break;
    if (which !== null) found[which] = stall;
  }
  return found;
}

function readStall(cursor: Cursor): Stall | null {
  const whole = cursor.unsigned();
  if (whole < 0 || cursor.bytes[cursor.at] !== DOT) return null;
  cursor.at++;
  const hundredths = cursor.unsigned();
  if (hundredths < 0 || hundredths > 99) return null;
  // avg60 and avg300 follow: history has its own averages.
  for (let words = 0; words < 2; words++) {
    if (cursor.bytes[cursor.at] !== SPACE) return null;
    cursor.at++;
    while (cursor.at < cursor.bytes.length && !cursor.atNewline() && cursor.bytes[cursor.at] !== SPACE) cursor.at++;
  }
  if (!cursor.skip(TOTAL)) return null;
  const total = cursor.unsigned();
  if (total < 0 || !cursor.atNewline()) return null;
  return { percent: Math.min(100, whole + hundredths / 100), seconds: total / MICRO };
}

/** Which lines of which file are told, under the names that others use: some is waiting, full is stalled. */
const KINDS = [
  ['cpu', 'some', 'waiting', 'at least one task waited for a core'],
  ['memory', 'some', 'waiting', 'at least one task waited for memory'],
  ['memory', 'full', 'stalled', 'no task could run for lack of memory'],
  ['io', 'some', 'waiting', 'at least one task waited for a disk or a file system'],
  ['io', 'full', 'stalled', 'no task could run because all waited for a disk or a file system'],
  ['irq', 'full', 'stalled', 'no task could run because of interrupts'],
] as const;

interface Line {
  readonly which: 'some' | 'full';
  readonly name: string;
  readonly doc: string;
  handles: { readonly seconds: number; readonly percent: number } | null;
}

interface PressureFile {
  readonly resource: string;
  readonly file: TickFile;
  readonly lines: readonly Line[];
}

/** Null when the kernel does not have it, or has it and was told not to count: opening works then, reading does not. */
function openPressure(folder: string, resource: string): PressureFile | null {
  const file = openTickFile(join(folder, resource));
  if (file === null) return null;
  try {
    file.read();
  } catch (error) {
    file.close();
    if (error instanceof Error && 'code' in error && error.code === 'EOPNOTSUPP') return null;
    throw error;
  }
  const lines = KINDS.filter(([of]) => of === resource).map(([of, which, word, doc]) => ({
    ...{ which, doc, handles: null },
    name: `proxy_pressure_${of}_${word}`,
  }));
  return { resource, file, lines };
}

function emit(out: SourceWriter, line: Line, stall: Stall): void {
  line.handles ??= {
    seconds: out.counter(`${line.name}_seconds_total`, `Time in which ${line.doc}, in seconds`),
    percent: out.gauge(`${line.name}_percent`, `Share of the last ten seconds in which ${line.doc}`),
  };
  out.setCounter(line.handles.seconds, stall.seconds);
  out.setGauge(line.handles.percent, stall.percent);
}

/** How long tasks wait for cores, memory and disks, from /proc/pressure. */
export const pressure: Source = {
  name: 'pressure',
  open(roots): SourceInstance | null {
    const folder = join(roots.proc, 'pressure');
    const files = ['cpu', 'memory', 'io', 'irq'].flatMap((resource) => openPressure(folder, resource) ?? []);
    if (files.length === 0) return null;
    return {
      sample(out) {
        for (const { resource, file, lines } of files) {
          const now = parsePressure(file.read());
          if (now.some === null && now.full === null) throw new Error(`pressure/${resource} is not in the known form`);
          for (const line of lines) {
            const stall = now[line.which];
            if (stall !== null) emit(out, line, stall);
            else if (line.handles !== null) out.clearGauge(line.handles.percent);
          }
        }
      },
      close() {
        for (const { file } of files) file.close();
      },
    };
  },
};

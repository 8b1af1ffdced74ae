/** The job that benchmarks of the page look at: twelve panels of three lines. */

import { Pusher } from '../../src/client/pusher.ts';

export const PANELS = 12;
export const LINES = ['a', 'b', 'c'];
export const JOB = 'panels';
const PUSH_EVERY = 500;

/** A program whose every counter moves, differently. Returns how to end it. */
export async function startProgram(socket: string): Promise<() => Promise<void>> {
  const pusher = await Pusher.connect(socket);
  pusher.job({ jobid: JOB, command: './panels', start_time: Date.now() });
  const names = Array.from({ length: PANELS }, (_, p) =>
    LINES.map((line) => `bench_panel${p}_total{line="${line}"}`),
  ).flat();
  for (const name of names) pusher.describeCounter(name);
  let step = 0;
  const timer = setInterval(() => {
    step++;
    for (const [i, name] of names.entries()) pusher.increase(name, Math.round(500 * (1.2 + Math.sin(step / (5 + i)))));
  }, PUSH_EVERY);
  return async () => {
    clearInterval(timer);
    await pusher.close();
  };
}

/** Series as a program would name them, and its messages, made before anything is measured. */

import { createConnection, type Socket } from 'node:net';

/** 40 characters, different for each number below 10^12. */
export const seriesName = (n: number): string => `bench_series_of_an_instrumented_${String(n).padStart(8, '0')}`;

const message = (body: unknown): string => `${JSON.stringify(body)}\0`;

export const jobMessage = (jobid: string): string =>
  message({
    JobDesc: {
      ...{ jobid, command: './bench', size: 1, nodelist: '', partition: '', cluster: '', run_dir: '/tmp' },
      ...{ start_time: 0, end_time: 0 },
    },
  });

/** Descriptions and first values of counters, by their numbers. */
export function countersMessage(numbers: readonly number[], value: number): string {
  return numbers
    .map((n) => {
      const name = seriesName(n);
      const ctype = { Counter: { ts: 0, value: 0 } };
      return message({ Desc: { name, doc: 'Calls that were counted', ctype } }) + valueMessage(n, value);
    })
    .join('');
}

/** As clients write it: `ts` in µs, a value with a point. */
export const valueMessage = (n: number, value: number): string =>
  `{"Value":{"name":"${seriesName(n)}","value":{"Counter":{"ts":${Date.now()}000,"value":${value.toFixed(1)}}}}}\0`;

/** A client that only sends. */
export async function connectClient(path: string): Promise<Socket> {
  const socket = createConnection(path);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => {});
  socket.resume();
  return socket;
}

/** Resolves when the kernel has taken all of it. */
export const sendAll = (socket: Socket, bytes: string | Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.write(bytes, (error) => (error ? reject(error) : resolve()));
  });

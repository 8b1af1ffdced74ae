/** Bytes as clients of the old proxy send them, and a connection to send them over. */

import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { bareJob } from '../../../src/shared/model/job.ts';
import type { Run } from '../../../src/shared/api/runs.ts';
import { eventually } from '../../support/wait.ts';
import type { Here } from '../http/here.ts';

export const job = (jobid: string, more: object = {}): string =>
  `${JSON.stringify({ JobDesc: { ...bareJob(jobid), command: './x', size: 1, ...more } })}\0`;
export const counter = (name: string, doc = ''): string =>
  `${JSON.stringify({ Desc: { name, doc, ctype: { Counter: { ts: 0, value: 0 } } } })}\0`;
export const gauge = (name: string, doc = ''): string =>
  `${JSON.stringify({ Desc: { name, doc, ctype: { Gauge: { min: 0, max: 0, hits: 0, total: 0 } } } })}\0`;
/** `value` as text: what JSON.stringify cannot write is sent, too. */
export const add = (name: string, value: number | string): string =>
  `{"Value":{"name":${JSON.stringify(name)},"value":{"Counter":{"ts":1,"value":${value}}}}}\0`;
export const set = (name: string, min: number, max: number, hits: number, total: number): string =>
  `${JSON.stringify({ Value: { name, value: { Gauge: { min, max, hits, total } } } })}\0`;

/** A client of the legacy socket; gone after the test. */
export async function dial({ engine }: Here, path = engine.ready.legacy_socket!): Promise<Socket> {
  const socket = createConnection(path);
  onTestFinished(() => void socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket.resume();
}

export async function push(here: Here, ...messages: readonly string[]): Promise<Socket> {
  const socket = await dial(here);
  socket.write(messages.join(''));
  return socket;
}

/** The ended run of a job id, when there is one. */
export const ended = ({ client }: Here, jobid: string): Promise<Run> =>
  eventually(async () => (await client.runs({ state: 'ended' })).runs.find((run) => run.jobid === jobid));

/** Last values of an ended run by name. */
export async function profileOf(here: Here, jobid: string): Promise<Record<string, number | null>> {
  const { series } = await here.client.profile((await ended(here, jobid)).id);
  return Object.fromEntries(series.map(({ name, value }) => [name, value]));
}

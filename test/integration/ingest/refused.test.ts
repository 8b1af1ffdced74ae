import { createConnection, type Socket } from 'node:net';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../support/wait.ts';
import { startHere, type Here } from '../http/here.ts';

const MIB = 1024 * 1024;

const value = (name: string, v: string): string => `{"Value":{"name":"${name}","value":${v}}}\0`;
const counter = (name: string, v: string): string => value(name, `{"Counter":{"ts":1,"value":${v}}}`);
const gauge = (name: string, parts: string): string => value(name, `{"Gauge":{${parts}}}`);
const desc = (name: string, ctype: string): string => `{"Desc":{"name":"${name}","doc":"","ctype":${ctype}}}\0`;
const C = '{"Counter":{"ts":0,"value":0.0}}';
const G = '{"Gauge":{"min":0.0,"max":0.0,"hits":0.0,"total":0.0}}';
const JOB = `{"JobDesc":{"jobid":"j","command":"","size":1,"nodelist":"","partition":"","cluster":"","run_dir":"","start_time":0,"end_time":0}}\0`;

async function open(path: string): Promise<Socket> {
  const socket = createConnection(path);
  onTestFinished(() => void socket.destroy());
  // An engine that cuts off may reset.
  socket.on('error', () => socket.destroy());
  await once(socket, 'connect');
  return socket.resume();
}

/** Whether by an end or by a reset. */
const closed = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once('close', () => resolve()));

const legacy = (here: Here): string => here.engine.ready.legacy_socket!;

/** Values of the run `j`, by name. */
async function valuesOf({ client }: Here): Promise<Record<string, number | null>> {
  const run = (await client.runs()).runs.find((r) => r.jobid === 'j')!;
  const { series } = await client.series(run.scope);
  return Object.fromEntries(series.map((s) => [s.name, s.value]));
}

describe('a bad message', () => {
  test.each<[string, string, string]>([
    ['malformed JSON', '{"Value":\0', 'malformed_json'],
    ['no JSON at all', 'hello\0', 'malformed_json'],
    ['NaN', counter('c', 'NaN'), 'malformed_json'],
    ['Infinity', counter('c', 'Infinity'), 'malformed_json'],
    ['null for NaN', counter('c', 'null'), 'not_finite'],
    ['a number beyond all doubles', counter('c', '1e999'), 'not_finite'],
    ['a gauge with such a number', gauge('g', '"min":1,"max":1,"hits":1,"total":-1e999'), 'not_finite'],
    ['a text for a number', counter('c', '"1"'), 'wrong_type'],
    ['a value without a name', '{"Value":{"value":{"Counter":{"value":1}}}}\0', 'wrong_type'],
    ['a job without a command', '{"JobDesc":{"jobid":"x"}}\0', 'wrong_type'],
    ['a negative increase', counter('c', '-1.0'), 'negative_increase'],
    ['an unknown kind of message', '{"Event":{}}\0', 'unknown_kind'],
    ['an unknown kind of value', value('c', '{"Histogram":{}}'), 'unknown_kind'],
    ['a value before its description', counter('never', '1.0'), 'value_before_desc'],
    ['a value of the other kind', gauge('c', '"min":1,"max":1,"hits":1,"total":1'), 'value_of_other_kind'],
    ['a description that changes a type', desc('c', G), 'type_conflict'],
    ['a gauge upside down', gauge('g', '"min":2,"max":1,"hits":1,"total":1'), 'invalid_gauge'],
    ['bytes that are no text', 'broken', 'invalid_utf8'],
  ])('%s is dropped and counted by reason; the connection goes on', async (_, message, reason) => {
    const here = await startHere({ node: false });
    const socket = await open(legacy(here));
    socket.write(JOB + desc('c', C) + desc('g', G) + counter('c', '1.0'));
    if (reason === 'invalid_utf8') socket.write(Uint8Array.of(0x7b, 0xff, 0xfe, 0));
    else socket.write(message);
    socket.write(counter('c', '2.0'));
    await eventually(async () => (await valuesOf(here))['c'] === 3);
    expect(await valuesOf(here)).toEqual({ c: 3, g: null });
    const { ingest } = await here.client.status();
    expect(ingest).toMatchObject({ rejected: { [reason]: 1 }, messages: 5, connections: 1 });
    const line = `vigie_ingest_rejected_total{reason="${reason}"} 1\n`;
    await eventually(async () => (await here.client.raw('/metrics')).body.includes(line));
  });
});

describe('too many', () => {
  test('99 bad messages in a row are borne, 100 close the connection; its run ends, and others go on', async () => {
    const here = await startHere({ node: false });
    const other = await open(legacy(here));
    other.write(JOB.replace('"j"', '"other"') + desc('c', C));
    const socket = await open(legacy(here));
    socket.write(JOB + desc('c', C) + '!\0'.repeat(99) + counter('c', '1.0') + '!\0'.repeat(99) + counter('c', '2.0'));
    await eventually(async () => (await valuesOf(here))['c'] === 3);
    const cutOff = closed(socket);
    socket.write('!\0'.repeat(100));
    await cutOff;
    await eventually(async () => (await here.client.runs({ state: 'ended' })).runs[0]?.jobid === 'j');
    expect((await here.client.status()).ingest).toMatchObject({ connections: 1, rejected: { malformed_json: 298 } });
    other.write(counter('c', '5.0'));
    await eventually(async () => (await here.client.raw('/metrics?job=other')).body.includes('\nc 5\n'));
  });

  test.each(['socket', 'legacy_socket'] as const)(
    '1 MiB without NUL closes the connection to the %s',
    async (which) => {
      const here = await startHere({ node: false });
      const socket = await open(here.engine.ready[which]!);
      const cutOff = closed(socket);
      socket.write(`{${' '.repeat(2 * MIB)}`);
      await cutOff;
      await eventually(async () => {
        const { ingest } = await here.client.status();
        return ingest.rejected['message_too_long'] === 1 && ingest.connections === 0;
      });
    },
  );

  test('just 1 MiB is a message', async () => {
    const here = await startHere({ node: false });
    const socket = await open(legacy(here));
    const [head, tail] = ['{"Desc":{"name":"long","doc":"', `","ctype":${C}}}`];
    socket.write(JOB + head + 'x'.repeat(MIB - head.length - tail.length) + tail + '\0' + counter('long', '7.0'));
    await eventually(async () => (await valuesOf(here))['long'] === 7);
    expect((await here.client.status()).ingest.rejected).toEqual({});
  });
});

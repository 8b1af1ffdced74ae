import { createConnection } from 'node:net';
import { describe, expect, test } from 'vitest';
import { eventually } from '../../support/wait.ts';
import { startHere, type Here } from '../http/here.ts';
import { add, counter, dial, ended, gauge, job, profileOf, push, set } from './wire.ts';

const MIB = 1024 * 1024;

/** The text of /metrics as name to value, without its comments. */
async function metrics(here: Here, query = ''): Promise<Map<string, string>> {
  const { status, body } = await here.client.raw(`/metrics${query}`);
  expect(status).toBe(200);
  const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), line.slice(at + 1)];
    }),
  );
}

describe('a malformed message ends the connection, and its job for ever stays open', () => {
  test.each([
    ['malformed JSON', '{"Value":{"name":\0'],
    ['an unmatched brace', '{\0'],
    ['a null value', add('c', 'null')],
    ['a value without description', add('nobody', 1)],
    ['a value of the wrong type', '{"Value":{"name":"c","value":{"Counter":{"ts":1,"value":"1"}}}}\0'],
    ['no JSON at all', 'hello\0'],
  ])('%s: dropped and counted; the connection goes on, the job ends with its values', async (_what, bad) => {
    const here = await startHere({ node: false });
    const client = await push(here, job('j'), counter('c'), add('c', 1), bad, add('c', 2));
    client.end();
    expect(await profileOf(here, 'j')).toEqual({ c: 3 });
    const { runs, ingest } = await here.client.status();
    expect(runs).toEqual({ live: 0, ended: 1 });
    expect(Object.values(ingest.rejected)).toEqual([1]);
    expect((await here.client.raw('/job/list')).body).not.toContain('"j"');
  });

  test('a thousand bad ones close the connection; its job ends all the same', async () => {
    const here = await startHere({ node: false });
    await push(here, job('j'), counter('c'), add('c', 1), 'hello\0'.repeat(1000));
    expect(await profileOf(here, 'j')).toEqual({ c: 1 });
  });
});

describe('bytes without end are kept in memory', () => {
  test('200 MB without NUL: cut off after 1 MiB, nothing of it is held', async () => {
    const here = await startHere({ node: false });
    const socket = createConnection(here.engine.ready.legacy_socket!);
    socket.on('error', () => undefined);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const piece = Buffer.alloc(MIB, 0x20);
    const before = process.memoryUsage().rss;
    let sent = 0;
    while (!socket.destroyed && sent < 200) {
      sent++;
      if (!socket.write(piece)) await Promise.race([closed, new Promise((resolve) => socket.once('drain', resolve))]);
    }
    await closed;
    expect(sent).toBeLessThan(20);
    const { ingest, limits } = await here.client.status();
    expect(ingest.rejected).toEqual({ message_too_long: 1 });
    expect(limits.unfinished_messages.used).toBe(0);
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * MIB);
  });
});

describe('sums that are too large become infinite', () => {
  test('the increase that is too much is refused, and every answer stays a number', async () => {
    const here = await startHere({ node: false });
    await push(here, job('j'), counter('c_total'), add('c_total', 1.7e308), add('c_total', 1.7e308), add('c_total', 1));
    await eventually(async () => (await here.client.status()).ingest.rejected['sum_overflow'] === 1);
    expect((await metrics(here, '?job=j')).get('c_total')).toBe('1.7e+308');
    const { body } = await here.client.raw('/job/?job=j');
    expect((JSON.parse(body) as { counters: object[] }).counters[0]).toMatchObject({
      name: 'c_total',
      ctype: { Counter: { value: 1.7e308 } },
    });
    expect(body).not.toContain('null');
  });

  test('two ranks that are finite each: their sum is refused to the second', async () => {
    const here = await startHere({ node: false });
    for (let rank = 0; rank < 2; rank++) await push(here, job('j'), counter('c_total'), add('c_total', 1e308));
    await eventually(async () => (await here.client.status()).ingest.rejected['sum_overflow'] === 1);
    expect((await metrics(here, '?job=j')).get('c_total')).toBe('1e+308');
  });
});

describe('names and descriptions are written as they come', () => {
  test('a newline in a name is refused, in a description escaped: nobody can write a line of /metrics', async () => {
    const here = await startHere({ node: false });
    await push(here, counter('a\nevil 666\nb'), counter('good_total', 'one\nevil 666\n# EOF'), add('good_total', 1));
    await eventually(async () => (await metrics(here)).get('good_total') === '1');
    const { body } = await here.client.raw('/metrics');
    expect(body).toContain('# HELP good_total one\\nevil 666\\n# EOF\n');
    expect(body.split('\n').filter((line) => line.startsWith('evil'))).toEqual([]);
    expect((await here.client.status()).ingest.rejected).toEqual({ name_control_character: 1 });
  });

  test('labels have no stray quote', async () => {
    const here = await startHere({ node: false });
    await push(
      here,
      gauge('tgt_gauge{zone="a",path="/api/v1"}'),
      set('tgt_gauge{zone="a",path="/api/v1"}', 1, 1, 1, 1),
    );
    await eventually(async () => (await metrics(here)).get('tgt_gauge{path="/api/v1",zone="a"}') === '1');
  });
});

describe('counters that are totals already are added up again at each sample', () => {
  test('the loopback interface has received what the kernel says', async () => {
    const { readFileSync } = await import('node:fs');
    const kernel = (): number => Number(readFileSync('/sys/class/net/lo/statistics/rx_bytes', 'utf8'));
    const before = kernel();
    const here = await startHere();
    await eventually(async () => (await here.client.status()).sampler.ticks > 10);
    const value = Number((await metrics(here)).get('proxy_network_receive_bytes_total{interface="lo"}'));
    expect(value).toBeGreaterThanOrEqual(before);
    expect(value).toBeLessThanOrEqual(kernel());
  });
});

describe('the first value of a counter counts twice', () => {
  test('a counter that was sent once has what was sent', async () => {
    const here = await startHere({ node: false });
    (await push(here, job('j'), counter('a'), counter('b'), add('a', 3), add('b', 6), add('b', 1))).end();
    expect(await profileOf(here, 'j')).toEqual({ a: 3, b: 7 });
  });

  test('the value in a description is none', async () => {
    const here = await startHere({ node: false });
    const desc = '{"Desc":{"name":"c","doc":"","ctype":{"Counter":{"ts":0,"value":5.0}}}}\0';
    (await push(here, job('j'), desc, add('c', 1))).end();
    expect(await profileOf(here, 'j')).toEqual({ c: 1 });
  });
});

describe('values that arrive just before the end are lost', () => {
  test('a client that sends its last values and ends at once loses none, five hundred times', async () => {
    const here = await startHere({ node: false });
    for (let i = 0; i < 500; i++) (await push(here, job('j'), counter('c'), add('c', 1))).end();
    expect(await profileOf(here, 'j')).toEqual({ c: 500 });
  });
});

describe('gauges lose their smallest and largest value, and are hidden while nothing was observed', () => {
  test('min and max are those the clients sent; over ranks the least and the most', async () => {
    const here = await startHere({ node: false });
    const ranks = [
      await push(here, job('j'), gauge('g'), set('g', 2, 9, 4, 20)),
      await push(here, job('j'), gauge('g'), set('g', 1, 5, 1, 4)),
    ];
    const { scope } = await eventually(async () => (await here.client.runs({ state: 'live' })).runs[0]);
    await eventually(async () => {
      const { series } = await here.client.series(scope);
      expect(series[0]!.gauge).toEqual({ min: 1, max: 9, hits: 5, total: 24 });
      return true;
    });
    for (const rank of ranks) rank.end();
    await ended(here, 'j');
  });

  test('without an observation: zeros in /job, left out of /metrics, never NaN', async () => {
    const here = await startHere({ node: false });
    await push(here, job('j'), gauge('g'), counter('c'), add('c', 1));
    await eventually(async () => (await metrics(here, '?job=j')).get('c') === '1');
    const { body } = await here.client.raw('/job/?job=j');
    expect((JSON.parse(body) as { counters: object[] }).counters).toContainEqual({
      name: 'g',
      doc: '',
      ctype: { Gauge: { min: 0, max: 0, hits: 0, total: 0 } },
    });
    const text = (await here.client.raw('/metrics?job=j')).body;
    expect(text).not.toContain('NaN');
    expect((await metrics(here, '?job=j')).has('g')).toBe(false);
  });
});

describe('a connection that says nothing has a thread of its own', () => {
  test('300 idle connections cost nobody an answer', async () => {
    const here = await startHere({ node: false });
    for (let i = 0; i < 300; i++) await dial(here);
    (await push(here, job('j'), counter('c'), add('c', 1))).end();
    expect(await profileOf(here, 'j')).toEqual({ c: 1 });
  });
});

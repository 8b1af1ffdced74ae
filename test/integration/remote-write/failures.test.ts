import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { resolveConfig } from '../../../src/engine/config.ts';
import type { RemoteWriteStatus } from '../../../src/shared/api/status.ts';
import { requireComponent } from '../../support/components.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { startHere, type Here } from '../http/here.ts';
import { addTarget, send } from '../targets/support.ts';
import { FAST, startFake } from './fake.ts';

async function statusOf(here: Here): Promise<RemoteWriteStatus> {
  return (await here.client.status()).remote_write[0]!;
}

/** A run that counts to 10. */
async function count(here: Here): Promise<void> {
  const pusher = await here.pusher();
  pusher.job({ jobid: '4711' });
  pusher.describeCounter('steps_total', '');
  pusher.increase('steps_total', 10);
}

function secret(text: string): string {
  const path = join(temporaryFolder(), 'secret');
  writeFileSync(path, `${text}\n`, { mode: 0o600 });
  return path;
}

describe('what is sent', () => {
  test('has the headers of the protocol, labels of the run, totals, and an end', async () => {
    const fake = await startFake();
    const here = await startHere({
      node: false,
      remote_write: [{ ...FAST, url: fake.url, labels: { site: 'x' }, headers: { 'X-Scope-OrgID': 'me' } }],
    });
    const pusher = await here.pusher();
    pusher.job({ jobid: '4711' });
    pusher.describeCounter('steps_total{a="b"}', '');
    pusher.describeGauge('temperature', '');
    pusher.describeCounter('other', '');
    pusher.increase('steps_total{a="b"}', 10);
    pusher.set('temperature', { min: 1, max: 9, hits: 4, total: 20 });
    await eventually(() => fake.values('temperature').length > 2 && fake.values('steps_total').includes(10));
    expect(fake.requests[0]!.headers).toMatchObject({
      'content-type': 'application/x-protobuf',
      'content-encoding': 'snappy',
      'x-prometheus-remote-write-version': '0.1.0',
      'x-scope-orgid': 'me',
    });
    expect(fake.values('temperature')[0]).toBe(5);
    const labels = Object.fromEntries(fake.taken.findLast(({ series }) => series.startsWith('steps_total'))!.labels);
    const { runs } = await here.client.runs({ state: 'live' });
    const { engine } = await here.client.status();
    expect(labels).toEqual({
      ...{ __name__: 'steps_total', a: 'b', instance: engine.host, job: 'vigie', jobid: '4711' },
      ...{ run: runs[0]!.id, site: 'x' },
    });
    expect(fake.values('other')).toEqual([]);
    const times = fake.taken.filter(({ series }) => series.startsWith('steps_total')).map(({ time }) => time);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(new Set(times).size).toBe(times.length);
    pusher.destroy();
    await eventually(() => fake.taken.filter(({ stale }) => stale).length === 2);
    expect((await statusOf(here)).dropped).toEqual({});
  });

  test('a target is sent between its scrapes, and ends when it is removed', async () => {
    const exporter = createServer((_, response) => {
      response.setHeader('content-type', 'text/plain').end('# TYPE steps_total counter\nsteps_total 7\n');
    });
    await new Promise<void>((resolve) => exporter.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void exporter.close());
    const { port } = exporter.address() as AddressInfo;
    const fake = await startFake();
    const here = await startHere({ node: false, remote_write: [{ ...FAST, url: fake.url }] });
    // Scraped once: what is sent after that is not of a scrape.
    const { id } = await addTarget(here, { url: `http://127.0.0.1:${port}/metrics`, type: 'prometheus', period: '1h' });
    await eventually(() => fake.values('steps_total').length > 3);
    expect(fake.taken.some(({ stale }) => stale)).toBe(false);
    expect(Object.fromEntries(fake.taken[0]!.labels)).toMatchObject({ target: id });
    await send(here, 'DELETE', `/targets/${id}`);
    await eventually(() => fake.taken.some(({ stale }) => stale));
  });

  test('a run that is shorter than the interval is sent, too', async () => {
    const fake = await startFake();
    const here = await startHere({ node: false, remote_write: [{ ...FAST, url: fake.url, interval: '10m' }] });
    await count(here);
    await eventually(async () => (await here.client.runs({ state: 'live' })).runs[0]?.series === 1);
    await here.engine.close();
    expect(fake.values('steps_total').at(-1)).toBe(10);
  });
});

describe('a destination that fails', () => {
  test.each([
    ['5xx', { status: 503 }],
    ['429', { status: 429, headers: { 'retry-after': '1' } }],
    ['nothing at all', null],
    ['a redirect', { status: 302, headers: { location: 'http://127.0.0.1:1/' } }],
  ])('%s: it is sent again, in order, and nothing is lost', async (_, reply) => {
    const fake = await startFake();
    fake.behave = (request) => (request < 2 ? reply : { status: 204 });
    const here = await startHere({ node: false, remote_write: [{ ...FAST, url: fake.url }] });
    await count(here);
    await eventually(async () => (await statusOf(here)).failed >= 2 && (await statusOf(here)).error === null);
    const status = await statusOf(here);
    expect(status.dropped).toEqual({});
    // Not one tick is missing since the first one.
    const times = fake.taken.map(({ time }) => time);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    for (let i = 1; i < times.length; i++) expect(times[i]! - times[i - 1]!).toBeLessThan(3000);
    expect(fake.values('steps_total').at(-1)).toBe(10);
    if (reply?.status === 429) {
      expect(fake.requests[1]!.time - fake.requests[0]!.time).toBeGreaterThan(900);
    }
  });

  test.each([400, 401, 404])('%d: the batch is dropped, counted and told', async (status) => {
    const fake = await startFake();
    fake.behave = (request) => (request < 2 ? { status, body: 'no\u001b[31m such\n thing' } : { status: 204 });
    const here = await startHere({ node: false, remote_write: [{ ...FAST, url: fake.url, name: 'it' }] });
    await count(here);
    await eventually(() => fake.values('steps_total').length > 2);
    const { dropped } = await statusOf(here);
    expect(Object.keys(dropped)).toEqual([`http_${status}`]);
    const { warnings } = await here.client.status();
    const words = `remote_write it: samples are dropped: the destination answers ${status}: no [31m such thing`;
    expect(warnings.filter((text) => text.includes('remote_write'))).toEqual([words]);
  });

  test('what it has taken without an answer is not taken for refused when it comes again', async () => {
    const fake = await startFake();
    const replies = [null, { status: 400, body: 'out of order sample' }];
    fake.behave = (request) => (request < replies.length ? replies[request]! : { status: 204 });
    const here = await startHere({ node: false, remote_write: [{ ...FAST, url: fake.url }] });
    await count(here);
    await eventually(() => fake.taken.length > 2);
    expect((await statusOf(here)).dropped).toEqual({});
  });

  test('one that hangs costs no memory: the oldest are dropped, and ticks go on', async () => {
    const fake = await startFake();
    fake.behave = () => null;
    const here = await startHere({
      remote_write: [{ ...FAST, url: fake.url, timeout: '30s', queue: '64KiB', metrics: { keep: ['*'] } }],
    });
    await eventually(async () => ((await statusOf(here)).dropped['queue_full'] ?? 0) > 1000);
    const { queued_bytes, lag_ms } = await statusOf(here);
    expect(queued_bytes).toBeLessThan(2 * 64 * 1024);
    expect(lag_ms).toBeGreaterThan(0);
    const before = (await here.client.status()).sampler.ticks;
    await eventually(async () => (await here.client.status()).sampler.ticks > before + 10);
  });

  test('what waits survives a restart of the engine', async () => {
    const fake = await startFake();
    fake.behave = () => ({ status: 500 });
    const folder = temporaryFolder();
    const settings = {
      node: false,
      data: join(folder, 'data'),
      remote_write: [{ ...FAST, url: fake.url, name: 'far' }],
    };
    const first = await startHere(settings, folder);
    await count(first);
    await eventually(async () => (await statusOf(first)).queued_requests > 3);
    await first.engine.close();
    const files = readdirSync(join(folder, 'data', 'remote-write', 'far'));
    expect(files.length).toBeGreaterThan(3);
    fake.behave = () => ({ status: 204 });
    await startHere(settings, folder);
    await eventually(() => readdirSync(join(folder, 'data', 'remote-write', 'far')).length === 0);
    expect(fake.values('steps_total').length).toBeGreaterThan(3);
    const times = fake.taken.map(({ time }) => time);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(fake.taken.some(({ stale }) => stale)).toBe(true);
  });
});

describe('who it is, and who the destination is', () => {
  test.each(['basic', 'bearer'])(
    '%s: the secret comes from a file, can be exchanged, and is shown nowhere',
    async (kind) => {
      const fake = await startFake();
      const path = secret('old-secret-1');
      const want = (text: string): string =>
        kind === 'basic' ? `Basic ${Buffer.from(`me:${text}`).toString('base64')}` : `Bearer ${text}`;
      let expected = want('old-secret-1');
      fake.behave = (_, { authorization }) =>
        authorization === expected ? { status: 204 } : { status: 503, body: `not ${authorization} old-secret-1` };
      const here = await startHere({
        node: false,
        remote_write: [
          {
            ...FAST,
            url: fake.url,
            ...(kind === 'basic' ? { basic_auth: { username: 'me', password_file: path } } : { token_file: path }),
          },
        ],
      });
      await count(here);
      await eventually(() => fake.taken.length > 0);
      expected = want('new-secret-2');
      const { error } = await eventually(async () => {
        const status = await statusOf(here);
        return status.error === null ? undefined : status;
      });
      expect(error).toContain('503: not');
      expect(error).not.toContain('secret');
      writeFileSync(path, 'new-secret-2');
      await eventually(async () => (await statusOf(here)).error === null);
      expect(JSON.stringify([await here.client.status(), here.log])).not.toMatch(/(old|new)-secret|bWU6/);
    },
  );

  test('TLS with a certificate of one’s own: with its CA only, or when any is taken', async (context) => {
    const openssl = requireComponent('openssl', context);
    const folder = temporaryFolder();
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-keyout', key, '-out', cert];
    execFileSync(openssl, ['req', '-x509', '-nodes', '-days', '2', ...made, ...subject], { stdio: 'ignore' });
    const fake = await startFake({ key: readFileSync(key), cert: readFileSync(cert) });
    const here = await startHere({
      node: false,
      remote_write: [
        { ...FAST, url: fake.url, name: 'with-ca', tls: { ca_file: cert }, labels: { to: 'ca' } },
        { ...FAST, url: fake.url, name: 'without' },
        { ...FAST, url: fake.url, name: 'any', tls: { insecure: true }, labels: { to: 'any' } },
      ],
    });
    await count(here);
    await eventually(() => ['ca', 'any'].every((to) => fake.taken.some(({ series }) => series.includes(`to="${to}"`))));
    const statuses = await eventually(async () => {
      const list = (await here.client.status()).remote_write;
      return list[1]!.failed > 0 && list;
    });
    expect(statuses.map(({ name, sent, error }) => [name, sent > 0, error === null])).toEqual([
      ['with-ca', true, true],
      ['without', false, false],
      ['any', true, true],
    ]);
    expect(statuses[1]!.error).toMatch(/self-signed certificate/);
  });

  test('a secret that is not there keeps the engine from starting, in words', async () => {
    const start = startHere({
      remote_write: [{ url: 'http://127.0.0.1:1/w', name: 'x', token_file: '/nowhere/token' }],
    });
    await expect(start).rejects.toThrow('remote_write x: token_file /nowhere/token cannot be read: ENOENT');
  });

  test('the file’s mistakes are told with their place', async () => {
    const file = join(temporaryFolder(), 'vigie.yaml');
    writeFileSync(file, 'remote_write:\n  - url: https://h/w\n  - url: ftp://h/w\n');
    await expect(resolveConfig({}, {}, file)).rejects.toThrow('remote_write.1.url: expected http:// or https://');
  });
});

/** A target of Prometheus text against servers that fail in each way. */

import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { join } from 'node:path';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Scope } from '../../../src/engine/live/scope.ts';
import { isPrivateAddress } from '../../../src/engine/targets/fetch-address.ts';
import { prometheus } from '../../../src/engine/targets/prometheus.ts';
import {
  DEFAULT_LIMITS,
  TargetError,
  type Access,
  type Probe,
  type Scraped,
  type TargetSession,
  type TargetSpec,
} from '../../../src/engine/targets/type.ts';
import { parseTargetUrl } from '../../../src/engine/targets/url.ts';
import * as bad from '../../support/bad-server.ts';
import { hostWith } from '../../support/target-host.ts';
import { temporaryFolder } from '../../support/tmp.ts';

/** Long beside what an answer takes here, short beside a test. */
const TIMEOUT = 2000;

interface Options {
  readonly access?: Partial<Omit<Access, 'limits'>>;
  readonly limits?: Partial<Access['limits']>;
  readonly spec?: Partial<TargetSpec>;
}

const accessOf = ({ access, limits }: Options): Access => ({
  timeoutMs: 20_000,
  ...access,
  limits: { ...DEFAULT_LIMITS, ...limits },
});

class Target {
  readonly scope = new Scope('target/t', 'target');
  readonly session: TargetSession;

  constructor(url: string, options: Options = {}) {
    const spec: TargetSpec = {
      id: 't',
      url: parseTargetUrl(url),
      access: accessOf(options),
      periodMs: 1000,
      labels: [],
      filter: { include: [], exclude: [] },
      ...options.spec,
    };
    this.session = prometheus.open(spec, hostWith(this.scope));
    onTestFinished(() => this.session.close());
  }

  scrape(signal = new AbortController().signal): Promise<Scraped> {
    return this.session.scrape(signal);
  }

  /** The error that a scrape ends with, and nothing has come of it. */
  async failure(): Promise<TargetError> {
    const before = this.values;
    const error: unknown = await this.scrape().then(
      () => new Error('it was taken'),
      (reason: unknown) => reason,
    );
    if (!(error instanceof TargetError)) throw error;
    expect(this.values).toEqual(before);
    return error;
  }

  get values(): Record<string, number> {
    this.scope.settle();
    return Object.fromEntries(
      this.scope
        .allDefs()
        .map(({ name, kind, index }) => [
          name,
          kind === 'counter' ? this.scope.counters[index]! : this.scope.gauge(index).total,
        ]),
    );
  }
}

const failureOf = (url: string, options?: Options): Promise<TargetError> => new Target(url, options).failure();
const probe = (url: string, options: Options = {}): Promise<Probe | null> =>
  prometheus.probe(parseTargetUrl(url), accessOf(options), new AbortController().signal);

const TEXT = { 'content-type': 'text/plain; version=0.0.4' };
const serve =
  (body: string | Buffer, headers: Record<string, string> = {}, status = 200): RequestListener =>
  (_request, response) =>
    response.writeHead(status, { ...TEXT, ...headers }).end(body);
const urlOf = (port: number, path = '/metrics'): string => `http://127.0.0.1:${port}${path}`;

/** What the request said. */
function echo(seen: IncomingMessage[], body = 'a 1\n'): RequestListener {
  return (request: IncomingMessage, response: ServerResponse) => {
    seen.push(request);
    response.writeHead(200, TEXT).end(body);
  };
}

describe('what works', () => {
  test('one connection serves all questions', async () => {
    const seen: IncomingMessage[] = [];
    const target = new Target(urlOf(await bad.httpServer(echo(seen))));
    for (let i = 0; i < 5; i++) {
      expect(await target.scrape()).toEqual({
        bytes: 4,
        samples: 1,
        series: 1,
        newSeries: i === 0 ? 1 : 0,
        filtered: 0,
        refused: {},
      });
    }
    expect(new Set(seen.map(({ socket }) => socket.remotePort)).size).toBe(1);
    expect(seen[0]!.headers).toMatchObject({
      'accept-encoding': 'identity',
      'user-agent': expect.stringMatching(/^vigie\//) as string,
    });
    expect(seen[0]!.headers.authorization).toBeUndefined();
  });

  test('a connection that the other side has closed is made anew', async () => {
    let count = 0;
    const port = await bad.httpServer((_request, response) => {
      response
        .writeHead(200, TEXT)
        .end(`# TYPE c counter\nc ${++count}\n`, () => setImmediate(() => response.socket?.destroy()));
    });
    const target = new Target(urlOf(port));
    for (let i = 0; i < 20; i++) await target.scrape();
    expect(target.values['c']).toBe(19);
  });

  test('a unix socket', async () => {
    const path = join(temporaryFolder(), 'x.sock');
    const seen: IncomingMessage[] = [];
    await bad.httpServer(echo(seen), path);
    const target = new Target(`unix:${path}:/metrics?a=b`);
    await target.scrape();
    expect([target.values, seen[0]!.url, seen[0]!.headers.host]).toEqual([{ a: 1 }, '/metrics?a=b', 'localhost']);
  });

  test('gzip, in many members and pieces', async () => {
    const text = (from: number): string => Array.from({ length: 5000 }, (_, i) => `a{i="${from + i}"} ${i}\n`).join('');
    const packed = Buffer.concat([gzipSync(text(0)), gzipSync(text(5000))]);
    const target = new Target(urlOf(await bad.httpServer(serve(packed, { 'content-encoding': 'gzip' }))));
    const { bytes, series } = await target.scrape();
    expect([bytes, series]).toEqual([text(0).length + text(5000).length, 10_000]);
  });

  test('megabytes of gzip, which come faster than they are unpacked', async () => {
    const lines = Array.from({ length: 100_000 }, (_, i) => `m{id="${randomBytes(24).toString('hex')}"} ${i}\n`);
    const packed = gzipSync(lines.join(''), { level: 1 });
    expect(packed.length).toBeGreaterThan(2_000_000);
    const port = await bad.httpServer(serve(packed, { 'content-encoding': 'gzip' }));
    const target = new Target(urlOf(port), { limits: { series: 100_000 } });
    expect(await target.scrape()).toMatchObject({ series: 100_000, refused: {} });
    const sum = Object.values(target.values).reduce((all, value) => all + value, 0);
    expect(sum).toBe((99_999 * 100_000) / 2);
  });

  test('tokens and passwords', async () => {
    const seen: IncomingMessage[] = [];
    const port = await bad.httpServer(echo(seen));
    await new Target(urlOf(port), { access: { bearer: 'abc' } }).scrape();
    await new Target(urlOf(port), { access: { basic: { user: 'é', password: 'p:w' } } }).scrape();
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer abc',
      `Basic ${Buffer.from('é:p:w').toString('base64')}`,
    ]);
  });

  test('OpenMetrics where that is what comes', async () => {
    const body = '# TYPE a counter\na_total 5\na_created 1\n# EOF\n';
    const type = { 'content-type': 'application/openmetrics-text; version=1.0.0; charset=utf-8' };
    const target = new Target(urlOf(await bad.httpServer(serve(body, type))));
    await target.scrape();
    expect(target.scope.allDefs().map(({ name, kind }) => [name, kind])).toEqual([
      ['a_total', 'counter'],
      ['a_created', 'gauge'],
    ]);
  });

  test('a redirect to another path of the same place', async () => {
    const seen: string[] = [];
    const port = await bad.httpServer((request, response) => {
      seen.push(request.url!);
      if (request.url === '/metrics') response.writeHead(302, { location: '/real?x=1' }).end('elsewhere');
      else response.writeHead(200, TEXT).end('a 1\n');
    });
    const target = new Target(urlOf(port), { access: { bearer: 'abc' } });
    await target.scrape();
    expect([target.values, seen]).toEqual([{ a: 1 }, ['/metrics', '/real?x=1']]);
  });

  test('50,000 series', async () => {
    const body = Array.from({ length: 50_000 }, (_, i) => `some_metric_name{i="${i}"} ${i}\n`).join('');
    const target = new Target(urlOf(await bad.httpServer(serve(body))));
    expect(await target.scrape()).toMatchObject({ series: 50_000, newSeries: 50_000 });
    expect(await target.scrape()).toMatchObject({ series: 50_000, newSeries: 0 });
    expect(target.values['some_metric_name{i="49999"}']).toBe(49_999);
  });
});

/** Each fault of the Rust proxy's scraping that a test of this level can show. */
describe('what the old proxy did wrong', () => {
  /** A counter that grows by 1 with each question, beside constants. */
  const exporter = (): Promise<number> => {
    let scrapes = 0;
    return bad.httpServer((_request, response) => {
      scrapes++;
      response
        .writeHead(200, TEXT)
        .end(
          `# TYPE tgt_const_total counter\ntgt_const_total 1000\n# TYPE tgt_scrapes_total counter\ntgt_scrapes_total ${scrapes}\n` +
            '# TYPE items counter\nitems{zone="a",path="/api/v1/item00077"} 177\n# TYPE tgt_gauge gauge\ntgt_gauge{zone="a"} 42.5\n' +
            '# TYPE h histogram\nh_bucket{le="+Inf"} 3\nh_sum 2.5\nh_count 3\n# TYPE s summary\ns{quantile="0.5"} 7\ns_sum 1\ns_count 1\nuntyped 9\n',
        );
    });
  };

  test('counters were added again at each scrape, the first value twice', async () => {
    const target = new Target(urlOf(await exporter()));
    for (let i = 0; i < 19; i++) await target.scrape();
    expect(target.values).toMatchObject({
      tgt_const_total: 0,
      tgt_scrapes_total: 18,
      'items{path="/api/v1/item00077",zone="a"}': 0,
      'tgt_gauge{zone="a"}': 42.5,
    });
  });

  test('labels had a stray quote; histograms, summaries and what had no type were dropped', async () => {
    const target = new Target(urlOf(await exporter()));
    await target.scrape();
    expect(Object.keys(target.values).toSorted()).toEqual([
      'h_bucket{le="+Inf"}',
      'h_count',
      'h_sum',
      'items{path="/api/v1/item00077",zone="a"}',
      's_count',
      's_sum',
      's{quantile="0.5"}',
      'tgt_const_total',
      'tgt_gauge{zone="a"}',
      'tgt_scrapes_total',
      'untyped',
    ]);
  });

  test('one failure ended it', async () => {
    let count = 0;
    const port = await bad.httpServer((_request, response) => {
      count++;
      if (count % 2 === 0) response.socket?.destroy();
      else response.writeHead(200, TEXT).end(`# TYPE c counter\nc ${count}\n`);
    });
    const target = new Target(urlOf(port));
    await target.scrape();
    for (let i = 0; i < 3; i++) {
      // The second try of a question on a used connection is answered.
      await target.scrape();
    }
    expect(target.values['c']).toBe(count - 1);
  });
});

describe('a probe', () => {
  const metrics = '# HELP a About a\n# TYPE a counter\na{b="c"} 1\na{b="d"} 2\n# TYPE g gauge\ng 1\n';
  const at =
    (path: string): RequestListener =>
    (request, response) =>
      request.url === path ? response.writeHead(200, TEXT).end(metrics) : response.writeHead(404).end();

  test('finds /metrics where no path was given, and tells what is there', async () => {
    const port = await bad.httpServer(at('/metrics'));
    expect(await probe(`127.0.0.1:${port}`)).toMatchObject({
      type: 'prometheus',
      url: { href: urlOf(port), path: '/metrics' },
      series: 3,
      bytes: metrics.length,
      metrics: [
        { name: 'a', kind: 'counter', help: 'About a', series: 2 },
        { name: 'g', kind: 'gauge', help: '', series: 1 },
      ],
    });
  });

  test('takes a path as it is', async () => {
    const port = await bad.httpServer(at('/own'));
    expect(await probe(urlOf(port, '/own'))).toMatchObject({ series: 3 });
    await expect(probe(urlOf(port, '/other'))).rejects.toThrow(/^404: nothing is at \/other/);
  });

  test('says that it is something else, and why nothing answers', async () => {
    const html = await bad.httpServer(serve('<html></html>', { 'content-type': 'text/html' }));
    expect(await probe(`127.0.0.1:${html}`)).toBeNull();
    expect(await probe(urlOf(await bad.httpServer(serve(''))))).toBeNull();
    await expect(probe(`127.0.0.1:${await bad.closedPort()}`)).rejects.toThrow(/connection refused on port/);
  });
});

describe('nothing comes', () => {
  test('refused', async () => {
    const port = await bad.closedPort();
    for (const url of [urlOf(port), `http://localhost:${port}/`]) {
      expect(await failureOf(url)).toMatchObject({
        kind: 'down',
        message: `connection refused on port ${port}: is the exporter running?`,
      });
    }
    const path = join(temporaryFolder(), 'none.sock');
    expect((await failureOf(`unix:${path}`)).message).toBe(`${path} is not there: is the exporter running?`);
  });

  test('no such host', async () => {
    const { kind, message } = await failureOf('http://no-such-host.invalid/');
    expect([kind, message]).toEqual(['down', expect.stringMatching(/^no host is called|could not be looked up/)]);
  });

  const access = { access: { timeoutMs: TIMEOUT } };

  test('a server that never answers', async () => {
    const port = await bad.silentServer();
    expect(await failureOf(urlOf(port), access)).toMatchObject({
      kind: 'down',
      message: `connected to 127.0.0.1:${port}, but no answer came within 2 s: does the exporter hang?`,
    });
  });

  test('one that never speaks TLS', async () => {
    const port = await bad.silentServer();
    expect(await failureOf(`https://127.0.0.1:${port}/`, access)).toMatchObject({
      kind: 'down',
      message: expect.stringMatching(/^no connection to 127.0.0.1:\d+ within 1 s: .*does it speak TLS/) as string,
    });
  });

  test.each([
    ['in its headers', 'HTTP/1.1 200 OK\r\ncontent-type: text/pl', /no answer came within 2 s/],
    ['behind them', 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n', /not whole within 1 s: 0 B came/],
    [
      'in the middle',
      'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 99\r\n\r\na 1\n',
      /not whole within 1 s: 4 B came/,
    ],
    [
      'before its last chunk',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\na 1\n\r\n',
      /not whole within 1 s: 4 B came/,
    ],
  ])('one that stops %s', async (_where, text, message) => {
    const port = await bad.rawServer((socket) => socket.resume().write(text));
    expect(await failureOf(urlOf(port), access)).toMatchObject({
      kind: 'down',
      message: expect.stringMatching(message) as string,
    });
  });

  test('one that sends a byte now and then, in its headers or behind them', async () => {
    const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n';
    const slowBody = await bad.endlessServer(head, Buffer.from('#'), 100);
    expect((await failureOf(urlOf(slowBody), access)).message).toMatch(/not whole within 2 s: \d+ B came/);
    const slowHead = await bad.endlessServer('HTTP/1.1 200 OK\r\nx: ', Buffer.from('y'), 100);
    expect((await failureOf(urlOf(slowHead), access)).message).toMatch(/no answer came within 2 s/);
  });

  test.each([
    ['at once', ''],
    ['in its headers', 'HTTP/1.1 200 OK\r\n'],
    ['in the middle', 'HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\na 1\n'],
    ['in a chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n9\r\na 1\n'],
  ])('one that ends the connection %s', async (_where, text) => {
    const port = await bad.rawServer((socket) => socket.once('data', () => socket.end(text)));
    expect(await failureOf(urlOf(port))).toMatchObject({
      kind: 'down',
      message: `127.0.0.1:${port} closed the connection before the answer was whole`,
    });
  });

  test('whoever asked gives up', async () => {
    const target = new Target(urlOf(await bad.silentServer()));
    const giveUp = new AbortController();
    const scrape = target.scrape(giveUp.signal);
    setTimeout(() => giveUp.abort(new Error('paused')), 50);
    await expect(scrape).rejects.toThrow('paused');
    await expect(target.scrape(giveUp.signal)).rejects.toThrow('paused');
  });

  test('a target that is removed while it answers writes nothing', async () => {
    let answer: (() => void) | null = null;
    const port = await bad.httpServer((_request, response) => {
      answer = () => response.writeHead(200, TEXT).end('a 1\n');
      target.session.close();
      answer();
    });
    const target = new Target(urlOf(port));
    await expect(target.scrape()).rejects.toThrow();
    expect(target.values).toEqual({});
  });
});

describe('too much comes', () => {
  const limits = { limits: { bytes: 2 * 1024 * 1024 } };
  const line = Buffer.from(`${'# comment that goes on '.repeat(100)}\n`);

  test('an answer that says how large it is', async () => {
    const length = 100 * 1024 * 1024;
    const head = `HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: ${length}\r\n\r\n`;
    const port = await bad.endlessServer(head, line, 0);
    expect(await failureOf(urlOf(port), limits)).toMatchObject({
      kind: 'refused',
      message: '100 MiB over the 2 MiB limit',
    });
    const sized = (body: string): Promise<number> =>
      bad.httpServer(serve(body, { 'content-length': String(body.length) }));
    const little = await sized('#'.repeat(2_202_010));
    expect((await failureOf(urlOf(little), limits)).message).toBe('2.1 MiB over the 2 MiB limit');
    const exactly = await sized(`${'#'.repeat(1000)}\n`);
    await new Target(urlOf(exactly), { limits: { bytes: 1001 } }).scrape();
    expect((await failureOf(urlOf(exactly), { limits: { bytes: 1000 } })).message).toBe('1001 B over the 1000 B limit');
  });

  test('one that never ends', async () => {
    for (const head of ['', 'content-encoding: gzip\r\n']) {
      const piece = head === '' ? line : gzipSync(line);
      const port = await bad.endlessServer(`HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n${head}\r\n`, piece, 0);
      expect(await failureOf(urlOf(port), limits)).toMatchObject({
        kind: 'refused',
        message: 'the answer is over the 2 MiB limit',
      });
    }
  });

  test('one that is small only while it is packed', async () => {
    const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024, '#\n'));
    expect(bomb.length).toBeLessThan(1024 * 1024);
    const port = await bad.httpServer(serve(bomb, { 'content-encoding': 'gzip' }));
    const before = process.memoryUsage().arrayBuffers;
    expect((await failureOf(urlOf(port), limits)).message).toBe('the answer is over the 2 MiB limit');
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024);
  });

  test('more series than allowed', async () => {
    const body = Array.from({ length: 50_000 }, (_, i) => `a{i="${i}"} 1\n`).join('');
    const port = await bad.httpServer(serve(body));
    expect(await failureOf(urlOf(port), { limits: { series: 20_000 } })).toMatchObject({
      kind: 'refused',
      message: 'more than 20,000 series: a filter can leave out some of them',
    });
    const filter = { include: [], exclude: ['a'] };
    const target = new Target(urlOf(port), { limits: { series: 20_000 }, spec: { filter } });
    expect(await target.scrape()).toMatchObject({ samples: 50_000, filtered: 50_000, series: 0 });
  });

  test('a line without end, headers without end', async () => {
    const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n';
    const long = await bad.endlessServer(head, Buffer.alloc(1024, 'x'), 0);
    expect((await failureOf(urlOf(long))).message).toBe('line 1 is not Prometheus text: it is longer than 64 kB');
    const headers = await bad.endlessServer('HTTP/1.1 200 OK\r\n', Buffer.from(`x: ${'y'.repeat(1000)}\r\n`), 0);
    expect((await failureOf(urlOf(headers))).message).toBe('the headers of its answer are too long');
  });
});

describe('something else comes', () => {
  test.each([
    [401, {}, '401: it wants a token, or a user and a password', 'refused'],
    [401, { bearer: 'x' }, '401: the token was not accepted', 'refused'],
    [401, { basic: { user: 'u', password: 'p' } }, '401: user and password were not accepted', 'refused'],
    [403, {}, '403: it does not let us read /metrics', 'refused'],
    [404, {}, '404: nothing is at /metrics: is the path right? Most exporters have /metrics', 'refused'],
    [429, {}, '429: it says that it is asked too often: a longer period helps', 'down'],
    [500, {}, '500: the exporter says that it failed', 'down'],
    [503, {}, '503: the exporter says that it failed', 'down'],
    [204, {}, '204: that is no answer with metrics', 'refused'],
    [304, {}, '304: that is no answer with metrics', 'refused'],
  ])('status %i', async (status, access, message, kind) => {
    const port = await bad.httpServer(serve('a 1\n', {}, status));
    expect(await failureOf(urlOf(port), { access })).toMatchObject({ kind, message });
  });

  test.each([
    [
      'text/html; charset=utf-8',
      'the answer is an HTML page, not metrics: is the path right? Most exporters have /metrics',
    ],
    ['application/json', 'the answer is "application/json", not metrics: is it the right port and path?'],
    [
      'application/vnd.google.protobuf; proto=x',
      'the answer is protobuf, which is not read here: the exporter has to offer text',
    ],
  ])('%s', async (type, message) => {
    const port = await bad.httpServer(serve('a 1\n', { 'content-type': type }));
    expect(await failureOf(urlOf(port))).toMatchObject({ kind: 'refused', message });
  });

  test('what is no Prometheus text, by line', async () => {
    const port = await bad.httpServer(serve('a 1\n\n{"error": true}\n'));
    expect(await failureOf(urlOf(port))).toMatchObject({
      kind: 'refused',
      message: 'line 3 is not Prometheus text: expected the name of a metric, found "{\\"error\\": true}"',
    });
  });

  test('a conflict of types, bytes that are no text, half an answer', async () => {
    const messageOf = async (body: string | Buffer): Promise<string> =>
      (await failureOf(urlOf(await bad.httpServer(serve(body))))).message;
    expect(await messageOf('# TYPE a counter\n# TYPE a gauge\na 1\n')).toBe(
      'line 2 is not Prometheus text: a second TYPE line for a, or one behind its values',
    );
    expect(await messageOf(Buffer.from('a{b="\u00ff"} 1\n', 'latin1'))).toBe(
      'line 1 is not Prometheus text: it is not UTF-8',
    );
    expect(await messageOf('a 1\nb 2')).toBe('line 2 is not Prometheus text: the text ends in the middle of it');
  });

  test('gzip that is none, and other packings', async () => {
    const port = await bad.httpServer(serve('a 1\n', { 'content-encoding': 'gzip' }));
    expect((await failureOf(urlOf(port))).message).toBe('the answer says that it is gzip, but is not');
    const cut = await bad.httpServer(serve(gzipSync('a 1\n').subarray(0, 20), { 'content-encoding': 'gzip' }));
    expect((await failureOf(urlOf(cut))).message).toMatch(/gzip/);
    const brotli = await bad.httpServer(serve('a 1\n', { 'content-encoding': 'br' }));
    expect((await failureOf(urlOf(brotli))).message).toBe('the answer is packed with br, which was not asked for');
  });

  test('another protocol', async () => {
    const ssh = await bad.rawServer((socket) => socket.write('SSH-2.0-OpenSSH_9.2p1\r\n'));
    expect(await failureOf(urlOf(ssh))).toMatchObject({
      kind: 'refused',
      message: `what answers on 127.0.0.1:${ssh} is not HTTP: is it the right port, or does it want https://?`,
    });
    const http = await bad.httpServer(serve('a 1\n'));
    expect((await failureOf(`https://127.0.0.1:${http}/`)).message).toBe(
      `what answers on 127.0.0.1:${http} does not speak TLS: is it http://?`,
    );
  });

  test('a metric proxy of the old kind, which writes times where values belong', async () => {
    const port = await bad.httpServer(serve('# TYPE a counter\na 1781000000000000 5\nb 0 0\n'));
    expect((await failureOf(urlOf(port))).message).toBe(
      'all 2 values have a time far from now (1970-01-01T00:00:00.005Z): if this is a metric proxy, its type is proxy',
    );
  });
});

describe('redirects', () => {
  test('in a circle', async () => {
    let asked = 0;
    const port = await bad.httpServer((_request, response) => {
      asked++;
      response.writeHead(302, { location: `/${asked}` }).end();
    });
    expect(await failureOf(urlOf(port))).toMatchObject({
      kind: 'refused',
      message: 'it redirects again and again, last to /4',
    });
    expect(asked).toBe(4);
  });

  test.each(['http://127.0.0.2:PORT/metrics', 'https://127.0.0.1:PORT/', '//localhost:PORT/', 'http://127.0.0.1:1/'])(
    'to another place: %s',
    async (to) => {
      const seen: IncomingMessage[] = [];
      const other = await bad.httpServer(echo(seen));
      const port = await bad.httpServer((_request, response) => {
        response.writeHead(301, { location: to.replace('PORT', String(other)) }).end();
      });
      const { kind, message } = await failureOf(urlOf(port), { access: { bearer: 'secret' } });
      expect([kind, message]).toEqual([
        'refused',
        expect.stringMatching(/^301: it redirects to http.*: add that address/),
      ]);
      expect(seen).toEqual([]);
    },
  );
});

describe('TLS', () => {
  const NAMES = 'DNS:localhost,IP:127.0.0.1';

  test('an authority of its own', async () => {
    const own = bad.authority();
    const port = await bad.httpsServer(own.sign(NAMES, 2), serve('a 1\n'));
    const unknown = await failureOf(`https://127.0.0.1:${port}/metrics`);
    expect([unknown.kind, unknown.message]).toEqual([
      'refused',
      expect.stringMatching(/somebody who is not known here/),
    ]);
    for (const host of ['127.0.0.1', 'localhost']) {
      const target = new Target(`https://${host}:${port}/metrics`, { access: { ca: own.ca } });
      for (let i = 0; i < 3; i++) await target.scrape();
      expect(target.values).toEqual({ a: 1 });
    }
    expect((await failureOf(`https://127.0.0.1:${port}/`, { access: { ca: bad.authority().ca } })).kind).toBe(
      'refused',
    );
  });

  test('for another host, and expired', async () => {
    const own = bad.authority();
    const access = { access: { ca: own.ca, bearer: 'secret' } };
    const seen: IncomingMessage[] = [];
    const other = own.sign('DNS:node7.example,DNS:node8.example', 2);
    const { message, fingerprint } = await failureOf(
      `https://127.0.0.1:${await bad.httpsServer(other, echo(seen))}/`,
      access,
    );
    expect(message).toBe('its certificate is for node7.example, node8.example, not for 127.0.0.1');
    expect(fingerprint).toBe(other.fingerprint);
    const past = own.sign(NAMES, -1);
    const expired = await failureOf(`https://127.0.0.1:${await bad.httpsServer(past, echo(seen))}/`, access);
    expect(expired.message).toMatch(/^its certificate expired on \w{3} /);
    // The token was shown to neither.
    expect(seen).toEqual([]);
  });

  test('self-signed is shown, and can be pinned', async () => {
    const own = bad.authority();
    const certificate = own.selfSigned('DNS:elsewhere');
    const seen: IncomingMessage[] = [];
    const url = `https://127.0.0.1:${await bad.httpsServer(certificate, echo(seen))}/metrics`;
    const error = await failureOf(url, { access: { bearer: 'secret' } });
    expect([error.kind, error.fingerprint]).toEqual(['refused', certificate.fingerprint]);
    expect(error.message).toBe(
      `its certificate is self-signed: pin its fingerprint if it is the right one: ${certificate.fingerprint}`,
    );
    const target = new Target(url, {
      access: { fingerprint: certificate.fingerprint.toLowerCase().replaceAll(':', '') },
    });
    await target.scrape();
    expect(target.values).toEqual({ a: 1 });
    const other = await failureOf(url, {
      access: { fingerprint: own.selfSigned('DNS:x').fingerprint, bearer: 'secret' },
    });
    expect([other.message, other.fingerprint]).toEqual([
      `the certificate is not the pinned one, but ${certificate.fingerprint}`,
      certificate.fingerprint,
    ]);
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });
});

describe('private addresses, where they are forbidden', () => {
  test.each(['http://127.0.0.1:PORT/', 'http://localhost:PORT/', 'http://[::1]:PORT/', 'http://2130706433:PORT/'])(
    '%s',
    async (url) => {
      const seen: IncomingMessage[] = [];
      const port = await bad.httpServer(echo(seen));
      const { kind, message } = await failureOf(url.replace('PORT', String(port)), { limits: { allowPrivate: false } });
      expect([kind, message]).toEqual([
        'refused',
        expect.stringMatching(/is a private address, which this engine's settings forbid/),
      ]);
      expect(seen).toEqual([]);
    },
  );

  test('and unix sockets', async () => {
    expect((await failureOf('unix:/run/x.sock', { limits: { allowPrivate: false } })).message).toMatch(
      /forbid unix sockets/,
    );
  });

  test('which they are', () => {
    const all = [
      '10.1.2.3',
      '172.31.0.1',
      '192.168.1.1',
      '169.254.169.254',
      '100.64.0.1',
      '0.0.0.0',
      '::',
      '::1',
      'fd00::1',
      'fe80::1',
    ];
    for (const address of [...all, '::ffff:10.0.0.1', '64:ff9b::a00:1', '224.0.0.1', 'nonsense']) {
      expect(isPrivateAddress(address), address).toBe(true);
    }
    for (const address of ['8.8.8.8', '172.32.0.1', '2001:4860::8888', '193.0.0.1']) {
      expect(isPrivateAddress(address), address).toBe(false);
    }
  });
});

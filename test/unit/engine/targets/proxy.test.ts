import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Scope } from '../../../../src/engine/live/scope.ts';
import { proxy, repairName } from '../../../../src/engine/targets/proxy.ts';
import { DEFAULT_LIMITS, type ScopeAbout, type TargetSession } from '../../../../src/engine/targets/type.ts';
import { parseTargetUrl } from '../../../../src/engine/targets/url.ts';

type Counters = Readonly<Record<string, number>>;

const counters = (values: Counters): unknown[] =>
  Object.entries(values).map(([name, value]) => ({ name, doc: '', ctype: { Counter: { ts: 1, value } } }));

const job = (jobid: string, values: Counters, more: object = {}): unknown => ({
  desc: {
    ...{ jobid, command: '', size: 1, nodelist: '', partition: '', cluster: '', run_dir: '' },
    start_time: 0,
    end_time: 0,
    ...more,
  },
  counters: counters(values),
});

interface Proxied {
  answer(...jobs: unknown[]): void;
  scrape(): ReturnType<TargetSession['scrape']>;
  readonly scopes: ReadonlyMap<string, Scope>;
  readonly abouts: ReadonlyMap<string, ScopeAbout>;
  readonly joined: { list: unknown[] };
}

/** A session against a proxy that answers what the test says. */
async function proxied(isSelf: (url: string) => boolean = () => false): Promise<Proxied> {
  let jobs: unknown[] = [];
  const joined: { list: unknown[] } = { list: [] };
  const server = createServer((request, response) => {
    response.end(JSON.stringify(request.url === '/job' ? jobs : joined.list));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const scopes = new Map<string, Scope>();
  const abouts = new Map<string, ScopeAbout>();
  const session = proxy.open(
    {
      ...{ id: 't', periodMs: 1000, labels: [], filter: { include: [], exclude: [] } },
      url: parseTargetUrl(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
      access: { timeoutMs: 10_000, limits: DEFAULT_LIMITS },
    },
    {
      ...{ hostname: 'here', engineId: 'e', isSelf, grace: 0 },
      scope(below = '') {
        const scope = scopes.get(below) ?? new Scope(`target/t/${below}`, 'target');
        scopes.set(below, scope);
        return scope;
      },
      about: (below, about) => void abouts.set(below, about),
      drop: (below) => void scopes.delete(below),
    },
  );
  onTestFinished(() => {
    session.close();
    server.close();
  });
  return {
    ...{ scopes, abouts, joined },
    answer: (...next) => void (jobs = next),
    scrape: () => session.scrape(new AbortController().signal),
  };
}

const total = ({ scopes }: Proxied, below: string, name: string): number | null => {
  const scope = scopes.get(below);
  const place = scope?.find(name);
  return scope && place?.kind === 'counter' ? scope.counters[place.index]! : null;
};

describe('what an old proxy sums twice is counted once', () => {
  test('jobs and hosts are taken apart: what a job counts is not the host’s, also when it is over', async () => {
    const one = await proxied();
    one.answer(job('main', { c: 10 }), job('Node: n', { c: 10, own: 1 }));
    await one.scrape();
    // What was there is where it begins.
    expect([total(one, 'node/n', 'c'), total(one, 'node/n', 'own')]).toEqual([0, 0]);
    one.answer(job('main', { c: 15 }), job('Node: n', { c: 15, own: 3 }), job('a', { c: 5 }));
    await one.scrape();
    expect([total(one, 'run/a', 'c'), total(one, 'node/n', 'c'), total(one, 'node/n', 'own')]).toEqual([5, 0, 2]);
    // Over: it is not listed any more, and the host has its counts still.
    for (let i = 0; i < 4; i++) {
      one.answer(job('main', { c: 18 }), job('Node: n', { c: 18, own: 3 }));
      await one.scrape();
    }
    expect(one.scopes.has('run/a')).toBe(false);
    expect(total(one, 'node/n', 'c')).toBe(3);
    // Started anew: its counts begin at nothing, and what ended before is in none of them.
    one.answer(job('main', { c: 2 }), job('Node: n', { c: 2, own: 0 }));
    await one.scrape();
    expect(total(one, 'node/n', 'c')).toBe(5);
  });

  test('a host’s metrics in a job are the host’s; kernel totals that are added up again are nobody’s', async () => {
    const one = await proxied();
    const values = { 'proxy_network_receive_bytes_total{interface="eth0"}': 5, proxy_scrape_total: 7, c: 1 };
    one.answer(job('Node: n', values), job('a', values));
    const scraped = await one.scrape();
    expect(
      one.scopes
        .get('run/a')!
        .allDefs()
        .map(({ name }) => name),
    ).toEqual(['c']);
    expect(
      one.scopes
        .get('node/n')!
        .allDefs()
        .map(({ name }) => name),
    ).toEqual(['proxy_scrape_total', 'c']);
    expect(scraped.refused).toEqual({ added_up_again: 1 });
    expect(scraped.notes!.join()).toContain('are not taken');
  });

  test('a tree of proxies and scraped Prometheus targets are said to be wrong', async () => {
    const one = await proxied();
    one.joined.list = [
      { target_url: 'http://c1:1337/job', ttype: 'Proxy', period: 1, last_scrape: 0 },
      { target_url: 'http://n1:9100/metrics', ttype: 'Prometheus', period: 1, last_scrape: 0 },
    ];
    one.answer(job('main', {}));
    const { notes } = await one.scrape();
    expect(
      notes!.some((note) => note.includes('first value of each counter') && note.includes('http://c1:1337/job')),
    ).toBe(true);
    expect(notes!.some((note) => note.includes('1 Prometheus target'))).toBe(true);
  });

  test('one that pulls from this engine is refused: each would count the other’s sums', async () => {
    const one = await proxied((url) => url === 'http://us:1337');
    one.joined.list = [{ target_url: 'http://us:1337/job', ttype: 'Proxy', period: 1, last_scrape: 0 }];
    one.answer(job('main', {}));
    await expect(one.scrape()).rejects.toThrow('a circle');
  });
});

test('times in seconds become milliseconds; what is no number is left out', async () => {
  const one = await proxied();
  one.answer(
    { ...(job('s', { c: 1 }, { start_time: 1_699_020_317 }) as object) },
    {
      ...(job('ms', {}, { start_time: 1_699_020_317_000 }) as object),
      counters: [{ name: 'bad', doc: '', ctype: { Counter: { value: null } } }],
    },
  );
  const scraped = await one.scrape();
  const starts = ['run/s@1699020317000', 'run/ms@1699020317000'].map((below) => {
    const about = one.abouts.get(below);
    return about?.kind === 'run' ? about.desc.start_time : null;
  });
  expect(starts).toEqual([1_699_020_317_000, 1_699_020_317_000]);
  expect(scraped.refused).toEqual({ not_a_number: 1 });
});

test.each([
  ['node_boot{zone="a""}', 'node_boot{zone="a"}'],
  ['h{path="/api/v1/item00077"",code="200""}', 'h{path="/api/v1/item00077",code="200"}'],
  ['h{"path="/x"}', 'h{path="/x"}'],
  ['h{path="/x"}', 'h{path="/x"}'],
  ['h{empty=""}', 'h{empty=""}'],
  ['plain', 'plain'],
  ['odd{x', 'odd{x'],
])('the stray quote in %s', (name, repaired) => {
  expect(repairName(name)).toBe(repaired);
});

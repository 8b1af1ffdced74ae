import { Connection, Prompt } from '../../../../src/shared/api/connections.ts';

/** A connection as the engine describes it. */
export const connectionOf = (change: Partial<Connection> = {}): Connection =>
  Connection.parse({
    id: 'a',
    name: 'login',
    host: 'login',
    group: '',
    auto: false,
    sync: true,
    address: { kind: 'auto' },
    state: 'up',
    reason: null,
    since: 1000,
    last_up: 1000,
    hops: [],
    traffic: { in: 0, out: 0 },
    channels: 0,
    engine: null,
    placed: null,
    work: null,
    targets: 0,
    forwards: [],
    kept: 0,
    problem: null,
    ...change,
  });

export const hopOf = (name: string, host: string): Connection['hops'][number] => ({
  ...{ name, host, state: 'up', reason: null, latency_ms: null, fingerprint: null, through: 'ssh2' },
});

/** A password that is asked for. */
export const promptOf = (change: Partial<Prompt> = {}): Prompt =>
  Prompt.parse({
    id: 'p1',
    connection: 'a',
    host: 'login',
    hop: 'login',
    kind: 'password',
    title: 'Password of me on login',
    text: '',
    fields: [{ label: 'Password', echo: false }],
    expires: 300_000,
    ...change,
  });

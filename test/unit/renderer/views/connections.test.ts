import { describe, expect, test } from 'vitest';
import { EMPTY_FORM, formOf, hostError, readForm } from '../../../../src/renderer/views/connections/form.ts';
import {
  goneText,
  leftText,
  placeText,
  removeCommand,
} from '../../../../src/renderer/views/connections/prompts/words.ts';
import {
  connectionsText,
  farState,
  isBegun,
  logText,
  secondLine,
  syncText,
  targetsSearch,
  wayText,
  whereText,
} from '../../../../src/renderer/views/connections/words.ts';
import type { EngineAddress, RemoteEngine } from '../../../../src/shared/api/connections.ts';
import { connectionOf, hopOf, promptOf } from './connectionFixture.ts';

const sync = (change: Partial<RemoteEngine['sync']> = {}): RemoteEngine['sync'] => ({
  ...{ state: 'idle', profiles: 0, complete: null, reason: null },
  ...change,
});

describe('settings', () => {
  test.each<EngineAddress>([
    { kind: 'auto' },
    { kind: 'none' },
    { kind: 'socket', path: '/tmp/vigie-1/engine.socket' },
    { kind: 'port', host: 'node7', port: 1337 },
    { kind: 'port', host: '127.0.0.1', port: 1337, token_file: '~/token' },
  ])('what is shown of $kind is what is saved', (address) => {
    const connection = connectionOf({ address, name: 'Cluster', group: 'EU', auto: true, sync: false });
    expect(readForm(formOf(connection))).toEqual({
      request: { name: 'Cluster', group: 'EU', auto: true, sync: false, engine: address },
      errors: {},
    });
  });

  test('the host as a name is no name of its own', () => {
    expect(formOf(connectionOf()).name).toBe('');
  });

  test('what is wrong is said at its field', () => {
    expect(readForm({ ...EMPTY_FORM, kind: 'socket', path: 'engine.socket' }).errors.path).toContain('whole path');
    expect(readForm({ ...EMPTY_FORM, kind: 'port' }).errors.farPort).toContain('write its port');
    expect(readForm({ ...EMPTY_FORM, kind: 'port', farPort: '70000', farHost: ' ' }).errors).toMatchObject({
      farPort: expect.stringContaining('70000') as string,
      farHost: expect.stringContaining('write its host') as string,
    });
    expect(readForm({ ...EMPTY_FORM, name: 'a\u0007b' }).errors.name).toContain('control characters');
  });

  test('hosts as ssh takes them, and no options', () => {
    expect([hostError('login'), hostError('me@login')]).toEqual([null, null]);
    for (const host of ['-oProxyCommand=x', 'a b', 'a;b', '*']) expect(hostError(host)).toContain('expected the name');
  });
});

describe('words', () => {
  test('the second line says what is wrong, else where it leads', () => {
    const hops = [hopOf('gate', 'me@gate:22'), hopOf('login', 'me@login.site:22')];
    expect(secondLine(connectionOf({ hops }))).toBe('me@login.site:22');
    expect(secondLine(connectionOf({ name: 'Cluster', hops }))).toBe('login · me@login.site:22');
    expect(secondLine(connectionOf({ state: 'down', reason: 'nothing listens' }))).toBe('nothing listens');
    expect(secondLine(connectionOf({ problem: 'a file cannot be read', hops }))).toBe('a file cannot be read');
  });

  test('ways', () => {
    const [gate, inner, login] = ['gate', 'inner', 'login'].map((name) => hopOf(name, ''));
    expect(wayText([login!])).toEqual(['directly', '']);
    expect(wayText([gate!, login!])).toEqual(['1 hop', 'gate']);
    expect(wayText([gate!, inner!, login!])).toEqual(['2 hops', 'gate → inner']);
  });

  test('where no engine is, none is named', () => {
    const engine: RemoteEngine = {
      ...{ id: 'a', version: '1.2', api: null, state: 'up', reason: null, host: 'far', skew: null, sync: sync() },
    };
    expect(whereText(engine)).toBe('Vigie 1.2 on far');
    expect(whereText({ ...engine, host: null })).toBe('Vigie 1.2');
    expect(whereText({ ...engine, state: 'absent' })).toBe('');
  });

  test('profiles that are here', () => {
    const when = new Date(2026, 10, 21, 8, 15, 3).getTime();
    expect(syncText(sync())).toBe('No profile of it is here.');
    expect(syncText(sync({ complete: when }))).toBe('It had none when it was looked at last, 2026-11-21 08:15:03.');
    expect(syncText(sync({ profiles: 1, complete: when }))).toBe(
      '1 profile is here, complete as of 2026-11-21 08:15:03.',
    );
    expect(syncText(sync({ profiles: 1234, state: 'running' }))).toBe(
      '1\u202f234 profiles are here; more are on their way.',
    );
    expect(syncText(sync({ profiles: 2, state: 'failed', reason: 'the disk is full' }))).toBe(
      '2 profiles are here; it does not go on: the disk is full.',
    );
  });

  test('of the engine over there nothing is said while the host is not reached', () => {
    const engine: RemoteEngine = {
      ...{ id: null, version: null, api: null, state: 'down', reason: null, host: null, skew: null, sync: sync() },
    };
    expect(farState(connectionOf({ engine, state: 'reconnecting' })).name).toBe('waits for the connection');
    expect(farState(connectionOf({ engine })).name).toBe('does not answer');
    expect(farState(connectionOf()).name).toBe('none is looked for');
  });

  test('what can be ended, and what can be begun', () => {
    expect((['idle', 'refused'] as const).map((state) => isBegun({ state }))).toEqual([false, false]);
    expect((['up', 'asking', 'down', 'reconnecting'] as const).every((state) => isBegun({ state }))).toBe(true);
    expect([connectionsText(1), connectionsText(2)]).toEqual(['1 connection', '2 connections']);
    expect(targetsSearch(connectionOf({ host: 'me@login' }))).toBe('/ui/targets?q=ssh%3A%2F%2Fme%40login%2F');
  });
});

describe('prompts', () => {
  const hops = [hopOf('gate', 'me@10.0.0.1:22'), hopOf('login', "me@lo'gin:2222")];

  test('say where in the chain it is', () => {
    expect(placeText({ hops }, promptOf({ hop: 'gate' }))).toBe('hop 1 of 2');
    expect(placeText({ hops }, promptOf())).toBe('the host itself');
    expect(placeText({ hops: hops.slice(1) }, promptOf())).toBe('');
    expect(placeText({ hops }, promptOf({ hop: 'elsewhere' }))).toBe('');
  });

  test('a command to paste is one word for each name, whatever the names are', () => {
    expect(removeCommand(promptOf({ hop: 'gate', listed_as: '10.0.0.1' }), '/home/me/.ssh/known_hosts')).toBe(
      'ssh-keygen -R 10.0.0.1 -f /home/me/.ssh/known_hosts',
    );
    expect(removeCommand(promptOf({ listed_as: "[lo'gin]:2222" }), '/home/me/my hosts')).toBe(
      `ssh-keygen -R '[lo'\\''gin]:2222' -f '/home/me/my hosts'`,
    );
    expect(removeCommand(promptOf({ hop: '$(x)' }), 'k')).toBe("ssh-keygen -R '$(x)' -f k");
  });

  test('time that is left, and why one is gone', () => {
    expect([leftText(300_000), leftText(59_001), leftText(-5)]).toEqual(['5:00', '1:00', '0:00']);
    expect(goneText(promptOf({ expires: 10_000 }), 10_500)).toContain('in time');
    expect(goneText(promptOf({ expires: 10_000 }), 500)).toContain('somebody else');
  });
});

test('no line that a host says is taken for a line of the log', () => {
  const lines = [
    { time: 0, text: 'login: says: welcome\n1970-01-01T00:00:01.000Z bank: let me in' },
    { time: 2000, text: 'login: let me in' },
  ];
  const entries = logText(lines)
    .split('\n')
    .filter((line) => /^\d{4}-/.test(line));
  expect(entries).toEqual([
    '1970-01-01T00:00:00.000Z login: says: welcome',
    '1970-01-01T00:00:02.000Z login: let me in',
  ]);
  expect(logText(lines)).toContain('bank: let me in');
});

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { FIND_COMMAND, readLook } from '../../../../../src/engine/remote/engines/find.ts';
import { temporaryFolder } from '../../../../support/tmp.ts';

const run = (env: NodeJS.ProcessEnv): string =>
  execFileSync('/bin/sh', ['-c', FIND_COMMAND], { env: { PATH: process.env['PATH'], ...env }, encoding: 'utf8' });

test('a socket and the files of engines are found by any shell, in one line', async () => {
  expect(FIND_COMMAND).not.toMatch(/[\n!]/);
  expect(FIND_COMMAND.match(/'/g)).toHaveLength(2);
  const folder = temporaryFolder();
  const socket = join(folder, 'an engine.socket');
  const server = createServer().listen(socket);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const data = join(folder, 'share', 'vigie', hostname());
  mkdirSync(data, { recursive: true });
  const said = { socket, url: 'http://127.0.0.1:4711', token_file: join(data, 'token'), pid: 1 };
  writeFileSync(join(data, 'engine.json'), `${JSON.stringify(said)}\n`);
  const look = readLook(run({ HOME: folder, XDG_DATA_HOME: join(folder, 'share'), VIGIE_SOCKET: socket }));
  expect(look.host).toBe(hostname());
  // Of whoever runs this test, one may run, too.
  const own = look.found.filter(({ place }) => place.kind === 'port' || place.path === socket);
  expect(own).toEqual([
    { place: { kind: 'socket', path: socket }, tokenFile: said.token_file },
    { place: { kind: 'port', host: '127.0.0.1', port: 4711 }, tokenFile: said.token_file },
  ]);
});

test('where there is none, it is said; what a login shell prints around it does not matter', () => {
  const output = run({ HOME: '/nonexistent', VIGIE_SOCKET: '/nonexistent/engine.socket' }).replace(
    /^socket .*\n/gm,
    '',
  );
  const look = readLook(`Welcome!\r\nvigie-end\n${output}Bye\n`);
  expect([look.found, look.absent]).toEqual([[], expect.stringContaining('vigie serve')]);
  expect(readLook('This account is currently not available.\n').absent).toContain('no ordinary shell');
});

test('an address is one of the host itself, and a path is one', () => {
  const said = (file: unknown): string => `vigie-begin\nhost far\nfile ${JSON.stringify(file)}\nvigie-end\n`;
  const base = { socket: '/tmp/s', token_file: '/t' };
  for (const url of ['http://evil.example:80/', 'https://127.0.0.1:1', 'http://127.0.0.1/', 'unix:/x', 'nonsense', 7]) {
    expect([url, readLook(said({ ...base, url })).found.map(({ place }) => place.kind)]).toEqual([url, ['socket']]);
  }
  for (const socket of ['relative', '/a\nb', '', 7, `/${'x'.repeat(2000)}`]) {
    expect([socket, readLook(said({ ...base, socket })).found]).toEqual([socket, []]);
  }
});

test('nothing that is printed breaks it', () => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.array(fc.oneof(fc.string(), fc.constantFrom('vigie-begin', 'vigie-end', 'host ', 'file {}', 'socket /a'))),
      (noise, lines) => {
        const look = readLook([noise, ...lines].join('\n'));
        expect(look.found.length).toBeLessThanOrEqual(8);
      },
    ),
  );
});

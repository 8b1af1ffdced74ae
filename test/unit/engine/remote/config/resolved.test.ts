import { describe, expect, test } from 'vitest';
import { ConfigError } from '../../../../../src/engine/remote/config/error.ts';
import { parseJumps } from '../../../../../src/engine/remote/config/jumps.ts';
import { parsePrinted } from '../../../../../src/engine/remote/config/openssh.ts';
import { toResolved } from '../../../../../src/engine/remote/config/resolved.ts';
import type { ResolvedHost } from '../../../../../src/engine/remote/types.ts';

const env = { HOME: '/home/ada', AGENT: '/run/agent' };
const BASE = 'user ada\nhostname a.example.org\nport 22\nidentityfile ~/.ssh/id_rsa\nhostkeyalgorithms x,y\n';

function resolved(text: string): ResolvedHost {
  return toResolved({
    ...{ name: 'a', raw: parsePrinted(BASE + text), baseline: parsePrinted(BASE), resolvedBy: 'openssh' },
    ...{ home: '/home/ada', localUser: 'me', localHost: 'laptop.example.org', uid: 1000, env },
  });
}

describe('what ssh -G prints is expanded', () => {
  test('paths of keys', () => {
    const { identityFiles, identityFilesGiven } = resolved(
      'identityfile %d/%h-%n-%p-%r-%u-%i-%L-%l-%%\nidentityfile none\n',
    );
    expect(identityFiles).toEqual([
      '/home/ada/.ssh/id_rsa',
      '/home/ada/a.example.org-a-22-ada-me-1000-laptop-laptop.example.org-%',
    ]);
    expect(identityFilesGiven).toBe(true);
    expect(resolved('').identityFilesGiven).toBe(false);
    expect(resolved('').hostKeyAlgorithmsGiven).toBe(false);
  });

  test('what a variable brings is not expanded again', () => {
    expect(() => resolved('identityfile ${NOT_SET}/x\n')).toThrow(ConfigError);
    expect(resolved('identityfile ${HOME}/x\n').identityFiles[1]).toBe('/home/ada/x');
    expect(() => resolved('identityfile %y\n')).toThrow(ConfigError);
  });

  test('agents', () => {
    expect(resolved('').identityAgent).toBeUndefined();
    expect(resolved('identityagent SSH_AUTH_SOCK\n').identityAgent).toBeUndefined();
    expect(resolved('identityagent none\n').identityAgent).toBe('none');
    expect(resolved('identityagent $AGENT\n').identityAgent).toBe('/run/agent');
    expect(resolved('identityagent $NOT_SET\n').identityAgent).toBe('none');
    expect(resolved('identityagent /x/y z\n').identityAgent).toBe('/x/y z');
  });

  test('files with spaces in their names', () => {
    expect(resolved('userknownhostsfile /a b/c /d ~/e f\n').userKnownHostsFiles).toEqual([
      '/a b/c',
      '/d',
      '/home/ada/e f',
    ]);
    expect(resolved('userknownhostsfile none\n').userKnownHostsFiles).toEqual([]);
  });

  test('jumps keep commands out, and have tokens', () => {
    const host = resolved('proxyjump u@gw-%h:2200,[::1]:22\nproxycommand nc\n');
    expect(host.proxyJump).toEqual([
      { host: 'gw-a.example.org', user: 'u', port: 2200 },
      { host: '::1', port: 22 },
    ]);
    expect(host.proxyCommand).toBeUndefined();
  });

  test('a revoked keys file, times and switches', () => {
    const host = resolved('revokedhostkeys /x\nconnecttimeout none\nstricthostkeychecking false\ncompression yes\n');
    expect(host).toMatchObject({ revokedHostKeys: '/x', strictHostKeyChecking: 'no', compression: true });
    expect(host.connectTimeout).toBeUndefined();
    expect(resolved('stricthostkeychecking something-new\n').strictHostKeyChecking).toBe('yes');
  });
});

test.each([
  '',
  'a,',
  ',a',
  '@a',
  'a@',
  'a:0',
  'a:65536',
  'a:b',
  '::1',
  '[]',
  '[a',
  'a b',
  'a"b',
  `${'a,'.repeat(40)}a`,
])('%j is no list of jumps', (text) => {
  expect(() => parseJumps(text)).toThrow(ConfigError);
});

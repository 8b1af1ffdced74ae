/** Configurations as people have them: what we make of each equals what `ssh -G` prints. */

import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, type TestContext } from 'vitest';
import { ConfigError, UnclaimedError } from '../../../src/engine/remote/config/error.ts';
import { resolveFallback } from '../../../src/engine/remote/config/fallback.ts';
import { keywords } from '../../../src/engine/remote/config/keywords.ts';
import { configRoots, loadConfig } from '../../../src/engine/remote/config/load.ts';
import { createResolver } from '../../../src/engine/remote/config/resolve.ts';
import type { ResolvedHost } from '../../../src/engine/remote/types.ts';
import { requireComponent } from '../../support/components.ts';
import { temporaryFolder } from '../../support/tmp.ts';

const corpus = join(import.meta.dirname, 'config-corpus');
const files = readdirSync(corpus)
  .filter((file) => file.endsWith('.conf'))
  .toSorted();
const env = { ...process.env, VIGIE_CORPUS: '/corpus/of vigie' };
delete (env as Record<string, string | undefined>)['VIGIE_NOT_SET'];
/** Of our own reader: the algorithms and key files that it takes for OpenSSH's defaults are those of this version. */
const DEFAULTS_OF = 'OpenSSH_9.2';
const OF_VERSION = ['identityfile', ...Object.keys(keywords).filter((keyword) => keywords[keyword]!.kind === 'list')];

/** Below it: the corpus with `@DIR@` filled in. Only its owner may write, or OpenSSH refuses includes. */
function copyCorpus(): string {
  const folder = temporaryFolder();
  cpSync(join(corpus, 'includes'), join(folder, 'includes'), { recursive: true });
  mkdirSync(join(folder, 'conf'));
  for (const name of readdirSync(join(folder, 'includes'), { recursive: true, encoding: 'utf8' })) {
    const path = join(folder, 'includes', name);
    if (name === 'd') continue;
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll('@DIR@', folder));
    chmodSync(path, name === 'open' ? 0o666 : 0o644);
  }
  return folder;
}

interface Case {
  readonly hosts: readonly string[];
  readonly fallback: 'same' | 'refused' | 'unclaimed';
  readonly path: string;
}

function caseOf(file: string): Case {
  const folder = copyCorpus();
  let text = readFileSync(join(corpus, file), 'utf8').replaceAll('@DIR@', folder);
  const head = (name: string): string | undefined => new RegExp(`^# ${name}: (.*)$`, 'm').exec(text)?.[1];
  const [hosts, fallback, as] = [head('hosts')!.split(' '), head('fallback') as Case['fallback'], head('as')];
  if (as === 'crlf') text = text.replaceAll('\n', '\r\n');
  if (as === 'unterminated') text = text.trimEnd();
  if (as === 'byte-order-mark') text = `\uFEFF${text.split('\n').slice(3).join('\n')}`;
  const path = join(folder, 'conf', file);
  writeFileSync(path, text, { mode: 0o644 });
  return { hosts, fallback, path };
}

function partsOf(name: string): { user: string | undefined; host: string } {
  const at = name.indexOf('@');
  return { user: at < 0 ? undefined : name.slice(0, at), host: name.slice(at + 1) };
}

type Printed = ReadonlyMap<string, readonly string[]>;

/** What `ssh -G` prints, read here and not by what is tested; undefined: it refuses. */
function printed(ssh: string, path: string, name: string): Printed | undefined {
  const { user, host } = partsOf(name);
  const args = ['-G', '-F', path, ...(user === undefined ? [] : ['-l', user]), '--', host];
  const { status, stdout, stderr } = spawnSync(ssh, args, { env, encoding: 'utf8', timeout: 60_000 });
  if (status !== 0) {
    expect(stderr).not.toBe('');
    return undefined;
  }
  const map = new Map<string, string[]>();
  for (const line of stdout.trimEnd().split('\n')) {
    const [keyword, ...rest] = line.split(' ');
    map.set(keyword!, [...(map.get(keyword!) ?? []), rest.join(' ')]);
  }
  return map;
}

/** What our own reader says, in the form of `ssh -G`. */
async function readByUs(path: string, name: string): Promise<Printed> {
  const { user, host } = partsOf(name);
  const { homedir, username, uid } = userInfo();
  const loaded = await loadConfig(configRoots(homedir, path), homedir);
  return resolveFallback(loaded, {
    ...{ host, home: homedir, localUser: username, localHost: hostname(), uid, env },
    ...(user !== undefined && { user }),
  });
}

/** The fields of ours that stand in the output of `ssh -G` as they are, in its form. */
function asPrinted(host: ResolvedHost): Record<string, string | undefined> {
  const flag = (value: boolean): string => (value ? 'yes' : 'no');
  const jumps = host.proxyJump.map(({ host: name, user, port }) => {
    const bare = name.includes(':') ? `[${name}]` : name;
    return `${user === undefined ? '' : `${user}@`}${bare}${port === undefined ? '' : `:${port}`}`;
  });
  return {
    ...{ hostname: host.hostname, port: String(host.port), user: host.user, hostkeyalias: host.hostKeyAlias },
    // OpenSSH prints its tokens as they are, and expands them when it connects.
    proxyjump: jumps.length > 0 ? jumps.join(',').replace(`gw-${host.name}`, 'gw-%h') : undefined,
    proxycommand: host.proxyCommand,
    knownhostscommand: host.knownHostsCommand,
    bindaddress: host.bindAddress,
    addressfamily: host.addressFamily,
    serveraliveinterval: String(host.serverAliveInterval),
    serveralivecountmax: String(host.serverAliveCountMax),
    numberofpasswordprompts: String(host.numberOfPasswordPrompts),
    identitiesonly: flag(host.identitiesOnly),
    batchmode: flag(host.batchMode),
    compression: flag(host.compression),
    tcpkeepalive: flag(host.tcpKeepAlive),
    hashknownhosts: flag(host.hashKnownHosts),
    passwordauthentication: flag(host.passwordAuthentication),
    kbdinteractiveauthentication: flag(host.kbdInteractiveAuthentication),
    gssapiauthentication: flag(host.gssapiAuthentication),
    hostbasedauthentication: flag(host.hostbasedAuthentication),
    addkeystoagent: host.addKeysToAgent,
    ciphers: host.ciphers.join(','),
    macs: host.macs.join(','),
    kexalgorithms: host.kexAlgorithms.join(','),
    hostkeyalgorithms: host.hostKeyAlgorithms.join(','),
    pubkeyacceptedalgorithms: host.pubkeyAcceptedAlgorithms.join(','),
    userknownhostsfile: host.userKnownHostsFiles.join(' ') || 'none',
    globalknownhostsfile: host.globalKnownHostsFiles.join(' ') || 'none',
    stricthostkeychecking: { yes: 'true', no: 'false', ask: 'ask', 'accept-new': 'accept-new' }[
      host.strictHostKeyChecking
    ],
  };
}

function sshOf(context: TestContext): { ssh: string; comparable: string[] } {
  const ssh = requireComponent('ssh', context);
  const version = spawnSync(ssh, ['-V'], { encoding: 'utf8' }).stderr;
  const all = Object.keys(keywords);
  return { ssh, comparable: version.includes(DEFAULTS_OF) ? all : all.filter((one) => !OF_VERSION.includes(one)) };
}

test('the corpus has at least 60 configurations', () => {
  expect(files.length).toBeGreaterThanOrEqual(60);
});

describe('a configuration is resolved as ssh -G resolves it', () => {
  test.for(files)('%s', async (file, context) => {
    const { ssh, comparable } = sshOf(context);
    const { hosts, fallback, path } = caseOf(file);
    const ours = createResolver({ configFile: path, env, ssh, allow: async () => true });
    const own = createResolver({ configFile: path, env, ssh: null, allow: async () => true });
    for (const name of hosts) {
      const truth = printed(ssh, path, name);
      if (fallback === 'refused') {
        expect(truth, name).toBeUndefined();
        await expect(ours(name), name).rejects.toThrow(ConfigError);
        await expect(own(name), name).rejects.toThrow(ConfigError);
        continue;
      }
      expect(truth, name).toBeDefined();
      const resolved = await ours(name);
      for (const [keyword, value] of Object.entries(asPrinted(resolved))) {
        expect(value, `${name}: ${keyword}`).toBe(truth!.get(keyword)?.[0]?.replaceAll('ssh://', ''));
      }
      expect(resolved.identityFiles).toHaveLength(truth!.get('identityfile')!.filter((one) => one !== 'none').length);
      if (fallback === 'unclaimed') {
        await expect(own(name), name).rejects.toThrow(UnclaimedError);
        continue;
      }
      const read = await readByUs(path, name);
      for (const keyword of comparable) {
        const value = keywords[keyword]!.kind === 'line' ? [read.get(keyword)!.join(' ')] : read.get(keyword);
        expect(value, `${name}: ${keyword}`).toEqual(truth!.get(keyword));
      }
      const alike: Partial<ResolvedHost> = comparable.includes('ciphers')
        ? {}
        : {
            identityFiles: [],
            hostKeyAlgorithms: [],
            kexAlgorithms: [],
            ciphers: [],
            macs: [],
            pubkeyAcceptedAlgorithms: [],
          };
      expect({ ...(await own(name)), ...alike }).toEqual({ ...resolved, ...alike, resolvedBy: 'fallback' });
    }
  });
});

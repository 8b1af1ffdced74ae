/**
 * What a child `ssh` is started with. Who may log in, where and how is the configuration's; what would run, forward or stay
 * behind by itself is switched off, of the host and of the hops on its way: nobody asked this engine for it.
 */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import type { ResolvedHost } from '../types.ts';
import { SshFailure } from './failure.ts';
import { cleanText } from './prompts.ts';

// oxlint-disable-next-line no-control-regex -- they are what is refused
const SAFE_NAME = /^[^\s\u0000-\u001f\u007f'"`$;&|<>\\(){}*?!#,-][^\s\u0000-\u001f\u007f'"`$;&|<>\\(){}*?!#,]*$/u;

/** @throws {SshFailure} For a name that a shell or ssh would take for something else. */
export function checkedName(host: ResolvedHost): string {
  for (const text of [host.name, host.user]) {
    if (!SAFE_NAME.test(text)) {
      throw new SshFailure('unsupported', 'tcp', host.name, `${cleanText(host.name)}: ssh is not given such a name`);
    }
  }
  return host.name;
}

type Option = readonly [name: string, value: string];

const NOTHING_BY_ITSELF: readonly Option[] = [
  ['PermitLocalCommand', 'no'],
  ['RemoteCommand', 'none'],
  ['ClearAllForwardings', 'yes'],
  ['ForwardAgent', 'no'],
  ['ForwardX11', 'no'],
  ['Tunnel', 'no'],
  ['UpdateHostKeys', 'no'],
  ['RequestTTY', 'no'],
  ['ControlPersist', 'no'],
];

const asArguments = (options: readonly Option[]): string[] =>
  options.flatMap(([name, value]) => ['-o', `${name}=${value}`]);

/** For the user's shell, whichever it is: all of them take single quotes. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

const versions = new Map<string, Promise<boolean>>();

/** Whether it knows `ForkAfterAuthentication` (8.7): one that goes into the background would live on behind us. */
function mayFork(ssh: string): Promise<boolean> {
  const known = versions.get(ssh);
  if (known) return known;
  const asked = promisify(execFile)(ssh, ['-V'], { timeout: 10_000 }).then(
    ({ stdout, stderr }) => {
      const [, major, minor] = /OpenSSH\w*?_(\d+)\.(\d+)/.exec(`${stderr}${stdout}`) ?? [];
      return Number(major) > 8 || (Number(major) === 8 && Number(minor) >= 7);
    },
    () => false,
  );
  versions.set(ssh, asked);
  return asked;
}

export interface ChildWay {
  /** Path of the user's ssh. */
  readonly ssh: string;
  readonly host: ResolvedHost;
  /** Hops before it, ours first: the child goes all the way itself. */
  readonly before: readonly ResolvedHost[];
}

interface MasterFiles {
  /** Its socket. */
  readonly control: string;
  /** Keys that are accepted of a hop, counted from 0, land there. */
  readonly known: (hop: number) => string;
  /** The program by which the ssh of a hop asks. */
  readonly askpass: (hop: number) => string;
}

/** Whoever wants to keep a key has it written where the built-in SSH would; ssh itself writes to the first file. */
const knownHosts = (host: ResolvedHost, accepted: string): Option => [
  'UserKnownHostsFile',
  [accepted, ...host.userKnownHostsFiles].map((file) => `"${file.replaceAll('%', '%%')}"`).join(' '),
];

/** @throws {SshFailure} For names that ssh is not given. */
export async function masterArguments({ ssh, host, before }: ChildWay, files: MasterFiles): Promise<string[]> {
  const quiet: Option[] = [
    ...NOTHING_BY_ITSELF,
    ...((await mayFork(ssh)) ? [['ForkAfterAuthentication', 'no'] as const] : []),
  ];
  const options: Option[] = [
    ['ControlMaster', 'yes'],
    ...quiet,
    ['LogLevel', 'INFO'],
    knownHosts(host, files.known(before.length)),
    ...(host.serverAliveInterval > 0 ? [] : [['ServerAliveInterval', '15'] as const]),
    ...(host.connectTimeout === undefined ? [['ConnectTimeout', '20'] as const] : []),
  ];
  return [
    ...configOf(host),
    ...['-N', '-T', '-S', files.control, ...asArguments(options)],
    ...wayThrough(ssh, before, quiet, files),
    ...['-l', host.user, '-p', String(host.port), '--', checkedName(host)],
  ];
}

const configOf = ({ configFile }: ResolvedHost): string[] => (configFile === undefined ? [] : ['-F', configFile]);

/**
 * As `-J`, which would start an ssh for each hop that has none of these options. A hop's own way is its configuration's
 * when it is the first.
 */
function wayThrough(
  ssh: string,
  hops: readonly ResolvedHost[],
  quiet: readonly Option[],
  files: MasterFiles,
): string[] {
  const hop = hops.at(-1);
  if (hop === undefined) return [];
  const at = hops.length - 1;
  const options: Option[] = [['ControlMaster', 'no'], ...quiet, knownHosts(hop, files.known(at))];
  const words = [
    ...['env', `SSH_ASKPASS=${files.askpass(at)}`, ssh, ...configOf(hop), ...asArguments(options)],
    ...wayThrough(ssh, hops.slice(0, -1), quiet, files),
    ...['-l', hop.user, '-p', String(hop.port)],
  ];
  // ssh puts in its %h and %p, and nothing else of ours; it puts `exec` before it.
  const command = words.map((word) => quoted(word.replaceAll('%', '%%'))).join(' ');
  return ['-o', `ProxyCommand=${command} -W '[%h]:%p' -- ${quoted(checkedName(hop).replaceAll('%', '%%'))}`];
}

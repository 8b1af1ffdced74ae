/** All sessions of an engine, by the user's own configuration and known hosts. */

import { findSsh } from '../config/openssh.ts';
import { createResolver } from '../config/resolve.ts';
import { KnownHosts } from '../known-hosts.ts';
import type { ConnectionPrompter, HostKeys, ResolvedHost, ResolveHost, Session, Sessions } from '../types.ts';
import type { Backoff } from './backoff.ts';
import type { Timeouts } from './phases.ts';
import { SshSession } from './session.ts';

export interface SessionsOptions {
  /** Instead of `~/.ssh/config` and the system's file. */
  readonly configFile?: string;
  /** Default: of this process. */
  readonly env?: NodeJS.ProcessEnv;
  /** Path of the user's ssh; null: none is used. Default: where PATH has it. */
  readonly ssh?: string | null;
  readonly timeouts?: Partial<Timeouts>;
  readonly backoff?: Backoff;
  /** Wall clock, ms since the epoch. */
  readonly now?: () => number;
}

function hostKeysFor({
  userKnownHostsFiles: user,
  globalKnownHostsFiles: global,
  hashKnownHosts,
}: ResolvedHost): HostKeys {
  return new KnownHosts({ user, global, hash: hashKnownHosts });
}

export async function openSshSessions(options: SessionsOptions = {}): Promise<Sessions> {
  const { env = process.env, configFile, timeouts = {}, backoff, now } = options;
  const ssh = options.ssh === undefined ? await findSsh(env) : (options.ssh ?? undefined);
  const open = new Set<SshSession>();
  // A program of the configuration that was allowed once is not asked for again while the engine runs.
  const allowed = new Set<string>();
  const resolveFor = (prompter: ConnectionPrompter, signal: AbortSignal): ResolveHost =>
    createResolver({
      ...{ env, allowed, signal, ssh: ssh ?? null },
      ...(configFile === undefined ? {} : { configFile }),
      allow: (asks, host) => {
        const lines = asks.map(
          ({ file, line, what, text }) => `${what}: ${text}${file === '' ? '' : ` (${file}:${line})`}`,
        );
        const title = `May the ssh configuration run these for ${host}?`;
        return prompter.allow({ title, text: lines.join('\n') }, signal);
      },
    });
  return {
    open(host: string, prompter: ConnectionPrompter): Session {
      const session = new SshSession({
        ...{ host, prompter, resolveFor, hostKeysFor, env, timeouts, ssh },
        ...(backoff === undefined ? {} : { backoff }),
        ...(now === undefined ? {} : { now }),
      });
      open.add(session);
      session.onState(() => session.state === 'closed' && open.delete(session));
      return session;
    },
    async close() {
      await Promise.all([...open].map((session) => session.close()));
    },
  };
}

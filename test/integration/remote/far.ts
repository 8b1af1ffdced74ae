/** A host behind real sshd that an engine is put on: its user has a home, and nothing of it is left after the test. */

import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { Connection, ConnectionList, type EngineAction, type EngineWork } from '../../../src/shared/api/connections.ts';
import { openSshSessions } from '../../../src/engine/remote/session/sessions.ts';
import { alive } from '../../support/processes.ts';
import { SshSite, type Sshd } from '../../support/sshd.ts';
import { eventually } from '../../support/wait.ts';
import { startHere, type Here } from '../http/here.ts';
import { send } from '../targets/support.ts';
import { connectionOf } from './support.ts';

export class Far {
  readonly site = new SshSite();
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  /** Programs that come before those of the system. */
  readonly tools: string;
  #config = '';

  /** `passphrase`: of the user's key, which the login then asks for. `atEnd`: when nothing of it is needed any more. */
  constructor(passphrase = '', atEnd: (close: () => Promise<void>) => void = onTestFinished) {
    this.site.authorize(this.site.key('user', { passphrase }));
    [this.uid, this.gid] = ['-u', '-g'].map((option) => Number(execFileSync('id', [option, this.site.user]))) as [
      number,
      number,
    ];
    this.home = this.site.file('home');
    this.tools = this.site.file('tools');
    mkdirSync(this.tools, { mode: 0o755 });
    mkdirSync(this.home);
    this.own(this.home);
    // A number that a user of another test had.
    this.#clean();
    atEnd(async () => {
      await this.site.close();
      this.#clean();
    });
  }

  /** File of the configuration that leads there. */
  get config(): string {
    return this.#config;
  }

  own(path: string): void {
    chownSync(path, this.uid, this.gid);
  }

  get folder(): string {
    return `/tmp/vigie-remote-${this.uid}`;
  }

  /** Everything in /tmp that is of this user. */
  left(): string[] {
    const names = [`vigie-remote-${this.uid}`, `vigie-${this.uid}`, `metric-proxy-${this.uid}.socket`];
    return names.map((name) => `/tmp/${name}`).filter((path) => existsSync(path));
  }

  #clean(): void {
    const pid = this.pid();
    if (pid !== null && alive(pid)) process.kill(pid, 'SIGKILL');
    for (const path of this.left()) rmSync(path, { recursive: true, force: true });
  }

  /** Of the engine that was started in the usual folder, or another one; null: none is. */
  pid(folder = this.folder): number | null {
    try {
      return Number(readFileSync(join(folder, 'run', 'pid'), 'utf8').split(' ')[0]);
    } catch {
      return null;
    }
  }

  /** A program of this name says something else over there than it should. */
  fake(name: string, script: string): void {
    const file = join(this.tools, name);
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
  }

  /** Over there, only these programs of the system are found besides the fakes. */
  only(...names: string[]): void {
    for (const name of names) {
      const found = execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
      if (found.startsWith('/')) symlinkSync(found, join(this.tools, name));
    }
  }

  /** `isBare`: nothing but what is in `tools` is in PATH over there. */
  sshd(isBare = false): Promise<Sshd> {
    const path = isBare ? this.tools : `${this.tools}:/usr/local/bin:/usr/bin:/bin`;
    return this.site.sshd({
      lines: [`SetEnv HOME=${this.home} XDG_DATA_HOME=${this.home}/.local/share PATH=${path}`],
    });
  }

  /** The last one is `login`; those before it are the hops. */
  configure(...servers: Sshd[]): void {
    this.#config ||= this.site.file();
    const lines = servers.flatMap((server, i) => [
      `Host ${i === servers.length - 1 ? 'login' : `hop${i}`}`,
      ...[`Port ${server.port}`, ...(i === 0 ? [] : [`ProxyJump hop${i - 1}`])],
    ]);
    writeFileSync(
      this.#config,
      [
        ...[
          ...lines,
          'Host *',
          'HostName 127.0.0.1',
          `User ${this.site.user}`,
          `IdentityFile ${this.site.file('user')}`,
        ],
        ...['IdentitiesOnly yes', 'IdentityAgent none', 'UserKnownHostsFile none', 'GlobalKnownHostsFile none'],
        ...['StrictHostKeyChecking no', ''],
      ].join('\n'),
    );
  }

  /** An engine here, and its connection to `login`. */
  async near(data?: string): Promise<{ here: Here; id: string }> {
    const sessions = await openSshSessions({ configFile: this.#config, backoff: { first: 50, most: 500 } });
    const settings = { node: false, ...(data === undefined ? {} : { data }) };
    const here = await startHere(settings, undefined, undefined, { sessions });
    const { connections } = ConnectionList.parse((await send(here, 'GET', '/connections')).json());
    const known = connections[0];
    if (known) return { here, id: known.id };
    const answer = await send(here, 'POST', '/connections', { host: 'login', connect: false });
    return { here, id: Connection.parse(answer.json()).id };
  }
}

export async function begin(here: Here, id: string, action: EngineAction | 'cancel', given?: object): Promise<void> {
  const body = action === 'cancel' ? undefined : (given ?? {});
  const answer = await send(here, 'POST', `/connections/${id}/engine/${action}`, body);
  if (answer.status >= 300) throw new Error(`${answer.status}: ${answer.body}`);
}

export async function ended(here: Here, id: string): Promise<Connection & { work: EngineWork }> {
  return eventually(
    async () => {
      const connection = await connectionOf(here, id);
      const { work } = connection;
      return work !== null && work.state !== 'running' ? { ...connection, work } : undefined;
    },
    { timeout: 240_000 },
  );
}

/** Begins it, and waits for its end. */
export async function done(here: Here, id: string, action: EngineAction, given?: object) {
  await begin(here, id, action, given);
  return ended(here, id);
}

/** State of each step, by its name. */
export const steps = (work: EngineWork): Record<string, string> =>
  Object.fromEntries(work.steps.map(({ name, state }) => [name, state]));

/** What the step that failed says. */
export const failure = (work: EngineWork): string =>
  work.steps.flatMap(({ name, state, reason }) => (state === 'failed' ? [`${name}: ${reason}`] : [])).join();

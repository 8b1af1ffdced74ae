/**
 * The order in which one host is convinced, as OpenSSH does it: `none` to hear what it takes; then each method of
 * PreferredAuthentications that it still takes, until that one is exhausted. A part of the way in (`partial success`)
 * starts the order anew with what is left.
 */

import ssh2, { type AnyAuthMethod, type Prompt } from 'ssh2';

import type { ResolvedHost } from '../types.ts';
import { SshFailure } from './failure.ts';
import type { Identities, OfferedKey } from './identities.ts';
import type { ConnectionLog } from './log.ts';
import type { PhaseClock } from './phases.ts';
import { cleanText, type Hop, type Prompter, type Question } from './prompts.ts';

/** A host that asks for more at once, or for ever, is none that a person can answer. */
const MOST_PROMPTS = 64;
const MOST_ROUNDS = 32;
/** Parts of a way in: a host that finds one part after the other right, without an end, plays with us. */
const MOST_PARTS = 8;

export interface AuthOptions {
  readonly host: ResolvedHost;
  readonly hop: Hop;
  readonly identities: Identities;
  readonly prompter: Prompter;
  readonly clock: PhaseClock;
  readonly log: ConnectionLog;
  readonly signal: AbortSignal;
  /** The user's own `ssh` can go on with what the built-in one cannot do. */
  readonly mayHandOver: boolean;
  /** Ends the attempt: cancelled by a person, handed over. */
  readonly fail: (failure: SshFailure) => void;
}

/** One key as an agent of its own: ssh2 offers it, and asks for a signature only when the host would take it. */
class OneKeyAgent extends ssh2.BaseAgent {
  readonly #key: OfferedKey;
  readonly #blob: Buffer;
  readonly #options: AuthOptions;

  constructor(key: OfferedKey, blob: Buffer, options: AuthOptions) {
    super();
    this.#key = key;
    this.#blob = blob;
    this.#options = options;
  }

  getIdentities(answer: (error: Error | undefined, keys?: Buffer[]) => void): void {
    answer(undefined, [this.#blob]);
  }

  sign(_key: unknown, data: Buffer, options: unknown, answer?: (error?: Error, signature?: Buffer) => void): void {
    const { clock, signal, log, host } = this.#options;
    const hash = (options as { hash?: string } | undefined)?.hash;
    log.add(host.name, `it would take ${this.#key.label}`);
    // An agent may ask its user, a file for its passphrase: the host's clock stands meanwhile.
    clock.pausedFor(this.#key.sign(data, hash, signal)).then(
      (signature) => answer?.(undefined, signature),
      (error: Error) => {
        log.add(host.name, `${this.#key.label} is left out: ${error.message}`);
        answer?.(error);
      },
    );
  }
}

export class Authentication {
  /** Changed host key, not checked: OpenSSH then gives away nothing that could be used elsewhere. */
  withoutSecrets = false;
  readonly #options: AuthOptions;
  readonly #keys: OfferedKey[] = [];
  #left: readonly string[] | null = null;
  #asked = new Map<string, number>();
  #rounds = 0;
  #parts = 0;
  #trying = '';
  #passed: OfferedKey | null = null;
  #current: OfferedKey | null = null;

  constructor(options: AuthOptions) {
    this.#options = options;
    this.#keys.push(...options.identities.keys);
  }

  /** What the host takes, as far as it said. */
  get taken(): readonly string[] {
    return this.#left ?? [];
  }

  hear(left: readonly string[], partial: boolean): void {
    this.#left = left;
    const { log, host, fail } = this.#options;
    if (!partial) {
      // Of a key nothing is said: there are many, and the one that it takes is told.
      if (this.#trying === 'password' || this.#trying === 'keyboard-interactive') {
        log.add(host.name, `${this.#trying} is not accepted`);
      }
      return;
    }
    if (++this.#parts > MOST_PARTS) {
      const words = `${host.name}: accepts one answer after the other, and wants more each time`;
      return fail(new SshFailure('protocol', 'authentication', host.name, words));
    }
    log.add(host.name, `${this.#trying} is accepted; it wants ${left.join(' or ')} besides`);
    this.#passed = this.#current;
    this.#asked = new Map();
    this.#keys.splice(0, Infinity, ...this.#options.identities.keys.filter((key) => key !== this.#passed));
  }

  /** What to try next; false: nothing is left. */
  async next(): Promise<AnyAuthMethod | false> {
    const { host, log } = this.#options;
    const username = host.user;
    if (this.#left === null) {
      this.#left = [];
      return { type: 'none', username };
    }
    for (const method of host.preferredAuthentications) {
      if (!this.#left.includes(method)) continue;
      const attempt = await this.#attempt(method, username);
      // Cancelled or handed over meanwhile: nobody is asked for more.
      if (this.#options.signal.aborted) return false;
      if (attempt === null) continue;
      this.#trying = method;
      log.add(host.name, `trying ${method}`);
      return attempt;
    }
    return false;
  }

  async #attempt(method: string, username: string): Promise<AnyAuthMethod | null> {
    if (method === 'publickey') return this.#publicKey(username);
    if (method === 'password' && this.#options.host.passwordAuthentication) return this.#password(username);
    if (method === 'keyboard-interactive' && this.#options.host.kbdInteractiveAuthentication) {
      return this.#interactive(username);
    }
    return null;
  }

  async #publicKey(username: string): Promise<AnyAuthMethod | null> {
    const { log, host, signal, clock, identities, mayHandOver } = this.#options;
    for (let key = this.#keys.shift(); key !== undefined; key = this.#keys.shift()) {
      const { label } = key;
      try {
        const blob = await clock.pausedFor(key.blob(signal));
        if (blob === null) continue;
        log.add(host.name, `offering ${label}`);
        this.#current = key;
        return { type: 'agent', username, agent: new OneKeyAgent(key, blob, this.#options) };
      } catch (error) {
        log.add(host.name, `${label} is left out: ${(error as Error).message}`);
      }
    }
    this.#current = null;
    // Before anybody is asked for a password: `ssh` would have used them before, too.
    if (mayHandOver && identities.hardware.length > 0) {
      const words = `${host.name}: takes keys, and ${identities.hardware.join(', ')} can be used by ssh only`;
      this.#options.fail(new SshFailure('unsupported', 'authentication', host.name, words));
    }
    return null;
  }

  /** How often a method was asked for in vain; null: not again. */
  #again(method: string): number | null {
    const { host } = this.#options;
    const failed = this.#asked.get(method) ?? 0;
    if (host.batchMode || this.withoutSecrets || failed >= host.numberOfPasswordPrompts) return null;
    this.#asked.set(method, failed + 1);
    return failed;
  }

  async #password(username: string): Promise<AnyAuthMethod | null> {
    const failed = this.#again('password');
    if (failed === null) return null;
    const { host } = this.#options;
    const title = `Password of ${host.user} on ${host.name}`;
    const answers = await this.#ask({
      kind: 'password',
      title,
      instruction: '',
      fields: [{ text: 'Password', echo: false }],
      failed,
      keep: `password ${host.user}@${host.hostname}:${host.port}`,
    });
    return answers === null ? null : { type: 'password', username, password: answers[0] ?? '' };
  }

  #interactive(username: string): AnyAuthMethod | null {
    const failed = this.#again('keyboard-interactive');
    if (failed === null) return null;
    const { host, fail } = this.#options;
    const prompt = (
      name: string,
      instruction: string,
      _lang: string,
      prompts: Prompt[],
      finish: (answers: string[]) => void,
    ): void => {
      if (prompts.length > MOST_PROMPTS || ++this.#rounds > MOST_ROUNDS) {
        const words = `${host.name}: asks more questions than a person can answer`;
        return fail(new SshFailure('protocol', 'authentication', host.name, words));
      }
      const said = [name, instruction].map(cleanText).filter((text) => text !== '');
      void this.#ask({
        kind: 'interactive',
        title: `${host.name} asks ${host.user}`,
        instruction: said.join('\n'),
        fields: prompts.map((one) => ({ text: cleanText(one.prompt), echo: one.echo === true })),
        failed,
      }).then((answers) => {
        if (answers !== null) finish([...answers]);
      });
    };
    return { type: 'keyboard-interactive', username, prompt };
  }

  /** null: cancelled, and the attempt has ended. */
  async #ask(question: Omit<Question, keyof Hop>): Promise<readonly string[] | null> {
    const { prompter, hop, host, log, clock, signal, fail } = this.#options;
    let answers: readonly string[] | null;
    try {
      answers = await clock.pausedFor(prompter.ask({ ...hop, ...question }, signal));
    } catch (error) {
      const words = `${host.name}: nobody could be asked: ${(error as Error).message}`;
      fail(new SshFailure('cancelled', 'authentication', host.name, words, { cause: error }));
      return null;
    }
    if (answers === null || answers.length !== question.fields.length) {
      fail(new SshFailure('cancelled', 'authentication', host.name, `${host.name}: cancelled`));
      return null;
    }
    answers.forEach((answer, i) => question.fields[i]?.echo === false && log.hide(answer));
    return answers;
  }

  /** Why nothing is left to try. */
  exhausted(): SshFailure {
    const { host, identities } = this.#options;
    const takes = this.taken.length === 0 ? 'nothing' : this.taken.join(', ');
    const only = this.taken.filter((method) => !['publickey', 'password', 'keyboard-interactive'].includes(method));
    const gssapi = host.gssapiAuthentication && only.some((method) => method.startsWith('gssapi'));
    if (gssapi || (host.hostbasedAuthentication && only.includes('hostbased'))) {
      const words = `${host.name}: takes ${only.join(', ')}, which ssh only can do`;
      return new SshFailure('unsupported', 'authentication', host.name, words);
    }
    const tried = identities.keys.length === 1 ? 'one key was offered' : `${identities.keys.length} keys were offered`;
    const words = `${host.name}: did not let ${host.user} in. It takes ${takes}; ${tried}`;
    return new SshFailure('refused', 'authentication', host.name, [words, ...identities.problems].join('; '));
  }
}

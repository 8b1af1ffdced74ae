/** The desktop's keyring as the engine sees it: questions to the main process, and its answers. */

import type { Keyring } from '../engine/remote/secrets.ts';
import type { KeyringAnswer, KeyringAsk } from '../shared/host.ts';

/** The person may have to open their keyring first, ms. */
const ANSWER_WITHIN = 120_000;

type Question = KeyringAsk extends infer Ask ? (Ask extends KeyringAsk ? Omit<Ask, 'type' | 'id'> : never) : never;

export class MainKeyring implements Keyring {
  readonly #send: (ask: KeyringAsk) => void;
  readonly #waiting = new Map<number, (answer: KeyringAnswer) => void>();
  #next = 1;

  constructor(send: (ask: KeyringAsk) => void) {
    this.#send = send;
  }

  /** The main process has answered. */
  take(answer: KeyringAnswer): void {
    this.#waiting.get(answer.id)?.(answer);
  }

  #ask(question: Question): Promise<KeyringAnswer> {
    const id = this.#next++;
    return new Promise((resolve) => {
      const end = (answer: KeyringAnswer): void => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(answer);
      };
      const late = { type: 'keyring', id, problem: 'the desktop did not answer', names: [], secret: null } as const;
      const timer = setTimeout(() => end({ ...late, names: [] }), ANSWER_WITHIN);
      timer.unref();
      this.#waiting.set(id, end);
      this.#send({ ...question, type: 'keyring', id });
    });
  }

  async problem(): Promise<string | null> {
    return (await this.#ask({ ask: 'problem' })).problem;
  }

  async names(): Promise<readonly string[]> {
    return (await this.#ask({ ask: 'names' })).names;
  }

  async get(name: string): Promise<string | null> {
    return (await this.#ask({ ask: 'get', name })).secret;
  }

  async put(name: string, secret: string): Promise<string | null> {
    return (await this.#ask({ ask: 'put', name, secret })).problem;
  }

  async forget(names: readonly string[]): Promise<void> {
    await this.#ask({ ask: 'forget', names: [...names] });
  }
}

/**
 * Where connections ask and people answer. A prompt is there until it is answered, cancelled, too old, or not needed any
 * more. Answers go to whoever asked and nowhere else: they are never kept, logged or told.
 */

import { randomBytes } from 'node:crypto';
import { PROMPT_WITHIN, type Prompt, type PromptAnswer } from '../../shared/api/connections.ts';
import { ApiError } from '../../shared/errors.ts';
import type { Question, TrustQuestion } from './session/prompts.ts';
import type { KeptSecrets } from './secrets.ts';
import type { ConnectionPrompter, KeyWarning } from './types.ts';
import { plainText } from './words.ts';

/** Prompts that one connection may have open: more are of a host that plays with us. */
const MOST_OF_ONE = 8;
const MAX_TITLE = 200;
const MAX_TEXT = 4000;
const MAX_LABEL = 400;
const MAX_FIELDS = 32;

interface Open {
  readonly prompt: Prompt;
  /** Gives the answer on; null: cancelled. */
  readonly settle: (answer: PromptAnswer | null) => void;
}

export interface DeskOptions {
  /** Wall clock, ms since the epoch. */
  readonly now: () => number;
  /** What is asked is another. */
  readonly changed: () => void;
  /** Default {@link PROMPT_WITHIN}, ms. */
  readonly within?: number;
  /** Absent: no answer is kept. */
  readonly secrets?: KeptSecrets;
}

type Shown = Omit<Prompt, 'id' | 'expires' | 'connection'>;

export class PromptsDesk {
  readonly #options: DeskOptions;
  /** Oldest first. */
  readonly #open = new Map<string, Open>();
  /** Grows with each change. */
  version = 0;

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  list(): Prompt[] {
    return Array.from(this.#open.values(), ({ prompt }) => prompt);
  }

  /** Connections that a person is asked for. */
  isAsking(connection: string): boolean {
    return this.list().some((prompt) => prompt.connection === connection);
  }

  /** What one connection asks with. `connection`'s host is said by us: a hop cannot give another name for it. */
  prompter(connection: string, host: string): ConnectionPrompter {
    return {
      ask: (question, signal) => this.#ask(connection, host, question, signal),
      trust: async (question, signal) => {
        const answer = await this.#put(connection, trustShown(host, question), signal);
        if (answer?.action !== 'trust') return 'no';
        return answer.keep ? 'always' : 'once';
      },
      allow: async ({ title, text }, signal) => {
        const shown = { title: plainText(title, MAX_TITLE), text: plainText(text, MAX_TEXT) };
        const answer = await this.#put(
          connection,
          { host, hop: host, kind: 'allow-exec', ...shown, fields: [] },
          signal,
        );
        return answer?.action === 'allow';
      },
      refused: (warning) => {
        const shown = warningShown(host, warning);
        // The next attempt says the same again.
        for (const { prompt, settle } of this.#of(connection)) {
          if (prompt.kind === 'changed-warning' && prompt.hop === shown.hop) settle(null);
        }
        this.#put(connection, shown, null).catch(() => undefined);
      },
    };
  }

  async #ask(
    connection: string,
    host: string,
    question: Question,
    signal: AbortSignal,
  ): Promise<readonly string[] | null> {
    const { secrets } = this.#options;
    const shown = questionShown(host, question);
    if (secrets === undefined || question.keep === undefined || question.fields.length !== 1) {
      const answer = await this.#put(connection, shown, signal);
      return answer?.action === 'answer' ? answer.answers : null;
    }
    const name = secrets.nameOf(connection, question.keep);
    // What was given in vain is wrong, whoever gave it.
    if (question.failed > 0) await secrets.reject(connection, name);
    const kept = question.failed > 0 ? null : await secrets.find(name);
    signal.throwIfAborted();
    if (kept !== null) return [kept];
    const answer = await this.#put(connection, { ...shown, keep: await secrets.place() }, signal);
    if (answer?.action !== 'answer') return null;
    if (answer.keep === true) secrets.hold(connection, name, answer.answers[0] ?? '');
    return answer.answers;
  }

  /** Errors: `prompt_not_found` when it is over, `bad_request` when the answer is none to this question. */
  answer(id: string, answer: PromptAnswer): void {
    const open = this.#open.get(id);
    if (!open)
      throw new ApiError(
        'prompt_not_found',
        'it was answered, was cancelled, or took too long; look at what is asked now',
      );
    const refused = refuse(open.prompt, answer);
    if (refused !== null) throw new ApiError('bad_request', refused);
    open.settle(answer.action === 'cancel' ? null : answer);
    if (answer.action !== 'trust') return;
    // Several connections by way of one host show the same key of it at once.
    for (const { prompt, settle } of [...this.#open.values()]) if (isSameKey(prompt, open.prompt)) settle(answer);
  }

  /** Of one connection, or of all. */
  cancel(connection: string | null = null): void {
    for (const { settle } of connection === null ? [...this.#open.values()] : this.#of(connection)) settle(null);
  }

  #of(connection: string): Open[] {
    return [...this.#open.values()].filter(({ prompt }) => prompt.connection === connection);
  }

  #put(connection: string, shown: Shown, signal: AbortSignal | null): Promise<PromptAnswer | null> {
    signal?.throwIfAborted();
    if (this.#of(connection).length >= MOST_OF_ONE) return Promise.resolve(null);
    const { now, changed, within = PROMPT_WITHIN } = this.#options;
    const id = randomBytes(12).toString('hex');
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', leave);
        this.#open.delete(id);
        this.version++;
        changed();
      };
      const settle = (answer: PromptAnswer | null): void => {
        end();
        resolve(answer);
      };
      const leave = (): void => {
        end();
        reject(signal?.reason as Error);
      };
      const timer = setTimeout(() => settle(null), within);
      timer.unref();
      signal?.addEventListener('abort', leave);
      this.#open.set(id, { prompt: { ...shown, id, connection, expires: now() + within }, settle });
      this.version++;
      changed();
    });
  }
}

const isSameKey = (a: Prompt, b: Prompt): boolean =>
  a.kind === 'trust' &&
  b.kind === 'trust' &&
  a.hop === b.hop &&
  a.key?.type === b.key?.type &&
  a.key?.fingerprint === b.key?.fingerprint;

function questionShown(host: string, question: Question): Shown {
  const { kind, failed } = question;
  const again = failed > 0 ? ' (the last answer was not accepted)' : '';
  return {
    ...{ host, hop: plainText(question.host, 255), kind: kind === 'interactive' ? 'keyboard-interactive' : kind },
    title: plainText(question.title, MAX_TITLE) + again,
    text: plainText(question.instruction, MAX_TEXT),
    fields: question.fields.slice(0, MAX_FIELDS).map(({ text, echo }) => ({ label: plainText(text, MAX_LABEL), echo })),
  };
}

function trustShown(host: string, { host: hop, keyType, fingerprint, others }: TrustQuestion): Shown {
  const name = plainText(hop, 255);
  const known = others.length === 0 ? '' : `\nOther keys that are known of it:\n${others.join('\n')}`;
  return {
    ...{ host, hop: name, kind: 'trust', fields: [] },
    title: `Is this ${name}?`,
    text: plainText(
      `Nothing is known of this key. Compare its fingerprint with what the site tells.${known}`,
      MAX_TEXT,
    ),
    key: { type: plainText(keyType, 100), fingerprint: plainText(fingerprint, 200) },
  };
}

function warningShown(host: string, { host: hop, keyType, fingerprint, was, why, listedAs }: KeyWarning): Shown {
  const name = plainText(hop, 255);
  const key = { type: plainText(keyType, 100), fingerprint: plainText(fingerprint, 200) };
  const known = was.slice(0, 20).map((one) => ({
    ...{ type: plainText(one.keyType, 100), fingerprint: one.fingerprint, file: one.file, line: one.line },
  }));
  const text =
    why === 'revoked'
      ? 'Its key is marked as revoked: somebody who should not have it may have it. Nothing was sent to it.'
      : 'Somebody may stand between, or the host was set up anew. Nothing was sent to it. Ask the site; when it is right, remove the lines below and connect again.';
  return {
    ...{ host, hop: name, kind: 'changed-warning', fields: [], text, key, was: known },
    listed_as: plainText(listedAs, 512),
    title: why === 'revoked' ? `The key of ${name} is revoked` : `The key of ${name} has changed`,
  };
}

function refuse({ kind, fields, keep }: Prompt, answer: PromptAnswer): string | null {
  if (answer.action === 'cancel') return null;
  const wanted = kind === 'trust' ? 'trust' : kind === 'allow-exec' ? 'allow' : 'answer';
  if (kind === 'changed-warning')
    return 'a key that changed is not taken here: correct known_hosts, then connect again';
  if (answer.action !== wanted) return `this is answered with "${wanted}" or "cancel"`;
  if (answer.action === 'answer' && answer.keep === true && keep === undefined) return 'this answer is never kept';
  if (answer.action === 'answer' && answer.answers.length !== fields.length) {
    return `this has ${fields.length} field(s), and needs as many answers`;
  }
  return null;
}

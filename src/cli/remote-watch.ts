/** Watches what is done with an engine over there, to its end: steps as they end, what the login asks, Ctrl-C. */

import { setTimeout as delay } from 'node:timers/promises';
import type { EngineClient } from '../client/http.ts';
import { EngineError } from '../client/http.ts';
import { Connection, PromptList, type EngineStep, type EngineWork, type Prompt } from '../shared/api/connections.ts';
import { answerInTerminal, oneLine, printable } from './terminal-prompts.ts';
import { Progress } from './store-progress.ts';

/** Between two looks, ms. */
const EVERY = 250;

const MARKS: Readonly<Record<EngineStep['state'], string>> = {
  ...{ waiting: ' ', running: '…', done: '✓', skipped: '–', failed: '✗', cancelled: '✗' },
};

const tookOf = (ms: number): string => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

export function stepText({ title, state, reason, ms, progress }: EngineStep): string {
  const took = ms === null || state === 'skipped' ? '' : ` (${tookOf(ms)})`;
  const part = state === 'running' && progress ? ` ${Math.floor((100 * progress.done) / progress.total)} %` : '';
  return oneLine(`${MARKS[state]} ${title}${part}${took}${reason === null ? '' : `: ${reason}`}`);
}

export class Watch {
  readonly #client: EngineClient;
  readonly #id: string;
  readonly #told = new Set<string>();
  readonly #answered = new Set<string>();
  readonly #progress = new Progress();
  #cancelled = false;

  constructor(client: EngineClient, id: string) {
    this.#client = client;
    this.#id = id;
  }

  /** How it ended. */
  async untilOver(): Promise<EngineWork> {
    const cancel = (): void => void this.#cancel();
    process.on('SIGINT', cancel);
    process.on('SIGTERM', cancel);
    try {
      for (;;) {
        const { work } = await this.#look();
        if (!work) throw new Error('the engine does not know of it any more: was it restarted?');
        this.#tell(work);
        if (work.state !== 'running') return work;
        if (!this.#cancelled) await this.#prompts();
        await delay(EVERY);
      }
    } finally {
      this.#progress.end();
      process.off('SIGINT', cancel);
      process.off('SIGTERM', cancel);
    }
  }

  async #look(): Promise<Connection> {
    return Connection.parse(await this.#client.json(`/connections/${this.#id}`));
  }

  async #cancel(): Promise<void> {
    // The second time nobody waits for it.
    if (this.#cancelled) process.exit(130);
    this.#cancelled = true;
    console.error('cancelling; what was begun is taken back (again: not waited for)');
    await this.#client.post(`/connections/${this.#id}/engine/cancel`, {}).catch(() => undefined);
  }

  #tell({ steps }: EngineWork): void {
    for (const step of steps) {
      if (step.state === 'waiting' || this.#told.has(step.name)) continue;
      if (step.state === 'running') this.#progress.say(stepText(step));
      else {
        this.#told.add(step.name);
        this.#progress.end();
        console.error(stepText(step));
      }
    }
  }

  async #prompts(): Promise<void> {
    const { prompts } = PromptList.parse(await this.#client.json('/connections/prompts'));
    const prompt = prompts.find(({ id, connection }) => connection === this.#id && !this.#answered.has(id));
    if (!prompt) return;
    this.#answered.add(prompt.id);
    this.#progress.end();
    if (!process.stdin.isTTY) {
      const where = 'answer it in the console, or call this in a terminal';
      console.error(printable(`${prompt.title}: ${where}`));
      return;
    }
    await this.#answer(prompt);
  }

  async #answer(prompt: Prompt): Promise<void> {
    // It may be answered elsewhere, or time out, while somebody types.
    const over = new AbortController();
    const isOpen = setInterval(() => {
      this.#client.json('/connections/prompts').then(
        (answer) => {
          if (!PromptList.parse(answer).prompts.some(({ id }) => id === prompt.id)) over.abort();
        },
        () => over.abort(),
      );
    }, 1000);
    try {
      const interrupted = (): void => void this.#cancel();
      const answer = await answerInTerminal(prompt, { signal: over.signal, interrupted });
      // Whoever leaves is not asked for the next thing that the login would take.
      if (!over.signal.aborted && !this.#cancelled) await this.#send(prompt.id, answer);
    } finally {
      clearInterval(isOpen);
    }
  }

  async #send(id: string, answer: object): Promise<void> {
    const headers = { 'content-type': 'application/json' };
    const { status } = await this.#client.raw(
      `/api/v1/connections/prompts/${id}`,
      headers,
      'POST',
      JSON.stringify(answer),
    );
    // Answered elsewhere meanwhile.
    if (status >= 300 && status !== 404)
      throw new EngineError(status, 'unknown', `the answer was not taken (${status})`);
  }
}

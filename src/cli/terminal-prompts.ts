/** What a login asks, asked in the terminal. Answers go to the engine and nowhere else; secrets are not shown. */

import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { Prompt, PromptAnswer } from '../shared/api/connections.ts';

/** What a host says is shown as text: a terminal obeys control characters. */
export const printable = (text: string): string => text.replace(/[^\P{Cc}\n]/gu, '?');

/** Of a reason that a host had a part in: none of its lines is taken for one of ours. */
export const oneLine = (text: string): string => printable(text.replaceAll(/\s*\n\s*/g, ' / '));

/** Where a person is asked. */
export interface Asking {
  /** Aborts when it is over without an answer. */
  readonly signal: AbortSignal;
  /** Ctrl-C: all that the question is part of is to end. */
  readonly interrupted: () => void;
}

/** Null: cancelled (Ctrl-C, Ctrl-D), or the signal aborted. */
function askLine(label: string, echo: boolean, { signal, interrupted }: Asking): Promise<string | null> {
  return new Promise((resolve) => {
    let isMuted = false;
    const output = new Writable({
      write(chunk: Buffer, _encoding, done) {
        if (!isMuted) process.stderr.write(chunk);
        done();
      },
    });
    const lines = createInterface({ input: process.stdin, output, terminal: true, historySize: 0 });
    let answer: string | null = null;
    const leave = (): void => lines.close();
    signal.addEventListener('abort', leave, { once: true });
    lines.once('close', () => {
      signal.removeEventListener('abort', leave);
      if (isMuted || answer === null) process.stderr.write('\n');
      resolve(answer);
    });
    lines.once('SIGINT', () => {
      interrupted();
      leave();
    });
    lines.question(printable(label), (text) => {
      answer = text;
      lines.close();
    });
    isMuted = !echo;
    if (signal.aborted) leave();
  });
}

const YES = /^y(es)?$/i;

/** What the person says to a prompt. */
export async function answerInTerminal(prompt: Prompt, asking: Asking): Promise<PromptAnswer> {
  const { kind, title, text, fields, key, was, hop } = prompt;
  const say = (line: string): void => void process.stderr.write(`${printable(line)}\n`);
  say(`\n${title}${title.includes(hop) ? '' : ` (${hop})`}`);
  // The host's own words stand apart, so that it cannot speak as this program or as another host.
  if (text !== '') say(fields.length === 0 ? text : text.replaceAll(/^/gm, '  | '));
  if (key) say(`  ${key.type} ${key.fingerprint}`);
  for (const one of was ?? []) say(`  known: ${one.type} ${one.fingerprint} (${one.file}:${one.line})`);
  if (kind === 'changed-warning') return { action: 'cancel' };
  if (kind === 'trust' || kind === 'allow-exec') {
    const question =
      kind === 'trust' ? 'Is it the right one, and to be kept? [yes/once/no] ' : 'May it be run? [yes/no] ';
    const said = (await askLine(question, true, asking))?.trim() ?? '';
    if (kind === 'allow-exec') return { action: YES.test(said) ? 'allow' : 'cancel' };
    if (YES.test(said)) return { action: 'trust', keep: true };
    return said.toLowerCase() === 'once' ? { action: 'trust', keep: false } : { action: 'cancel' };
  }
  const answers: string[] = [];
  for (const { label, echo } of fields) {
    const answer = await askLine(
      `  | ${label.trim().replaceAll(/\s+/g, ' ') || 'Answer'}${/[:?>]\s*$/.test(label) ? '' : ':'} `,
      echo,
      asking,
    );
    if (answer === null) return { action: 'cancel' };
    answers.push(answer);
  }
  return answers.length === 0 ? { action: 'cancel' } : { action: 'answer', answers };
}

/**
 * What the window shows while there is no console to show: a page without any script. Its buttons are links to a host
 * that does not exist (RFC 6761); the window takes them as actions and never follows them.
 */

import type { StartFailure } from '../shared/host.ts';

export type Action = 'retry' | 'attach' | 'quit' | 'reload';

const ORIGIN = 'https://action.invalid/';

export const actionLink = (action: Action): string => `${ORIGIN}${action}`;

/** The action that a link of the page stands for, or null. */
export function actionOf(url: string): Action | null {
  const actions: readonly Action[] = ['retry', 'attach', 'quit', 'reload'];
  return actions.find((action) => url === actionLink(action)) ?? null;
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
/** Half a character, where a line was cut, has no place in an address. */
const HALF = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;
const text = (value: string): string => value.replace(HALF, '\ufffd').replace(/[&<>"']/g, (c) => escapes[c] ?? c);

/** Of the log and of a message, in UTF-16 units: the page is an address, which may have 2 MB and grows ninefold at most. */
const MOST_LOG = 64 * 1024;
const MOST_MESSAGE = 4096;

const STYLE = `
  :root { color-scheme: light dark; --ground: #f6f7f8; --text: #1b232b; --muted: #55606b; --line: #dde1e5; --surface: #fff; --accent: #0b629a; --on: #fff }
  @media (prefers-color-scheme: dark) { :root { --ground: #14181c; --text: #dfe5ea; --muted: #a3aeb8; --line: #313942; --surface: #1b2127; --accent: #6fb5e6; --on: #14181c } }
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--ground); color: var(--text); font: 14px/1.5 system-ui, sans-serif }
  main { width: min(720px, calc(100vw - 64px)); padding: 32px 0 }
  h1 { font-size: 20px; margin: 0 0 8px } p { margin: 0 0 16px; white-space: pre-wrap; overflow-wrap: anywhere } .muted { color: var(--muted) }
  pre { margin: 0 0 16px; padding: 12px; max-height: 40vh; overflow: auto; background: var(--surface); border: 1px solid var(--line); border-radius: 4px; font: 12px/1.5 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere }
  nav { display: flex; flex-wrap: wrap; gap: 8px } a { padding: 6px 14px; border: 1px solid var(--line); border-radius: 4px; color: inherit; background: var(--surface); text-decoration: none }
  a.first { background: var(--accent); border-color: var(--accent); color: var(--on) } a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px }`;

interface Page {
  readonly title: string;
  readonly says: string;
  readonly hint?: string;
  readonly lines?: readonly string[];
  readonly actions?: readonly (readonly [Action, string])[];
}

function page({ title, says, hint, lines = [], actions = [] }: Page): string {
  const log =
    lines.length > 0
      ? `<p class="muted">The last lines of its log:</p><pre tabindex="0">${text(lines.join('\n').slice(-MOST_LOG))}</pre>`
      : '';
  const links = actions.map(
    ([action, name], i) => `<a ${i === 0 ? 'class="first" ' : ''}href="${actionLink(action)}">${text(name)}</a>`,
  );
  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>Vigie</title><style>${STYLE}</style></head><body><main><h1>${text(title)}</h1><p>${text(says.slice(0, MOST_MESSAGE))}</p>${hint === undefined ? '' : `<p class="muted">${text(hint)}</p>`}${log}<nav>${links.join('')}</nav></main></body></html>`;
  return `data:text/html;charset=utf-8,${encodeURIComponent(html)}`;
}

/** The engine has not said yet that it is ready. */
export const startingPage = (): string =>
  page({ title: 'The engine is starting', says: 'A large history may take a few seconds to open.' });

function titleOf({ code, running }: StartFailure): string {
  if (code === 'store_locked') return 'Another engine has this data';
  if (code === 'in_use') return running === null ? 'The engine’s socket is taken' : 'Another engine runs here';
  return 'The engine does not start';
}

/** It will not start: why, its last log lines, and what can be done. */
export function failedPage(failure: StartFailure, lines: readonly string[]): string {
  const { running } = failure;
  const title = titleOf(failure);
  if (running === null) {
    return page({
      title,
      says: failure.message,
      lines,
      actions: [
        ['retry', 'Try again'],
        ['quit', 'Quit'],
      ],
    });
  }
  const hint = `The engine with pid ${running.pid} on ${running.host} answers at ${running.url}. This window can show it; it goes on when the window is closed.`;
  const actions = [
    ['attach', 'Show that engine'],
    ['retry', 'Try again'],
    ['quit', 'Quit'],
  ] as const;
  return page({ title, says: failure.message, hint, lines, actions });
}

/** The page could not be loaded. */
export const unreachablePage = (): string =>
  page({
    title: 'The engine does not answer',
    says: 'The console is loaded when its engine has been started again.',
    actions: [
      ['reload', 'Load it again'],
      ['quit', 'Quit'],
    ],
  });

/** The page crashed again and again. */
export const crashedPage = (reason: string): string =>
  page({
    title: 'The page crashes',
    says: `It was loaded again and crashed each time (${reason}). The engine goes on: nothing is lost.`,
    actions: [
      ['reload', 'Load it again'],
      ['quit', 'Quit'],
    ],
  });

/**
 * What crosses between the page and the desktop's main process, and nothing else does: one channel, one message per call
 * (bridge-messages.ts), checked by the main process. In a browser there is no bridge. No schemas here: the preload script
 * is loaded before each page and stays small.
 */

/** The one channel of Electron's IPC. */
export const BRIDGE_CHANNEL = 'vigie:bridge';

/** The name of the bridge in the page's global scope. */
export const BRIDGE_NAME = 'vigieDesktop';

export const THEMES = ['light', 'dark', 'system'] as const;
export type Theme = (typeof THEMES)[number];

/** Of a saved file, in UTF-16 units: what a page can hold and a message can carry. */
export const MAX_SAVED_TEXT = 256 * 1024 * 1024;

/** What became of a file: saved under a name, given up by the person (`reason` null), or not written and why. */
export type SaveOutcome =
  { readonly saved: true; readonly name: string } | { readonly saved: false; readonly reason: string | null };

/** The object in the page. A message that the main process refuses rejects with its reason. */
export interface Bridge {
  /** Asks the person, then opens the link in their browser. False when they declined. */
  openExternal(url: string): Promise<boolean>;
  /** Asks where to, then writes the whole file or nothing. */
  saveFile(name: string, text: string): Promise<SaveOutcome>;
  /** A notification of the desktop. False when there is none, or there were too many of them. */
  notify(title: string, body: string): Promise<boolean>;
  /** The number on the program's symbol in the dock, 0: none. False where the desktop shows none. */
  badge(count: number): Promise<boolean>;
  /** The theme of the window's own parts: frame, menu, dialogs. */
  setTheme(theme: Theme): Promise<void>;
}

/** Highest number on the program's symbol. */
export const MAX_BADGE = 99_999;

/** Why the page was loaded anew; it arrives in the fragment `#notice=…` and the page says it once. */
export const NOTICES = {
  crashed: 'The page had crashed and was loaded again. Nothing was lost: the engine went on.',
  moved: 'The engine was started again and listens on another port, so the page was loaded from there.',
} as const;
export type Notice = keyof typeof NOTICES;

/** The desktop's side of the bridge: every message is checked against its sender and its schema before anything is done. */

import {
  app,
  dialog,
  ipcMain,
  nativeTheme,
  Notification,
  shell,
  type BrowserWindow,
  type IpcMainInvokeEvent,
} from 'electron';
import { BridgeMessage } from '../shared/bridge-messages.ts';
import { BRIDGE_CHANNEL, type SaveOutcome, type Theme } from '../shared/bridge.ts';
import type { ConsoleTarget } from './console-target.ts';
import { RateLimit } from './rate-limit.ts';
import { writeWhole } from './write-whole.ts';

export interface BridgeHost {
  window(): BrowserWindow | null;
  target(): ConsoleTarget | null;
  /** Work that must come to its end before the program does. */
  finish(work: Promise<unknown>): void;
  setTheme(theme: Theme): void;
}

/** Notifications at most, in so many ms: a page that goes wrong must not bury the desktop. */
const NOTIFICATIONS = 5;
const NOTIFICATIONS_IN = 10_000;

/** The sender is the main frame of our window, and that shows the engine's own page. */
function isTrusted(event: IpcMainInvokeEvent, host: BridgeHost): boolean {
  const window = host.window();
  if (window === null || event.sender !== window.webContents) return false;
  const frame = event.senderFrame;
  return frame !== null && frame === window.webContents.mainFrame && (host.target()?.isPage(frame.url) ?? false);
}

async function openExternal(window: BrowserWindow, url: string): Promise<boolean> {
  const { response } = await dialog.showMessageBox(window, {
    type: 'question',
    message: 'Open this link in your browser?',
    detail: url,
    buttons: ['Open', 'Cancel'],
    defaultId: 1,
    cancelId: 1,
  });
  if (response !== 0) return false;
  await shell.openExternal(url);
  return true;
}

async function saveFile(host: BridgeHost, window: BrowserWindow, name: string, text: string): Promise<SaveOutcome> {
  const { canceled, filePath } = await dialog.showSaveDialog(window, { defaultPath: name });
  if (canceled || !filePath) return { saved: false, reason: null };
  const work = writeWhole(filePath, text);
  host.finish(work);
  return work;
}

/** Takes the page's messages from now on. */
export function serveBridge(host: BridgeHost): void {
  const notifications = new RateLimit(NOTIFICATIONS, NOTIFICATIONS_IN);
  ipcMain.handle(BRIDGE_CHANNEL, async (event, data: unknown): Promise<unknown> => {
    if (!isTrusted(event, host)) throw new Error('messages of this page are not taken');
    const parsed = BridgeMessage.safeParse(data);
    if (!parsed.success) throw new Error('this message is not one of the bridge');
    const message = parsed.data;
    const window = host.window()!;
    switch (message.call) {
      case 'openExternal':
        return openExternal(window, message.url);
      case 'saveFile':
        return saveFile(host, window, message.name, message.text);
      case 'notify': {
        if (!Notification.isSupported() || !notifications.take(Date.now())) return false;
        const notification = new Notification({ title: message.title, body: message.body });
        notification.on('click', () => window.show());
        notification.show();
        return true;
      }
      case 'badge':
        return app.setBadgeCount(message.count);
      case 'setTheme':
        nativeTheme.themeSource = message.theme;
        host.setTheme(message.theme);
        return undefined;
    }
  });
}

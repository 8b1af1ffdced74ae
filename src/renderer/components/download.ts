import { notifications } from '@mantine/notifications';
import { MAX_SAVED_TEXT, type Bridge } from '../../shared/bridge.ts';
import { desktop } from '../data/desktop.ts';

/** Saves a text as a file of the person at the screen. Rejects with the reason when it is not saved; giving up is none. */
export async function download(text: string, type: string, name: string): Promise<void> {
  if (text.length > MAX_SAVED_TEXT) throw new Error('This is too much for one file: zoom in, or search for less.');
  if (desktop) await saveInDesktop(desktop, name, text);
  else saveInBrowser(text, type, name);
}

async function saveInDesktop(bridge: Bridge, name: string, text: string): Promise<void> {
  const outcome = await bridge.saveFile(name, text);
  if (outcome.saved) {
    notifications.show({ title: 'Saved', message: outcome.name });
    if (document.hidden) await bridge.notify('The file is saved', outcome.name);
  } else if (outcome.reason !== null) throw new Error(outcome.reason);
}

/** Lets the browser save what a link of the engine gives, without it passing through the page. */
export function followLink(url: string, name: string): void {
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
}

function saveInBrowser(text: string, type: string, name: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  followLink(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** A time as a part of a file's name, UTC: `2026-11-21T081503`. */
export const fileStamp = (time: number): string => new Date(time).toISOString().slice(0, 19).replaceAll(':', '');

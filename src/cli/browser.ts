/**
 * Opens the console in the user's browser. Not with the link on the command line: argv is public on shared machines, and
 * the link holds the token. The browser is given a private file that leads there.
 */

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The file is needed for a moment only, in ms. */
const KEEP = 60_000;

function whyNot(): string | null {
  if (process.platform === 'linux') {
    if (!process.env['DISPLAY'] && !process.env['WAYLAND_DISPLAY']) return 'there is no display here';
    if (process.getuid?.() === 0) return 'browsers refuse to run as root';
  }
  if (process.env['SSH_CONNECTION']) return 'this is a remote session; forward the port and open it at home';
  return null;
}

function opener(file: string): [command: string, args: string[]] {
  if (process.platform === 'darwin') return ['open', [file]];
  if (process.platform === 'win32') return ['cmd', ['/c', 'start', '', file]];
  return ['xdg-open', [file]];
}

/** Null when a browser was started, else why not. */
export async function openBrowser(link: string): Promise<string | null> {
  const reason = whyNot();
  if (reason !== null) return reason;
  const directory = mkdtempSync(join(tmpdir(), 'vigie-open-'));
  const file = join(directory, 'console.html');
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  // The link is made of an address and base64url characters: nothing in it can end the attribute.
  writeFileSync(file, `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url=${link}">\n`, {
    mode: 0o600,
  });
  setTimeout(remove, KEEP).unref();
  process.once('exit', remove);
  const [command, args] = opener(file);
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: 'ignore', detached: true });
    child.once('error', () => resolve(`${command} is not installed`));
    child.once('spawn', () => {
      child.unref();
      resolve(null);
    });
  });
}

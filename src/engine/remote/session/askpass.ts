/**
 * How a child `ssh` asks: it runs a program for each question (SSH_ASKPASS), and ours hands it over a socket in a private
 * directory to the engine, which asks the person. Answers go over that socket and a pipe: never argv, environment, disk.
 */

import { chmod, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';

export interface Asked {
  readonly text: string;
  /** Of `SSH_ASKPASS_PROMPT`: '' for a secret, `confirm` for yes or no, `none` for something that is only shown. */
  readonly kind: string;
}

export interface Askpass {
  /** For the child: where the program is. Nothing in it is secret. */
  readonly env: Readonly<Record<string, string>>;
  close(): void;
}

const MOST_BYTES = 64 * 1024;

/** Plain JavaScript for whichever Node or Electron runs the engine. */
const PROGRAM = `'use strict';
const socket = require('node:net').connect(require('node:path').join(__dirname, 'a'));
let got = '';
socket.on('connect', () => socket.write(JSON.stringify({ text: process.argv[2] || '', kind: process.env.SSH_ASKPASS_PROMPT || '' }) + '\\n'));
socket.on('data', (chunk) => { got += chunk; });
socket.on('error', () => process.exit(1));
socket.on('end', () => {
  let answer = null;
  try { answer = JSON.parse(got).answer; } catch { }
  if (typeof answer !== 'string') process.exit(1);
  process.stdout.write(answer + '\\n', () => process.exit(0));
});
`;

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

function parseAsked(line: string): Asked | null {
  try {
    const value = JSON.parse(line) as { text?: unknown; kind?: unknown };
    return typeof value.text === 'string' && typeof value.kind === 'string'
      ? { text: value.text, kind: value.kind }
      : null;
  } catch {
    return null;
  }
}

/** `folder` belongs to the user alone, mode 0700: it is what keeps others from asking and from answering. */
export async function serveAskpass(folder: string, ask: (asked: Asked) => Promise<string | null>): Promise<Askpass> {
  const program = path.join(folder, 'askpass');
  await writeFile(path.join(folder, 'askpass.cjs'), PROGRAM, { mode: 0o600 });
  const line = `ELECTRON_RUN_AS_NODE=1 exec ${quoted(process.execPath)} ${quoted(path.join(folder, 'askpass.cjs'))} "$@"`;
  await writeFile(program, `#!/bin/sh\n${line}\n`, { mode: 0o700 });
  await chmod(program, 0o700);
  const open = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    open.add(socket);
    let got = '';
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      got += chunk.toString();
      if (got.length > MOST_BYTES) return void socket.destroy();
      const end = got.indexOf('\n');
      if (end < 0) return;
      const asked = parseAsked(got.slice(0, end));
      got = '';
      if (asked === null) return void socket.destroy();
      ask(asked).then(
        (answer) => socket.end(JSON.stringify({ answer })),
        () => socket.destroy(),
      );
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path.join(folder, 'a'), resolve);
  });
  return {
    // DISPLAY: an ssh before 8.4 asks by a program only where there is one.
    env: { SSH_ASKPASS: program, SSH_ASKPASS_REQUIRE: 'force', DISPLAY: process.env['DISPLAY'] ?? ':0' },
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

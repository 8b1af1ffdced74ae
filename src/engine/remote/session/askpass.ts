/**
 * How a child `ssh` asks: it runs a program for each question (SSH_ASKPASS), and ours hands it over a socket in a private
 * directory to the engine, which asks the person. Answers go over that socket and a pipe: never argv, environment, disk.
 */

import { chmod, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';

export interface Asked {
  /** Which ssh of the way asks, from 0, as whoever started it said: nothing that a host says changes it. */
  readonly hop: number;
  readonly text: string;
  /** Of `SSH_ASKPASS_PROMPT`: '' for a secret, `confirm` for yes or no, `none` for something that is only shown. */
  readonly kind: string;
}

export interface Askpass {
  /** For the child that reaches the last hop. Nothing in it is secret. */
  readonly env: Readonly<Record<string, string>>;
  close(): void;
}

const MOST_BYTES = 64 * 1024;

/** Plain JavaScript for whichever Node or Electron runs the engine. */
const PROGRAM = `'use strict';
const socket = require('node:net').connect(require('node:path').join(__dirname, 'a'));
let got = '';
socket.on('connect', () => socket.write(JSON.stringify({ hop: Number(process.argv[2]), text: process.argv[3] || '', kind: process.env.SSH_ASKPASS_PROMPT || '' }) + '\\n'));
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
    const { hop, text, kind } = JSON.parse(line) as { hop?: unknown; text?: unknown; kind?: unknown };
    return typeof hop === 'number' && typeof text === 'string' && typeof kind === 'string' ? { hop, text, kind } : null;
  } catch {
    return null;
  }
}

/** The program by which the ssh of one hop asks, hops counted from 0. */
export const askpassOf = (folder: string, hop: number): string => path.join(folder, `askpass${hop}`);

/**
 * `folder` belongs to the user alone, mode 0700: it is what keeps others from asking and from answering. Each of the
 * `hops` has a program of its own, so that none can ask in another's name.
 */
export async function serveAskpass(
  folder: string,
  hops: number,
  ask: (asked: Asked) => Promise<string | null>,
): Promise<Askpass> {
  const script = path.join(folder, 'askpass.cjs');
  await writeFile(script, PROGRAM, { mode: 0o600 });
  for (let hop = 0; hop < hops; hop++) {
    const program = askpassOf(folder, hop);
    const line = `ELECTRON_RUN_AS_NODE=1 exec ${quoted(process.execPath)} ${quoted(script)} ${hop} "$@"`;
    await writeFile(program, `#!/bin/sh\n${line}\n`, { mode: 0o700 });
    await chmod(program, 0o700);
  }
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
    env: {
      SSH_ASKPASS: askpassOf(folder, hops - 1),
      ...{ SSH_ASKPASS_REQUIRE: 'force', DISPLAY: process.env['DISPLAY'] ?? ':0' },
    },
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

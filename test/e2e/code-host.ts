/** A login node that asks for a one-time code: what no sshd does without a module of its own. */

import { readFileSync } from 'node:fs';
import net from 'node:net';
import ssh2, { type AuthContext } from 'ssh2';

const { Server } = ssh2;

export interface CodeHost {
  readonly port: number;
  /** Answers that it got, in order; each attempt's are joined with `|`. */
  readonly answers: readonly string[];
  close(): Promise<void>;
}

export interface CodeHostOptions {
  /** File of its private key. */
  readonly hostKey: string;
  /** What it says before anybody is asked. */
  readonly banner: string;
  readonly title: string;
  readonly instruction: string;
  readonly prompts: readonly { readonly prompt: string; readonly echo: boolean }[];
  /** Joined with `|`. */
  readonly right: string;
}

/** Listens on loopback; leads to ports of this machine, and runs nothing. */
export async function startCodeHost(options: CodeHostOptions): Promise<CodeHost> {
  const { hostKey, banner, title, instruction, prompts, right } = options;
  const answers: string[] = [];
  const open = new Set<net.Socket>();
  const ask = (context: AuthContext): void => {
    if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
    context.prompt([...prompts], title, instruction, (given) => {
      answers.push(given.join('|'));
      if (answers.at(-1) === right) context.accept();
      else context.reject(['keyboard-interactive']);
    });
  };
  const server = new Server({ hostKeys: [readFileSync(hostKey)], banner }, (connection) => {
    connection.on('error', () => undefined);
    connection.on('authentication', ask);
    connection.on('tcpip', (accept, reject, { destIP, destPort }) => {
      const socket = net.connect(destPort, destIP);
      socket.once('error', () => reject());
      socket.once('connect', () => {
        const channel = accept();
        channel.on('error', () => socket.destroy());
        socket.pipe(channel).pipe(socket);
      });
    });
    connection.on('session', (_accept, reject) => reject());
  });
  const listener = net.createServer((socket) => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => open.delete(socket));
    server.injectSocket(socket);
  });
  await new Promise<void>((resolve) => void listener.listen(0, '127.0.0.1', resolve));
  return {
    port: (listener.address() as net.AddressInfo).port,
    answers,
    async close() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => void listener.close(resolve));
    },
  };
}

/** An SSH server that does what a real one would not: hangs in a phase, asks odd questions. */

import { readFileSync } from 'node:fs';
import net from 'node:net';

import ssh2, { type AuthContext, type Connection } from 'ssh2';
import { onTestFinished } from 'vitest';

const { Server } = ssh2;

export interface Stub {
  readonly port: number;
}

async function listen(server: net.Server): Promise<Stub> {
  const open = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return { port: (server.address() as net.AddressInfo).port };
}

/** Takes connections and says this, and nothing more. */
export function silentServer(says = ''): Promise<Stub> {
  return listen(net.createServer((socket) => void (says === '' ? socket.resume() : socket.resume().write(says))));
}

/** Speaks SSH with this host key. */
export async function stubServer(
  hostKey: string,
  onAuth: (context: AuthContext, connection: Connection) => void,
  onConnection: (connection: Connection) => void = () => undefined,
): Promise<Stub> {
  const server = new Server({ hostKeys: [readFileSync(hostKey)] }, (connection) => {
    connection.on('error', () => undefined);
    connection.on('authentication', (context) => onAuth(context, connection));
    onConnection(connection);
  });
  const inner = net.createServer((socket) => server.injectSocket(socket));
  return listen(inner);
}

/* oxlint-disable no-underscore-dangle -- that is how ssh2 marks what is its own */

interface Inside {
  readonly _protocol: {
    readonly _handlers: Record<string, (...args: unknown[]) => void>;
    readonly _cipher: { encrypt(packet: Buffer): void };
    readonly _packetRW: {
      readonly write: { readonly allocStart: number; alloc(size: number): Buffer; finalize(packet: Buffer): Buffer };
    };
  };
}

/** Sends a packet as it is, whatever it says. */
export function sendPacket(connection: Connection, payload: Buffer): void {
  const { _cipher: cipher, _packetRW: packets } = (connection as unknown as Inside)._protocol;
  const at = packets.write.allocStart;
  const packet = packets.write.alloc(payload.length);
  packet.set(payload, at);
  cipher.encrypt(packets.write.finalize(packet));
}

/** What comes to a server, before ssh2 looks at it; of channels that are asked for it then hears nothing. */
export function hear(connection: Connection, what: string, heard: (first: unknown) => void): void {
  const { _handlers: handlers } = (connection as unknown as Inside)._protocol;
  const original = handlers[what];
  handlers[what] = (...args) => {
    heard(args[1]);
    if (what !== 'CHANNEL_OPEN') original?.(...args);
  };
}

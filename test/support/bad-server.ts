/** Servers that misbehave, on loopback, each gone after the test. */

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttp, type RequestListener } from 'node:http';
import { createServer as createHttps, type ServerOptions } from 'node:https';
import { createServer as createTcp, type AddressInfo, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { temporaryFolder } from './tmp.ts';

async function listening(server: Server, path?: string): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  if (path === undefined) server.listen(0, '127.0.0.1');
  else server.listen(path);
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return path === undefined ? (server.address() as AddressInfo).port : 0;
}

/** An HTTP server; returns its port. With `path` it listens on a unix socket. */
export const httpServer = (answer: RequestListener, path?: string): Promise<number> =>
  listening(createHttp(answer), path);

export const httpsServer = (options: ServerOptions, answer: RequestListener): Promise<number> =>
  listening(createHttps(options, answer));

/** A server that speaks whatever the test makes it speak. */
export const rawServer = (connected: (socket: Socket) => void): Promise<number> => listening(createTcp(connected));

/** A server that takes the connection and then says nothing, not even in TLS. */
export const silentServer = (): Promise<number> => rawServer((socket) => socket.resume());

/** A server that sends `head`, then `piece` again and again: each `ms`, or with 0 as fast as it is taken. */
export const endlessServer = (head: string, piece: Buffer, ms: number): Promise<number> =>
  rawServer((socket) => {
    socket.resume();
    socket.write(head);
    const more = (): void => {
      if (socket.destroyed) return;
      if (ms > 0) {
        socket.write(piece);
        setTimeout(more, ms).unref();
      } else if (socket.write(piece)) setImmediate(more);
      else socket.once('drain', more);
    };
    more();
  });

/** A port that nothing listens on. */
export async function closedPort(): Promise<number> {
  const server = createTcp();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export interface Certificate {
  readonly key: string;
  readonly cert: string;
  /** SHA-256, as `AB:CD:…`. */
  readonly fingerprint: string;
}

const fingerprintOf = (file: string): string =>
  execFileSync('openssl', ['x509', '-in', file, '-noout', '-fingerprint', '-sha256'], { encoding: 'utf8' })
    .trim()
    .replace(/^.*=/, '');

export interface Authority {
  /** To be trusted, PEM. */
  readonly ca: string;
  /** A certificate that it signed, for these names (`DNS:…`, `IP:…`), valid for so many days from now. */
  sign(names: string, days: number): Certificate;
  selfSigned(names: string): Certificate;
}

/** A certificate authority of the test's own. Takes the `openssl` command. */
export function authority(): Authority {
  const folder = temporaryFolder();
  let count = 0;
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  };
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const pem = (file: string): string => readFileSync(join(folder, file), 'utf8');
  const certificate = (name: string): Certificate => ({
    key: pem(`${name}.key`),
    cert: pem(`${name}.pem`),
    fingerprint: fingerprintOf(join(folder, `${name}.pem`)),
  });
  openssl('req', '-x509', ...curve, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=test authority');
  return {
    ca: pem('ca.pem'),
    sign(names, days) {
      const name = `signed${++count}`;
      const subject = ['-subj', '/CN=test', '-addext', `subjectAltName=${names}`];
      openssl('req', '-new', ...curve, '-keyout', `${name}.key`, '-out', `${name}.csr`, ...subject);
      const signed = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-copy_extensions', 'copy'];
      openssl('x509', '-req', '-in', `${name}.csr`, ...signed, '-days', String(days), '-out', `${name}.pem`);
      return certificate(name);
    },
    selfSigned(names) {
      const name = `self${++count}`;
      const subject = ['-subj', '/CN=test', '-addext', `subjectAltName=${names}`];
      openssl('req', '-x509', ...curve, '-keyout', `${name}.key`, '-out', `${name}.pem`, '-days', '2', ...subject);
      return certificate(name);
    },
  };
}

/**
 * Connections to one target. What comes is read into one buffer, since each answer would leave a megabyte of them behind,
 * which makes the collector go over the whole heap every few answers. TLS is set up here rather than by Node's agent, so that a certificate that cannot be verified
 * can be shown, and a pinned one is compared before anything is sent.
 */

import { Agent as HttpAgent } from 'node:http';
import { connect as connectPlain, isIP, type Socket, type TcpNetConnectOpts } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect, type ConnectionOptions, type PeerCertificate, type TLSSocket } from 'node:tls';
import { openTunnel, TunnelAgent } from './fetch-tunnel.ts';
import { TargetError, type Access, type TargetUrl } from './type.ts';

/** Sockets that wait for the next question. One at a time is asked. */
const OPTIONS = { keepAlive: true, maxSockets: 1, maxFreeSockets: 1 } as const;

export interface Connections {
  readonly agent: HttpAgent;
  /** Ends a connection that is being made. */
  abandon(): void;
  close(): void;
}

export function connectionsOf(url: TargetUrl, access: Access, keepAlive: boolean): Connections {
  if (url.protocol === 'http:' && url.ssh !== null) {
    const agent = new TunnelAgent(url, access, keepAlive);
    return { agent, abandon: () => agent.abandon(), close: () => (agent.abandon(), agent.destroy()) };
  }
  if (url.protocol === 'http:') {
    const agent = new ReadingAgent({ ...OPTIONS, keepAlive });
    return { agent, abandon: () => undefined, close: () => agent.destroy() };
  }
  const agent = new VerifyingAgent(url, access, keepAlive);
  return { agent, abandon: () => agent.abandon(), close: () => agent.close() };
}

/** Of all connections: filled and read in one go. The HTTP parser copies what it hands on. */
const BUFFER = Buffer.allocUnsafeSlow(64 * 1024);

class ReadingAgent extends HttpAgent {
  override createConnection(options: TcpNetConnectOpts): Socket {
    const callback = (length: number): boolean => socket.emit('data', BUFFER.subarray(0, length)) || true;
    const socket = connectPlain({ ...options, onread: { buffer: BUFFER, callback } });
    return socket;
  }
}

class VerifyingAgent extends HttpAgent {
  readonly #url: TargetUrl;
  readonly #access: Access;
  #connecting: TLSSocket | null = null;
  #dialling: AbortController | null = null;

  constructor(url: TargetUrl, access: Access, keepAlive: boolean) {
    super({ ...OPTIONS, keepAlive, protocol: 'https:', defaultPort: 443 });
    this.#url = url;
    this.#access = access;
  }

  override createConnection(
    options: ConnectionOptions,
    callback?: (error: Error | null, stream: Duplex) => void,
  ): undefined {
    if (this.#url.ssh === null) return this.#secure(options, callback);
    void this.#throughTunnel(options.host ?? '', callback);
    return undefined;
  }

  async #throughTunnel(host: string, callback?: (error: Error | null, stream: Duplex) => void): Promise<void> {
    const dialling = new AbortController();
    this.#dialling = dialling;
    try {
      const socket = await openTunnel(this.#url, this.#access, dialling.signal);
      this.#secure({ socket, host }, callback);
    } catch (error) {
      callback?.(error instanceof Error ? error : new Error(String(error)), undefined as never);
    } finally {
      if (this.#dialling === dialling) this.#dialling = null;
    }
  }

  #secure(options: ConnectionOptions, callback?: (error: Error | null, stream: Duplex) => void): undefined {
    const { ca, fingerprint } = this.#access;
    const hostname = options.host ?? '';
    const socket = connect({
      ...options,
      // Looked at below; an address has no name to ask for.
      rejectUnauthorized: false,
      ...(isIP(hostname) === 0 ? { servername: hostname } : {}),
      ...(ca === undefined ? {} : { ca }),
      ALPNProtocols: ['http/1.1'],
    });
    this.#connecting = socket;
    const fail = (error: Error): void => {
      this.#done(socket);
      socket.destroy();
      callback?.(error, socket);
    };
    socket.once('error', fail);
    socket.once('close', () => this.#done(socket));
    socket.once('secureConnect', () => {
      socket.off('error', fail);
      this.#done(socket);
      const error = verify(socket, hostname, fingerprint);
      if (error) return fail(error);
      callback?.(null, socket);
    });
    return undefined;
  }

  #done(socket: TLSSocket): void {
    if (this.#connecting === socket) this.#connecting = null;
  }

  abandon(): void {
    this.#dialling?.abort(new TargetError('down', 'the connection was given up'));
    this.#dialling = null;
    this.#connecting?.destroy(new TargetError('down', 'the connection was given up'));
  }

  close(): void {
    this.abandon();
    this.destroy();
  }
}

function verify(socket: TLSSocket, hostname: string, pinned: string | undefined): TargetError | null {
  const certificate = socket.getPeerCertificate();
  const fingerprint = certificate.fingerprint256;
  if (pinned !== undefined) {
    if (bare(fingerprint) === bare(pinned)) return null;
    return new TargetError('refused', `the certificate is not the pinned one, but ${fingerprint}`, fingerprint);
  }
  if (socket.authorized) return null;
  // Node's types say Error; it is the code as a text.
  const code = String(socket.authorizationError);
  return new TargetError('refused', certificateWords(code, hostname, certificate), fingerprint);
}

const bare = (fingerprint: string): string => fingerprint.replaceAll(/[^0-9a-f]/gi, '').toUpperCase();

function certificateWords(code: string, hostname: string, certificate: PeerCertificate): string {
  switch (code) {
    case 'CERT_HAS_EXPIRED':
      return `its certificate expired on ${certificate.valid_to}`;
    case 'CERT_NOT_YET_VALID':
      return `its certificate is valid from ${certificate.valid_from} only: are both clocks right?`;
    case 'ERR_TLS_CERT_ALTNAME_INVALID': {
      const names = certificate.subjectaltname?.replaceAll(/\b(?:DNS|IP Address):/g, '') ?? certificate.subject.CN;
      return `its certificate is for ${String(names)}, not for ${hostname}`;
    }
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
      return `its certificate is self-signed: pin its fingerprint if it is the right one: ${certificate.fingerprint256}`;
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return `its certificate was signed by somebody who is not known here: give the certificate of that authority (ca)`;
    default:
      return `its certificate could not be verified: ${code}`;
  }
}

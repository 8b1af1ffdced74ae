/** HTTP to a destination: authorized, over TLS with the certificates that are trusted, bounded in time and size. */

import { readFile } from 'node:fs/promises';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { VERSION } from '../version.ts';
import { authorize } from './credentials.ts';
import type { DestinationSettings } from './settings.ts';

export interface Answer {
  readonly status: number;
  /** Header Retry-After as it came. */
  readonly retryAfter: string | undefined;
  readonly body: string;
}

/** No answer came. */
export class TransportError extends Error {
  override readonly name = 'TransportError';
  /** The request may have been taken all the same. */
  readonly maybeTaken: boolean;

  constructor(message: string, maybeTaken: boolean) {
    super(message);
    this.maybeTaken = maybeTaken;
  }
}

/** Before anything was sent. */
const NOT_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOENT']);

export interface Question {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
  /** Milliseconds until the whole answer is there. */
  readonly timeout: number;
  /** Most bytes of the answer. */
  readonly maxAnswer: number;
  readonly signal: AbortSignal;
}

export class Transport {
  readonly #settings: DestinationSettings;
  readonly #ca: string | null;
  readonly #agents: Record<string, HttpAgent | HttpsAgent> = {};

  private constructor(settings: DestinationSettings, ca: string | null) {
    this.#settings = settings;
    this.#ca = ca;
  }

  /** Reads the certificates once: a file that cannot be read keeps the engine from starting. */
  static async open(settings: DestinationSettings): Promise<Transport> {
    const { ca_file } = settings.tls;
    return new Transport(settings, ca_file === undefined ? null : await readFile(ca_file, 'utf8'));
  }

  #agent(protocol: string): HttpAgent | HttpsAgent {
    const options = { keepAlive: true, maxSockets: 4, maxFreeSockets: 1 };
    const ca = this.#ca === null ? {} : { ca: this.#ca };
    return (this.#agents[protocol] ??=
      protocol === 'https:'
        ? new HttpsAgent({ ...options, ...ca, rejectUnauthorized: !this.#settings.tls.insecure })
        : new HttpAgent(options));
  }

  /**
   * Posts. Redirects are not followed: credentials are for this address.
   *
   * @throws TransportError, SecretError
   */
  async post(question: Question): Promise<Answer> {
    const { header, secrets } = await authorize(this.#settings);
    const timeout = AbortSignal.timeout(question.timeout);
    const headers: OutgoingHttpHeaders = {
      ...this.#settings.headers,
      ...question.headers,
      'user-agent': `vigie/${VERSION}`,
      'content-length': Buffer.byteLength(question.body),
      ...(header === null ? {} : { authorization: header }),
    };
    try {
      const answer = await this.#send(question, headers, AbortSignal.any([question.signal, timeout]));
      return { ...answer, body: withoutSecrets(answer.body, secrets) };
    } catch (error) {
      if (timeout.aborted) throw new TransportError(`no answer within ${question.timeout / 1000} s`, true);
      const { code, message } = error as NodeJS.ErrnoException;
      throw new TransportError(withoutSecrets(message || code || 'it failed', secrets), !NOT_SENT.has(code ?? ''));
    }
  }

  #send({ url, body, maxAnswer }: Question, headers: OutgoingHttpHeaders, signal: AbortSignal): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
      const request = send(url, { method: 'POST', agent: this.#agent(url.protocol), headers, signal }, (response) => {
        read(response, maxAnswer).then(
          (text) =>
            resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'], body: text }),
          reject,
        );
      });
      request.on('error', reject);
      request.end(body);
    });
  }

  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }
}

async function read(response: IncomingMessage, most: number): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > most) throw new Error(`the answer is larger than ${most} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function withoutSecrets(text: string, secrets: readonly string[]): string {
  let clean = text;
  for (const secret of secrets) clean = clean.replaceAll(secret, '…');
  return clean;
}

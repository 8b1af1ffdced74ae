/** One POST to somebody who is not trusted: dialled to an address that was looked at, bounded in time and size, no redirects. */

import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { retryAfter } from '../../remote-write/backoff.ts';
import { VERSION } from '../../version.ts';
import { bareHost, isLoopback, type AddressPolicy } from './address.ts';
import { SendError, type SendContext } from './channel.ts';
import { sendFailed, shownAnswer } from './words.ts';

/** Bytes of an answer that are read. */
const MAX_ANSWER = 8192;
/** There must be a connection within this part of the time. */
const CONNECT_PART = 0.5;
/** Once the status is known, the rest of the answer is only something to show, ms. */
const BODY_WITHIN = 2000;

/** Statuses by which the other side says that it does not want this message, however often it comes. */
const UNWANTED = new Set([400, 405, 411, 413, 414, 415, 422, 501]);

export interface Post {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly secrets: readonly string[];
  /** How failures name the place; absent: its host and port. */
  readonly place?: string;
}

/** Why a URL cannot be used for messages, in words; null: it can. `secret`: something is sent along that is one. */
export function checkUrl(text: string, secret: boolean, policy: AddressPolicy): string | null {
  if (!URL.canParse(text)) return 'expected an address such as https://example.org/hook';
  const { protocol, username, password, hostname } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:') return 'expected http:// or https://';
  if (username !== '' || password !== '') return 'an address has no user and password in it: give them apart from it';
  if (secret && protocol === 'http:' && !isLoopback(hostname) && !policy.plaintext) {
    return 'a secret would cross the network in clear: use https://, or have the owner allow it (alarm_channels.plaintext)';
  }
  return policy.refuses(hostname);
}

/** The answer's status and text. Throws {@link SendError} also for statuses that are no success. */
export async function post(
  question: Post,
  { policy, timeout, now }: SendContext,
  signal: AbortSignal,
): Promise<string> {
  const { url, secrets } = question;
  const place = question.place ?? url.host;
  const refused = policy.refuses(url.hostname);
  if (refused !== null) throw new SendError(refused);
  const late = AbortSignal.timeout(timeout);
  const response = await ask(question, policy, AbortSignal.any([signal, late]), timeout).catch((error: unknown) => {
    if (signal.aborted) throw new SendError('given up');
    if (late.aborted) throw new SendError(`no answer from ${place} within ${timeout / 1000} s`);
    const failed = sendFailed(error, place);
    throw new SendError(shownAnswer(failed.message, secrets), failed);
  });
  const status = response.statusCode ?? 0;
  const text = shownAnswer(await read(response), secrets);
  const answer = text === '' ? String(status) : `${status}: ${text}`;
  if (status >= 200 && status < 300) return answer;
  if (status >= 300 && status < 400) {
    const to = shownAnswer(response.headers.location ?? 'somewhere else', secrets);
    throw new SendError(`${status}: redirects are not followed; give the address it leads to, if it is right (${to})`);
  }
  throw new SendError(answer, {
    permanent: UNWANTED.has(status),
    retryAfter: retryAfter(response.headers['retry-after'], now()),
  });
}

function ask(
  { url, headers, body }: Post,
  policy: AddressPolicy,
  signal: AbortSignal,
  timeout: number,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = send(
      {
        protocol: url.protocol,
        hostname: bareHost(url.hostname),
        port: url.port,
        path: `${url.pathname}${url.search}`,
        method: 'POST',
        // One connection for one message: the next one may be days away.
        agent: false,
        lookup: policy.lookup,
        signal,
        headers: {
          ...headers,
          'user-agent': `vigie/${VERSION}`,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
          connection: 'close',
        },
      },
      (response) => {
        // After the answer began: its end may come as an error that nobody waits for.
        request.on('error', () => undefined);
        resolve(response);
      },
    );
    const connecting = setTimeout(() => {
      request.destroy(new SendError(`no connection to ${url.host} within ${(CONNECT_PART * timeout) / 1000} s`));
    }, CONNECT_PART * timeout);
    request.once('socket', (socket) => socket.once('connect', () => clearTimeout(connecting)));
    request.once('close', () => clearTimeout(connecting));
    request.once('error', reject);
    request.end(body);
  });
}

/** The beginning of the answer. It never throws: the status has said all that counts. */
async function read(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  const enough = setTimeout(() => response.destroy(), BODY_WITHIN);
  try {
    for await (const part of response as AsyncIterable<Buffer>) {
      parts.push(part.subarray(0, MAX_ANSWER - bytes));
      bytes += part.length;
      if (bytes >= MAX_ANSWER) break;
    }
  } catch {
    // What came is shown.
  } finally {
    clearTimeout(enough);
    response.destroy();
  }
  return Buffer.concat(parts).toString('utf8');
}

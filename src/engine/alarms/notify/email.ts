/** Mail over SMTP. The socket is made here, to an address that was looked at, and handed to the SMTP client. */

import { lstatSync, readFileSync } from 'node:fs';
import { connect, isIP, type Socket } from 'node:net';
import { createTransport } from 'nodemailer';
import { plainText } from '../templates.ts';
import { bareHost, isLoopback, type AddressPolicy } from './address.ts';
import { SendError, type ChannelType, type Message, type SendContext, type SettingsOf } from './channel.ts';
import { sendFailed, shownAnswer } from './words.ts';

const MOST = 200;
const MAX_CA = 1024 * 1024;

type Settings = SettingsOf<'email'>;

/** A control character ends a header, or a line of SMTP. */
const isLine = (text: string): boolean => !/\p{Cc}/u.test(text);

function check({ host, security, username, password, ca_file: ca }: Settings, policy: AddressPolicy): string | null {
  const bare = bareHost(host);
  if (isIP(bare) === 0 && !/^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?$/.test(bare))
    return 'host: expected the name or address of a host';
  if (security === 'none' && !isLoopback(host) && !policy.plaintext) {
    return 'security: mail would cross the network in clear: use starttls or tls, or have the owner allow it (alarm_channels.plaintext)';
  }
  if (!isLine(username) || !isLine(password ?? '')) return 'username, password: no control characters';
  if (ca !== '' && !ca.startsWith('/')) return 'ca_file: expected a whole path';
  const refused = policy.refuses(host);
  return refused === null ? null : `host: ${refused}`;
}

/** Certificates that are trusted in place of the system's. Errors say nothing of what is in the file. */
function readCa(path: string): string {
  let text = '';
  try {
    const found = lstatSync(path);
    if (found.isFile() && found.size <= MAX_CA) text = readFileSync(path, 'utf8');
  } catch {
    // The same words: whoever may set it need not learn which files there are.
  }
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new SendError(`ca_file ${path} is no file of certificates (PEM) that can be read`);
}

function dial(host: string, port: number, { policy, timeout }: SendContext, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: bareHost(host), port, lookup: policy.lookup, signal });
    const late = setTimeout(() => {
      socket.destroy(new SendError(`no connection to ${host}:${port} within ${timeout / 2000} s`));
    }, timeout / 2);
    socket.once('error', reject);
    socket.once('close', () => clearTimeout(late));
    socket.once('connect', () => {
      clearTimeout(late);
      socket.off('error', reject);
      resolve(socket);
    });
  });
}

/** Part of a Message-ID: what a host may be called, and nothing else. */
const idPart = (text: string): string => text.replaceAll(/[^A-Za-z0-9.-]/g, '-').slice(0, 200) || 'vigie';

export function mailOf(message: Message, { from, to }: Pick<Settings, 'from' | 'to'>): object {
  const host = idPart(message.engine);
  const thread = `<${idPart(message.thread)}.alarms@${host}>`;
  return {
    from: { name: 'Vigie', address: from },
    to: to.map((address) => ({ name: '', address })),
    subject: message.title,
    // Plain text alone: names of metrics and commands are text of strangers, and there is no markup to hide in.
    text: `${plainText(message, { most: MOST, links: true })}\n\n-- \nVigie on ${message.engine}\n`,
    messageId: `<${idPart(message.id)}@${host}>`,
    references: thread,
    inReplyTo: thread,
    date: new Date(message.time),
    headers: { 'X-Vigie-Delivery': message.id, 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

interface SmtpError extends Error {
  readonly code?: string;
  readonly responseCode?: number;
  readonly response?: string;
  readonly command?: string;
}

function smtpFailed(error: unknown, settings: Settings): SendError {
  const { host, port, username, password = '' } = settings;
  const place = `${host}:${port}`;
  if (error instanceof SendError) return error;
  const { code, responseCode, response, command, message } = error as SmtpError;
  const said = shownAnswer(response ?? '', [password]);
  // Wrong today, right tomorrow: a person who corrects the password expects what waited to be sent.
  if (code === 'EAUTH') return new SendError(`${place} did not accept the user ${username} and the password: ${said}`);
  if (command === 'STARTTLS' && responseCode !== undefined) {
    return new SendError(
      `${place} does not offer STARTTLS, and mail is not sent in clear: is it the right port? (${said})`,
    );
  }
  if (responseCode !== undefined) {
    const permanent =
      responseCode >= 500 &&
      (command === 'DATA' ||
        command === 'RCPT TO' ||
        command === 'MAIL FROM' ||
        code === 'EMESSAGE' ||
        code === 'EENVELOPE');
    return new SendError(said || `${responseCode}`, { permanent });
  }
  const words = sendFailed(Object.assign(new Error(message), { code: causeOf(error) ?? code }), place);
  return new SendError(shownAnswer(words.message, [password]));
}

/** The client gives errors of TLS codes of its own; what TLS said is in the text. */
function causeOf(error: unknown): string | undefined {
  const { cause, message } = error as Error & { cause?: { code?: string } };
  if (cause?.code !== undefined) return cause.code;
  if (/self-signed certificate in certificate chain/i.test(message)) return 'SELF_SIGNED_CERT_IN_CHAIN';
  if (/self-signed certificate/i.test(message)) return 'DEPTH_ZERO_SELF_SIGNED_CERT';
  if (/unable to (?:get|verify)/i.test(message)) return 'UNABLE_TO_VERIFY_LEAF_SIGNATURE';
  if (/certificate has expired/i.test(message)) return 'CERT_HAS_EXPIRED';
  if (/altnames|does not match certificate/i.test(message)) return 'ERR_TLS_CERT_ALTNAME_INVALID';
  if (/wrong version number|packet length too long/i.test(message)) return 'ERR_SSL_WRONG_VERSION_NUMBER';
  return undefined;
}

async function send(message: Message, settings: Settings, context: SendContext, signal: AbortSignal): Promise<string> {
  const { host, port, security, username, password = '' } = settings;
  const refused = context.policy.refuses(host);
  if (refused !== null) throw new SendError(refused);
  const ca = settings.ca_file === '' ? {} : { ca: readCa(settings.ca_file) };
  const late = AbortSignal.timeout(context.timeout);
  const ended = AbortSignal.any([signal, late]);
  const socket = await dial(host, port, context, ended);
  // Whatever hangs from here on hangs on this socket.
  const abandon = (): void => void socket.destroy(new Error('given up'));
  ended.addEventListener('abort', abandon, { once: true });
  const transport = createTransport({
    ...{
      host: bareHost(host),
      port,
      secure: security === 'tls',
      requireTLS: security === 'starttls',
      ignoreTLS: security === 'none',
    },
    ...(username === '' ? {} : { auth: { user: username, pass: password } }),
    tls: { ...ca, rejectUnauthorized: true, minVersion: 'TLSv1.2' },
    ...{
      connectionTimeout: context.timeout,
      greetingTimeout: context.timeout,
      socketTimeout: context.timeout,
      dnsTimeout: context.timeout,
    },
    ...{ disableFileAccess: true, disableUrlAccess: true },
    getSocket: (_options: unknown, callback: (error: Error | null, given: { connection: Socket }) => void) =>
      callback(null, { connection: socket }),
  });
  try {
    const { response, rejected } = await transport.sendMail(mailOf(message, settings));
    const answer = shownAnswer(response, [password]);
    return rejected.length === 0 ? answer : `${answer} (not taken for ${rejected.map(String).join(', ')})`;
  } catch (error) {
    if (signal.aborted) throw new SendError('given up');
    if (late.aborted) throw new SendError(`${host}:${port} did not answer within ${context.timeout / 1000} s`);
    throw smtpFailed(error, settings);
  } finally {
    ended.removeEventListener('abort', abandon);
    transport.close();
    socket.destroy();
  }
}

export const emailType: ChannelType<'email'> = {
  kind: 'email',
  secrets: ['password'],
  most: MOST,
  keep: 86_400_000,
  place: ({ host, port, security }) => `${host}:${port}:${security}`,
  check,
  open: (settings, context) => ({
    async send(message, signal) {
      try {
        return await send(message, settings, context, signal);
      } catch (error) {
        throw smtpFailed(error, settings);
      }
    },
  }),
};

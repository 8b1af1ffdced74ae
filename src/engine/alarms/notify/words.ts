/** Failures of a connection, in words that people act on. */

import { SendError } from './channel.ts';

/** Of an answer that is shown, characters. */
const MAX_ANSWER = 4096;

/** What came from outside, without secrets, cut. Ends of lines stay: it is shown as a text of its own. */
export function shownAnswer(text: string, secrets: readonly string[] = []): string {
  let clean = text;
  // Longest first: one may be a part of another.
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) {
    if (secret !== '') clean = clean.replaceAll(secret, '…');
  }
  // oxlint-disable-next-line no-control-regex -- all but ends of lines and tabs
  clean = clean.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f]/g, ' ').trim();
  return clean.length <= MAX_ANSWER ? clean : `${clean.slice(0, MAX_ANSWER - 1)}…`;
}

function codeWords(code: string, place: string): string | null {
  switch (code) {
    case 'ECONNREFUSED':
      return `connection refused by ${place}: is it running?`;
    case 'ENOTFOUND':
    case 'ENODATA':
      return `no host is called ${place}`;
    case 'EAI_AGAIN':
      return `the name ${place} could not be looked up: does the name server answer?`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return `there is no way to ${place} on the network`;
    case 'ETIMEDOUT':
      return `no connection to ${place}: is the host up, or a firewall in between?`;
    case 'ECONNRESET':
    case 'EPIPE':
      return `${place} closed the connection before it answered`;
    case 'EPROTO':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return `what answers at ${place} does not speak TLS`;
    case 'CERT_HAS_EXPIRED':
      return `the certificate of ${place} has expired`;
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `the certificate of ${place} is for another name`;
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
      return `the certificate of ${place} was signed by somebody who is not known here (${code})`;
    default:
      return null;
  }
}

/** Any failure of a connection. `place` is a host with its port, or a name. */
export function sendFailed(error: unknown, place: string): SendError {
  const first: unknown = error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error;
  if (first instanceof SendError) return first;
  const { code, message } =
    first instanceof Error ? (first as NodeJS.ErrnoException) : { code: '', message: String(first) };
  const words = codeWords(code ?? '', place);
  if (words !== null) return new SendError(words);
  if (code?.startsWith('HPE_') === true) return new SendError(`what answers at ${place} is not HTTP`);
  return new SendError(message || code || 'it failed');
}

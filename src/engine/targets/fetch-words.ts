/** Failures of a request, in words that people act on. */

import { bracketed } from './url.ts';
import { TargetError, type Access, type TargetUrl } from './type.ts';

export const placeOf = ({ ssh, socketPath, hostname, port }: TargetUrl): string =>
  `${socketPath ?? `${bracketed(hostname)}:${port}`}${ssh === null ? '' : ` through ${ssh}`}`;

export type Phase = 'lookup' | 'connect' | 'wait' | 'read';

/** `2.1 MiB`, `512 B`. */
export function bytesInWords(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB'];
  let [value, unit] = [bytes, 0];
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${Number(value.toFixed(value < 10 && unit > 0 ? 1 : 0))} ${units[unit]}`;
}

export function tooLarge(bytes: number | null, limit: number): TargetError {
  const limited = `over the ${bytesInWords(limit)} limit`;
  if (bytes === null) return new TargetError('refused', `the answer is ${limited}`);
  // Never "2 MiB over the 2 MiB limit".
  const size = bytesInWords(bytes) === bytesInWords(limit) ? `${bytes} B` : bytesInWords(bytes);
  return new TargetError('refused', `${size} ${limited}`);
}

const seconds = (ms: number): string => (ms < 1000 ? `${ms} ms` : `${Number((ms / 1000).toFixed(1))} s`);

export function timedOut(phase: Phase, ms: number, url: TargetUrl, bytes: number): TargetError {
  const time = seconds(ms);
  if (phase === 'lookup') {
    return new TargetError(
      'down',
      `the name ${url.hostname} was not looked up within ${time}: does the name server answer?`,
    );
  }
  if (phase === 'connect') {
    const cause =
      url.protocol === 'https:'
        ? 'is the host up, is a firewall in between, does it speak TLS?'
        : url.ssh === null
          ? 'is the host up, or a firewall in between?'
          : `is it up, can ${url.ssh} reach it?`;
    return new TargetError('down', `no connection to ${placeOf(url)} within ${time}: ${cause}`);
  }
  if (phase === 'wait') {
    return new TargetError(
      'down',
      `connected to ${placeOf(url)}, but no answer came within ${time}: does the exporter hang?`,
    );
  }
  return new TargetError('down', `the answer was not whole within ${time}: ${bytesInWords(bytes)} came`);
}

/** Status of an answer that is not taken. */
export function statusInWords(status: number, url: TargetUrl, access: Access): TargetError {
  if (status === 401) {
    const shown =
      access.bearer !== undefined
        ? 'the token was not accepted'
        : access.basic
          ? 'user and password were not accepted'
          : 'it wants a token, or a user and a password';
    return new TargetError('refused', `401: ${shown}`);
  }
  if (status === 403) return new TargetError('refused', `403: it does not let us read ${url.path}`);
  if (status === 404 || status === 410) {
    return new TargetError(
      'refused',
      `${status}: nothing is at ${url.path}: is the path right? Most exporters have /metrics`,
    );
  }
  if (status === 429) return new TargetError('down', '429: it says that it is asked too often: a longer period helps');
  if (status >= 500) return new TargetError('down', `${status}: the exporter says that it failed`);
  // As servers answer that want TLS.
  const hint = status === 400 && url.protocol === 'http:' && url.socketPath === null ? ': does it want https://?' : '';
  return new TargetError('refused', `${status}: that is no answer with metrics${hint}`);
}

/** Codes of errors where nothing listens, or nothing is reached. */
function networkWords(code: string, url: TargetUrl): string | null {
  const { hostname, port, socketPath } = url;
  switch (code) {
    case 'ECONNREFUSED':
      return socketPath === null
        ? `connection refused on port ${port}: is the exporter running?`
        : `connection refused on ${socketPath}: is the exporter running?`;
    case 'ENOENT':
      return `${socketPath ?? hostname} is not there: is the exporter running?`;
    case 'EACCES':
    case 'EPERM':
      return `no permission to connect to ${socketPath ?? placeOf(url)}`;
    case 'ENOTSOCK':
      return `${socketPath ?? hostname} is no socket`;
    case 'ENOTFOUND':
    case 'ENODATA':
      return `no host is called ${hostname}`;
    case 'EAI_AGAIN':
      return `the name ${hostname} could not be looked up: does the name server answer?`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return `there is no way to ${hostname} on the network`;
    case 'EHOSTDOWN':
      return `${hostname} is down`;
    case 'ETIMEDOUT':
      return `no connection to ${placeOf(url)}: is the host up, or a firewall in between?`;
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ERR_STREAM_PREMATURE_CLOSE':
      return `${placeOf(url)} closed the connection before the answer was whole`;
    case 'EMFILE':
    case 'ENFILE':
      return 'this engine has no file left to open: its limit of open files is too low';
    default:
      return null;
  }
}

/** Any error of a request as a {@link TargetError}. */
export function requestFailed(error: unknown, url: TargetUrl): Error {
  // Of a host with several addresses: what the first said.
  const first: unknown = error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error;
  if (first instanceof TargetError) return first;
  const code = first instanceof Error && 'code' in first ? String(first.code) : '';
  const words = networkWords(code, url);
  if (words !== null) return new TargetError('down', words);
  if (code === 'HPE_HEADER_OVERFLOW') return new TargetError('refused', 'the headers of its answer are too long');
  if (code.startsWith('HPE_')) {
    const hint = url.protocol === 'http:' ? ', or does it want https://?' : '';
    return new TargetError('refused', `what answers on ${placeOf(url)} is not HTTP: is it the right port${hint}`);
  }
  if (code === 'EPROTO' || code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG') {
    return new TargetError('refused', `what answers on ${placeOf(url)} does not speak TLS: is it http://?`);
  }
  if (code.startsWith('ERR_SSL_')) {
    const why = code.slice('ERR_SSL_'.length).toLowerCase().replaceAll('_', ' ');
    return new TargetError('refused', `no TLS connection to ${placeOf(url)} could be agreed on: ${why}`);
  }
  if (code.startsWith('Z_')) return new TargetError('refused', 'the answer says that it is gzip, but is not');
  return new TargetError('down', first instanceof Error ? first.message : String(first));
}

/** The way to a host that is reached directly: its name looked up, then a TCP connection, each with its own failure. */

import dns from 'node:dns';
import net from 'node:net';

import type { ResolvedHost } from '../types.ts';
import { SshFailure } from './failure.ts';
import { timeoutFailure, type Timeouts } from './phases.ts';

const FAMILY = { any: 0, inet: 4, inet6: 6 } as const;

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused the connection: nothing listens on that port',
  EHOSTUNREACH: 'cannot be reached: there is no way to it from here',
  ENETUNREACH: 'cannot be reached: this computer has no network that leads there',
  ETIMEDOUT: 'did not answer: it is down, or a firewall drops what is sent to it',
  ECONNRESET: 'cut the connection at once',
  EADDRNOTAVAIL: 'cannot be reached from the address that BindAddress names',
  EACCES: 'may not be reached: a rule of this computer forbids it',
};

/** Rejects when the time is over or the signal aborts; `work` is told by its own signal to let go. */
async function within<T>(
  phase: 'dns' | 'tcp',
  host: string,
  timeouts: Timeouts,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const both = AbortSignal.any([signal, AbortSignal.timeout(timeouts[phase])]);
  const over = Promise.withResolvers<never>();
  const end = (): void =>
    over.reject(
      signal.aborted
        ? new SshFailure('cancelled', phase, host, `${host}: cancelled`)
        : timeoutFailure(phase, host, timeouts[phase]),
    );
  if (both.aborted) end();
  both.addEventListener('abort', end, { once: true });
  try {
    return await Promise.race([work(both), over.promise]);
  } finally {
    both.removeEventListener('abort', end);
  }
}

async function lookUp(host: ResolvedHost): Promise<dns.LookupAddress[]> {
  try {
    return await dns.promises.lookup(host.hostname, { all: true, family: FAMILY[host.addressFamily] });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    const same = host.hostname === host.name ? '' : ` (${host.hostname})`;
    const words =
      code === 'EAI_AGAIN'
        ? 'its name cannot be looked up now: the name server does not answer'
        : 'no such host: its name is not known to the name server';
    throw new SshFailure('unreachable', 'dns', host.name, `${host.name}${same}: ${words}`, { cause: error });
  }
}

function connect(host: ResolvedHost, addresses: dns.LookupAddress[], signal: AbortSignal): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({
      host: host.hostname,
      port: host.port,
      // One after the other, with a short head start each, as browsers do: a broken IPv6 costs 250 ms, not minutes.
      autoSelectFamily: true,
      lookup: (_name, options, answer) => {
        if (options.all === true) answer(null, addresses);
        else answer(null, addresses[0]?.address ?? '', addresses[0]?.family ?? 4);
      },
      ...(host.bindAddress === undefined ? {} : { localAddress: host.bindAddress }),
    });
    const give = (): void => {
      socket.destroy();
    };
    signal.addEventListener('abort', give, { once: true });
    socket.once('connect', () => {
      signal.removeEventListener('abort', give);
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      signal.removeEventListener('abort', give);
      const first = error instanceof AggregateError ? (error.errors[0] as NodeJS.ErrnoException) : error;
      const words = REASONS[first.code ?? ''] ?? `cannot be reached: ${first.message}`;
      const where = `${host.hostname}:${host.port}`;
      reject(new SshFailure('unreachable', 'tcp', host.name, `${host.name} (${where}): ${words}`, { cause: error }));
    });
  });
}

/** @throws {SshFailure} */
export async function openTcp(
  host: ResolvedHost,
  timeouts: Timeouts,
  signal: AbortSignal,
  said: (text: string) => void,
): Promise<net.Socket> {
  const addresses = await within('dns', host.name, timeouts, signal, () => lookUp(host));
  said(`${host.hostname} is ${addresses.map(({ address }) => address).join(', ')}`);
  const socket = await within('tcp', host.name, timeouts, signal, (until) => connect(host, addresses, until));
  socket.setNoDelay(true);
  socket.setKeepAlive(host.tcpKeepAlive, 60_000);
  said(`connected to ${socket.remoteAddress ?? '?'} port ${host.port}`);
  return socket;
}

/** Another engine behind a server that ends TLS, as sites put one before what listens on loopback only. */

import { writeFileSync } from 'node:fs';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ProbeResult, type NewTargetInput } from '../../../src/shared/api/targets.ts';
import { authority, type Certificate } from '../../support/bad-server.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { startHere, type Here } from '../http/here.ts';
import { addTarget, metric, send, until } from './support.ts';

const NAMES = 'DNS:localhost,IP:127.0.0.1';
/** So many that a frame with all of them is longer than a read of a socket, and than a TLS record. */
const COUNTERS = 12_000;

interface Front {
  readonly url: string;
  /** Breaks off all connections. */
  cut(): void;
}

async function tlsFront({ key, cert }: Certificate, to: string): Promise<Front> {
  const open = new Set<Socket>();
  const server = createServer({ key, cert }, (client) => {
    const engine = connect(Number(new URL(to).port), '127.0.0.1');
    for (const [from, into] of [
      [client, engine],
      [engine, client],
    ] as const) {
      open.add(from);
      from.pipe(into);
      from.on('error', () => into.destroy());
      from.on('close', () => {
        open.delete(from);
        into.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const socket of open) socket.destroy();
  };
  onTestFinished(() => {
    cut();
    server.close();
  });
  return { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, cut };
}

const SLOW = { period: '250ms', timeout: '5s' } as const;
const tokenFor = ({ engine }: Here): { kind: 'bearer'; token: string } => ({ kind: 'bearer', token: engine.token });

/** Waits until each of the counters of the run has come as it is: what is mixed up would stand at the wrong one. */
async function allAre(here: Here, target: string, wanted: (i: number) => number): Promise<void> {
  await eventually(async () => {
    const { scopes } = await until(here, target, ({ scopes: all }) => all.some((one) => one.includes('/run/')));
    const { series } = await here.client.series(scopes.find((one) => one.includes('/run/'))!);
    const wrong = series.filter(({ name, value }) => value !== wanted(Number(name.slice(1))));
    if (series.length !== COUNTERS) throw new Error(`${series.length} series`);
    if (wrong.length > 0) throw new Error(`${wrong.length} are wrong, such as ${JSON.stringify(wrong[0])}`);
    return true;
  });
}

describe('an engine behind TLS', () => {
  test.each(['its own authority', 'a pinned certificate', 'no TLS'] as const)(
    'with %s: long frames come whole, and again after a broken connection',
    async (how) => {
      const remote = await startHere({ node: false });
      const here = await startHere({ node: false });
      const own = authority();
      const certificate = how === 'a pinned certificate' ? own.selfSigned(NAMES) : own.sign(NAMES, 2);
      const caFile = join(temporaryFolder(), 'ca.pem');
      writeFileSync(caFile, own.ca);
      const front = how === 'no TLS' ? null : await tlsFront(certificate, remote.url);
      const tls: Record<typeof how, NewTargetInput['tls']> = {
        'its own authority': { ca_file: caFile },
        'a pinned certificate': { pin: certificate.fingerprint },
        'no TLS': undefined,
      };
      const { id } = await addTarget(here, {
        ...{ url: front?.url ?? remote.url, auth: tokenFor(remote), ...SLOW },
        ...(tls[how] === undefined ? {} : { tls: tls[how] }),
      });
      expect((await until(here, id, ({ state }) => state === 'up')).type).toBe('vigie');
      const pusher = await remote.pusher();
      pusher.job({ jobid: 'wide', command: './wide' });
      for (let i = 0; i < COUNTERS; i++) pusher.describeCounter(`c${i}`);
      for (let i = 0; i < COUNTERS; i++) pusher.increase(`c${i}`, i + 1);
      await allAre(here, id, (i) => i + 1);
      for (let round = 0; round < 3; round++) {
        for (let i = 0; i < COUNTERS; i++) pusher.increase(`c${i}`, 3 * i + 1);
      }
      await allAre(here, id, (i) => 10 * i + 4);
      if (!front) return;
      front.cut();
      pusher.increase('c7', 1);
      await eventually(async () => (await metric(here, 'c7', 'wide')) === 75);
      await allAre(here, id, (i) => 10 * i + 4 + (i === 7 ? 1 : 0));
      // In the sum it is there once, too.
      expect(await metric(here, 'c7')).toBe(75);
    },
  );

  test('a certificate that nobody vouches for is shown, and another one than the pinned is refused', async () => {
    const remote = await startHere({ node: false });
    const here = await startHere({ node: false });
    const own = authority();
    const certificate = own.selfSigned(NAMES);
    const front = await tlsFront(certificate, remote.url);
    const probed = await send(here, 'POST', '/targets/probe', { url: front.url, auth: tokenFor(remote) });
    expect(ProbeResult.parse(probed.json())).toMatchObject({
      type: null,
      state: 'refused',
      fingerprint: certificate.fingerprint,
    });
    const pinned = { pin: own.selfSigned(NAMES).fingerprint };
    const { id } = await addTarget(here, { url: front.url, auth: tokenFor(remote), tls: pinned, ...SLOW });
    const { state, reason } = await until(here, id, (target) => target.state !== 'new');
    expect([state, reason]).toEqual([
      'refused',
      expect.stringContaining(`the certificate is not the pinned one, but ${certificate.fingerprint}`),
    ]);
  });
});

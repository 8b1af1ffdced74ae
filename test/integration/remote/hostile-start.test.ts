/** A host that an engine is sent to, and that plays with whoever sends it: each step has an end. */

import type { Connection, ServerChannel } from 'ssh2';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { LocalPackage } from '../../../src/engine/remote/start/local-package.ts';
import { checksumThere, send, type SendOptions } from '../../../src/engine/remote/start/send.ts';
import type { Session } from '../../../src/engine/remote/types.ts';
import { connect, DEFAULTS, MemoryHostKeys } from '../../support/ssh-session.ts';
import { stubServer } from '../../support/ssh-stub.ts';
import { lacksSshd, SshSite } from '../../support/sshd.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

describe.skipIf(lacksSshd())('a host', () => {
  let site: SshSite;
  beforeAll(() => {
    site = new SshSite();
  });
  afterAll(() => site.close());

  /** Answers each command as the test says. */
  async function sending(answer: (command: string, channel: ServerChannel) => void): Promise<SendOptions> {
    const began = (connection: Connection): void =>
      void connection.on('session', (accept) =>
        accept().on('exec', (take, _reject, { command }) => {
          const channel = take();
          channel.on('error', () => undefined).resume();
          answer(command, channel);
        }),
      );
    const { port } = await stubServer(site.key(`host${Math.random()}`), (context) => context.accept(), began);
    const host = { ...DEFAULTS, name: 'far', user: 'x', port, strictHostKeyChecking: 'accept-new' } as const;
    const link = await connect({ hosts: [host], keys: new MemoryHostKeys() });
    onTestFinished(() => link.close());
    const file = join(temporaryFolder(), 'package');
    writeFileSync(file, 'x'.repeat(1000));
    const local = { file, name: 'x', version: '1', sha256: '0'.repeat(64), size: 1000, unpacked: 1, glibc: '2.17' };
    return {
      ...{ session: link as unknown as Session, local: local satisfies LocalPackage, folder: '/tmp/x', part: 'part' },
      ...{ progress: () => undefined, signal: AbortSignal.timeout(60_000) },
    };
  }

  const told = (channel: ServerChannel, ...lines: string[]): void => {
    channel.write(['vigie-begin', ...lines, 'vigie-end', ''].join('\n'));
    channel.exit(0);
    channel.end();
  };

  test('that reads back without an end is not listened to for longer than the package is', async () => {
    let sent = 0;
    const options = await sending((command, channel) => {
      if (command.includes('sh -s')) return told(channel);
      const more = (): void => {
        while (channel.writable && sent < 200 << 20) {
          sent += 32_768;
          if (!channel.write(Buffer.alloc(32_768))) return void channel.once('drain', more);
        }
      };
      more();
    });
    expect(await checksumThere(options)).not.toBe(options.local.sha256);
    expect(sent).toBeLessThan(64 << 20);
  });

  test('that has more and less of the package in turn is given up', async () => {
    let size = 0;
    const options = await sending((command, channel) => {
      if (command.includes('sh -s')) return told(channel, `size ${(size = 1 - size)}`);
      channel.exit(0);
      channel.end();
    });
    await expect(send(options)).rejects.toThrow('the connection goes each time');
  });
});

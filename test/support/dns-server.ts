/** A DNS server on loopback that knows SRV records only, as a test says. */

import { createSocket } from 'node:dgram';
import { onTestFinished } from 'vitest';

export interface SrvRecord {
  readonly host: string;
  readonly port: number;
}

const nameBytes = (name: string): Buffer =>
  Buffer.concat([
    ...name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.from([0]),
  ]);

/** Answers for each name what `records` says; null: there is no such name. Returns `127.0.0.1:PORT`. */
export async function dnsServer(records: (name: string) => readonly SrvRecord[] | null): Promise<string> {
  const socket = createSocket('udp4');
  socket.on('message', (question, from) => {
    const labels: string[] = [];
    let at = 12;
    while (question[at] !== 0) {
      labels.push(question.toString('latin1', at + 1, at + 1 + question[at]!));
      at += 1 + question[at]!;
    }
    const asked = question.subarray(12, at + 5);
    const found = records(labels.join('.'));
    const header = Buffer.alloc(12);
    question.copy(header, 0, 0, 2);
    // A response, recursion available; 3: no such name.
    header.writeUInt16BE(0x8180 + (found ? 0 : 3), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(found?.length ?? 0, 6);
    const answers = (found ?? []).map(({ host, port }) => {
      const target = nameBytes(host);
      const fixed = Buffer.alloc(18);
      fixed.writeUInt16BE(0xc00c, 0);
      fixed.writeUInt16BE(33, 2);
      fixed.writeUInt16BE(1, 4);
      fixed.writeUInt32BE(1, 6);
      fixed.writeUInt16BE(6 + target.length, 10);
      fixed.writeUInt16BE(port, 16);
      return Buffer.concat([fixed, target]);
    });
    socket.send(Buffer.concat([header, asked, ...answers]), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  onTestFinished(() => void socket.close());
  return `127.0.0.1:${socket.address().port}`;
}

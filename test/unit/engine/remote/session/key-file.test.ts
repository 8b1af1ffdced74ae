import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { keyFileFacts, openKeyFile } from '../../../../../src/engine/remote/session/key-file.ts';
import { keyType, wireNumber, wireString, WireReader } from '../../../../../src/engine/remote/session/wire.ts';

describe('key files from anywhere', () => {
  const heads = [
    '-----BEGIN OPENSSH PRIVATE KEY-----\n',
    '-----BEGIN RSA PRIVATE KEY-----\n',
    '-----BEGIN ENCRYPTED PRIVATE KEY-----\n',
    'PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: aes256-cbc\nKey-Derivation: Argon2id\nArgon2-Memory: 8\n',
    'PuTTY-User-Key-File-2: ssh-rsa\nEncryption: none\nPublic-Lines: 1\nAAAA\nPrivate-Lines: 1\nAAAA\nPrivate-MAC: 00\n',
    '',
  ];

  test('end in words, whatever is in them', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...heads),
        fc.base64String({ maxLength: 400 }),
        fc.string({ maxLength: 50 }),
        (head, body, tail) => {
          const text = `${head}${body}\n${tail}-----END OPENSSH PRIVATE KEY-----\n`;
          for (const work of [() => keyFileFacts(text), () => openKeyFile(text, 'x')]) {
            try {
              work();
            } catch (error) {
              expect(error).toBeInstanceOf(Error);
              expect((error as Error).message).not.toBe('');
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test('one that asks for all memory of the machine is refused', () => {
    const text = [
      'PuTTY-User-Key-File-3: ssh-ed25519',
      'Encryption: aes256-cbc',
      'Comment: c',
      'Public-Lines: 1',
      'AAAA',
      'Key-Derivation: Argon2id',
      'Argon2-Memory: 4294967295',
      'Argon2-Passes: 1',
      'Argon2-Parallelism: 1',
      'Argon2-Salt: 00112233445566778899aabbccddeeff',
      'Private-Lines: 1',
      'AAAAAAAAAAAAAAAAAAAAAA==',
      'Private-MAC: 00',
    ].join('\n');
    expect(() => openKeyFile(text, 'x')).toThrow('Argon2-Memory in the key file makes no sense');
  });
});

test('numbers and strings as they are on the wire', () => {
  expect(wireNumber(Buffer.of(0, 0, 0x80)).toString('hex')).toBe('000000020080');
  expect(wireNumber(Buffer.of(0)).toString('hex')).toBe('00000000');
  expect(keyType(wireString('ssh-ed25519'))).toBe('ssh-ed25519');
  expect(keyType(wireString('\u0000'))).toBe('');
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const reader = new WireReader(Buffer.from(bytes));
      while (reader.string() !== undefined);
      expect(reader.string()).toBeUndefined();
      const round = new WireReader(wireString(Buffer.from(bytes)));
      expect(Buffer.compare(round.string() ?? Buffer.of(1), Buffer.from(bytes))).toBe(0);
    }),
  );
});

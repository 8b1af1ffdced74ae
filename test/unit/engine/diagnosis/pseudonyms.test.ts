import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Pseudonyms } from '../../../../src/engine/diagnosis/pseudonyms.ts';

function knowing(): Pseudonyms {
  const names = new Pseudonyms();
  names.addHost('login7.alpine.example.org');
  names.add('user', 'ada');
  names.add('user', 'lovelace');
  names.add('job', '42');
  names.add('job', 'protein folding (blue)');
  names.add('command', './fold --input /scratch/lovelace/blue set.pdb');
  names.add('path', '/scratch/lovelace/blue set');
  return names;
}

describe('names that are known', () => {
  test.each([
    ['lovelace logged in', 'user-1 logged in'],
    ['Lovelace and LOVELACE', 'user-1 and user-1'],
    // Short ones only where they stand alone.
    ['ada, not cicada', 'user-1, not cicada'],
    ['job 42 has 420 steps and 42 ranks', 'job job-1 has 420 steps and job-1 ranks'],
    ['on login7.alpine.example.org and login7', 'on host-1 and host-1'],
    ['on login7.other.example', 'on host-1'],
    ['login77 is another', 'login77 is another'],
    ['run of protein folding (blue) ended', 'run of job-1 ended'],
    ['ran ./fold --input /scratch/lovelace/blue set.pdb twice', 'ran command-1 twice'],
    ['wrote /scratch/lovelace/blue set/out.txt', 'wrote path-1'],
    ['wrote lovelace/private/thesis', 'wrote path-1'],
  ])('%s', (text, expected) => {
    expect(knowing().text(text)).toBe(expected);
  });

  test('are the same everywhere, and words of everybody stay', () => {
    const names = new Pseudonyms();
    names.add('user', 'root');
    names.addHost('localhost');
    names.addHost('n1');
    expect(names.value({ host: 'n1', list: ['root on localhost', { at: 'n1: ok' }], n: 1, none: null })).toEqual({
      host: 'host-1',
      list: ['root on localhost', { at: 'host-1: ok' }],
      n: 1,
      none: null,
    });
  });
});

describe('what looks like a name', () => {
  test.each([
    ['/home/somebody/.local/share/x: no space', 'path-1: no space'],
    ['open(/home/a/b) failed, then /home/a/b again', 'open(path-1) failed, then path-1 again'],
    ['at f (/opt/x/vigie.cjs:12:34)', 'at f (path-1:12:34)'],
    ['in ~somebody/data', 'in path-1'],
    ['cannot read /proc/stat and /dev/shm', 'cannot read /proc/stat and /dev/shm'],
    ['/proc/net/user_secret/alice7', 'path-1'],
    ['ask admin@hpc.example.org', 'ask address-1'],
    ['from 10.1.2.3 to 127.0.0.1', 'from address-1 to 127.0.0.1'],
    ['http://127.0.0.1:1337 answers', 'http://127.0.0.1:1337 answers'],
    ['refused by node12.cluster.example.org', 'refused by host-1'],
    ['Bearer 0123456789abcdefABCDEF0123456789_-x', 'Bearer SECRET'],
    ['version 24.21.0 of node', 'version 24.21.0 of node'],
  ])('%s', (text, expected) => {
    expect(new Pseudonyms().text(text)).toBe(expected);
  });
});

test('no known name of four letters and more is left in any text', () => {
  const name = fc
    .stringMatching(/^[a-z][a-z0-9_. -]{2,14}[a-z]$/)
    .filter((s) => !/^(?:root|nobody|localhost|vigie|main|unknown)$/.test(s));
  const kind = fc.constantFrom('host', 'user', 'job', 'command', 'path', 'cluster');
  fc.assert(
    fc.property(
      fc.array(fc.tuple(kind, name), { minLength: 1, maxLength: 6 }),
      fc.array(fc.string(), { maxLength: 7 }),
      (all, glue) => {
        const names = new Pseudonyms();
        for (const [k, n] of all) names.add(k, n);
        const text = all.map(([, n], i) => `${glue[i] ?? ' '}${n}`).join('');
        const out = names.text(text);
        for (const [, n] of all) {
          // What is made of a pseudonym and its surroundings may spell a name again by chance.
          const chance = out.replace(/(?:host|user|job|command|path|cluster|address)-\d+/g, '\n');
          expect(chance).not.toContain(n);
        }
      },
    ),
  );
});

/** What hosts say, in a terminal: no line of theirs is taken for one of ours, and no control character gets through. */

import { expect, test } from 'vitest';
import { stepText } from '../../../src/cli/remote-watch.ts';
import { oneLine, printable } from '../../../src/cli/terminal-prompts.ts';

test('control characters are shown as something that a terminal does not obey', () => {
  expect(printable('a\u001b[2Jb\u009bc\nd')).toBe('a?[2Jb?c\nd');
});

test('a reason is one line, whatever a host says in it', () => {
  expect(oneLine('it says: no\n✓ Start the engine (1 s)\r\nvigie: done')).toBe(
    'it says: no / ✓ Start the engine (1 s) / vigie: done',
  );
  const step = { name: 'host', title: 'Look at the host', state: 'failed', reason: 'no\n✓ done', ms: 12 } as const;
  expect(stepText({ ...step, progress: null })).toBe('✗ Look at the host (12 ms): no / ✓ done');
});

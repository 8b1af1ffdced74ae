import { expect, test } from 'vitest';

import { proxyCommandLine } from '../../../../../src/engine/remote/session/proxy-command.ts';
import { DEFAULTS } from '../../../../support/ssh-session.ts';

test('tokens of a ProxyCommand, each once', () => {
  const host = { ...DEFAULTS, name: 'n', hostname: 'h%p', port: 22, user: 'u' };
  expect(proxyCommandLine(host, 'nc %h %p %r %n 100%% %x %')).toBe('nc h%p 22 u n 100% %x %');
});

import { afterEach, expect, test, vi } from 'vitest';
import { defaultSocket } from '../../../src/cli/default-socket.ts';

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

test('what the environment names wins: ours, then that of the old clients', () => {
  vi.stubEnv('PROXY_PATH', '/old');
  vi.stubEnv('VIGIE_SOCKET', '/ours');
  expect(defaultSocket()).toBe('/ours');
  vi.stubEnv('VIGIE_SOCKET', '');
  expect(defaultSocket()).toBe('/old');
});

test('without any, the error names the places and the command', () => {
  vi.stubEnv('PROXY_PATH', '');
  vi.stubEnv('VIGIE_SOCKET', '');
  // A user without an engine.
  vi.spyOn(process, 'getuid').mockReturnValue(4_000_000_001);
  expect(() => defaultSocket()).toThrow(
    'no engine runs here (neither /tmp/vigie-4000000001/engine.socket nor /tmp/metric-proxy-4000000001.socket exists); start one with `vigie serve`',
  );
});

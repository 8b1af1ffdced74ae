import { existsSync } from 'node:fs';
import { PushError } from '../client/pusher.ts';

/** The socket of this user's engine: what the environment names, else the usual places. */
export function defaultSocket(): string {
  const uid = process.getuid?.() ?? 0;
  const named = process.env['VIGIE_SOCKET'] || process.env['PROXY_PATH'];
  if (named) return named;
  const usual = [`/tmp/vigie-${uid}/engine.socket`, `/tmp/metric-proxy-${uid}.socket`];
  const found = usual.find((path) => existsSync(path));
  if (found) return found;
  throw new PushError(`no engine runs here (neither ${usual.join(' nor ')} exists); start one with \`vigie serve\``);
}

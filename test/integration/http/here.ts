/** An engine in the test's own process: the real one, on real sockets, without a command line around it. */

import { request, type IncomingHttpHeaders } from 'node:http';
import { join } from 'node:path';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { EngineClient } from '../../../src/client/http.ts';
import { Pusher } from '../../../src/client/pusher.ts';
import { resolveConfig, type SettingsInput } from '../../../src/engine/config.ts';
import { startEngine, type Engine, type EngineOptions } from '../../../src/engine/engine.ts';
import type { Clock } from '../../../src/engine/live/sampler.ts';
import { temporaryFolder } from '../../support/tmp.ts';

export interface Here {
  readonly engine: Engine;
  /** Base URL without a slash at the end. */
  readonly url: string;
  readonly folder: string;
  /** Over TCP, with the token. */
  readonly client: EngineClient;
  /** Lines of the log, parsed. */
  readonly log: readonly { level: number; msg: string }[];
  /** A client of the legacy protocol; broken off after the test. */
  pusher(): Promise<Pusher>;
}

/** In memory, on a free port, with sockets in a folder of its own, ticking fast. Closed after the test. */
export async function startHere(
  settings: SettingsInput = {},
  folder = temporaryFolder(),
  clock?: Clock,
  options: Pick<EngineOptions, 'sessions' | 'lookEvery' | 'keyring'> = {},
): Promise<Here> {
  const log: { level: number; msg: string }[] = [];
  const config = await resolveConfig(
    {
      listen: '127.0.0.1:0',
      socket: join(folder, 'engine.socket'),
      legacy_socket: join(folder, 'legacy.socket'),
      period: '50ms',
      grace: '100ms',
      ...(settings.data === undefined ? { memory: true } : {}),
      ...settings,
    },
    {},
    null,
  );
  const stream = { write: (line: string) => void log.push(JSON.parse(line) as (typeof log)[number]) };
  const engine = await startEngine(config, {
    log: pino({ level: 'debug' }, stream),
    ...(clock === undefined ? {} : { clock }),
    ...options,
  });
  onTestFinished(() => engine.close());
  const url = engine.ready.url ?? '';
  return {
    engine,
    url,
    folder,
    client: new EngineClient({ url, token: engine.token }),
    log,
    async pusher() {
      const pusher = await Pusher.connect(config.socket);
      onTestFinished(() => pusher.destroy());
      return pusher;
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  json(): unknown;
}

export interface Ask {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A request just as it is told, the token only when it is among the headers. */
export function ask(
  where: Pick<Here, 'url'> | { socketPath: string },
  path: string,
  { method = 'GET', headers = {}, body }: Ask = {},
): Promise<Answer> {
  const target = 'url' in where ? { host: new URL(where.url).hostname, port: new URL(where.url).port } : where;
  return new Promise((resolve, reject) => {
    const outgoing = request({ ...target, path, method, headers, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => (text += part));
      answer.on('error', reject);
      answer.on('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          type: answer.headers['content-type'] ?? '',
          headers: answer.headers,
          body: text,
          json: () => JSON.parse(text) as unknown,
        }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** The header that opens everything. */
export const withToken = ({ engine }: Here): { authorization: string } => ({ authorization: `Bearer ${engine.token}` });

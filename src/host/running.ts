/** Finds the engine that is in the way of another one, so that it can be shown instead. */

import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import type { Config } from '../engine/config.ts';
import { Status } from '../shared/api/status.ts';
import { ENGINE_FILE, EngineFile } from '../shared/engine-file.ts';
import { RunningEngine } from '../shared/host.ts';

/** An engine on this machine that is alive answers within this time, in ms. */
const ANSWERS_WITHIN = 2000;
const MAX_ANSWER = 1024 * 1024;

/** Over the socket: whoever may open it owns the engine. */
function statusOf(socketPath: string): Promise<Status | null> {
  return new Promise((resolve) => {
    const options = { socketPath, path: '/api/v1/status', agent: false, timeout: ANSWERS_WITHIN };
    const asked = request(options, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        if (text.length > MAX_ANSWER) asked.destroy();
      });
      answer.on('end', () => {
        try {
          resolve(Status.parse(JSON.parse(text)));
        } catch {
          resolve(null);
        }
      });
    });
    asked.once('timeout', () => asked.destroy());
    asked.once('error', () => resolve(null));
    asked.once('close', () => resolve(null));
    asked.end();
  });
}

/** Where the engine of a data directory says that it is. */
function socketOf(data: string): string | null {
  try {
    return EngineFile.parse(JSON.parse(readFileSync(join(data, ENGINE_FILE), 'utf8'))).socket;
  } catch {
    return null;
  }
}

/** The engine that has this configuration's data directory, else its socket; null when none can be shown. */
export async function runningEngine(config: Config): Promise<RunningEngine | null> {
  const sockets = [config.data === null ? null : socketOf(config.data), config.socket];
  for (const socket of new Set(sockets)) {
    const status = socket === null ? null : await statusOf(socket);
    if (status === null || status.engine.url === null) continue;
    try {
      const token = readFileSync(status.engine.token_file, 'utf8').trim();
      const { url, pid, host } = status.engine;
      return RunningEngine.parse({ url, token, pid, host });
    } catch {
      // Not on this machine's loopback, or its token is not ours to read.
    }
  }
  return null;
}

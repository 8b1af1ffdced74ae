import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild } from './child.ts';

const ROOT = join(import.meta.dirname, '../..');
/** A first start may build the engine. */
const READY_DEADLINE = 300_000;

export interface Engine {
  readonly pid: number;
  readonly url: string;
  readonly legacySocket: string;
  readonly token: string;
  /** GET with the engine's token. */
  get(path: string): Promise<unknown>;
  stop(): Promise<void>;
}

interface Ready {
  readonly event: string;
  readonly url: string;
  readonly legacy_socket: string | null;
  readonly token_file: string;
  readonly pid: number;
}

/** A new folder below the system's own for temporary files, and its removal. */
export function temporaryFolder(name: string): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), `vigie-bench-${name}-`));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/**
 * Starts the engine as its users do, with every file of it in a folder of its own.
 *
 * @param args Further arguments of `vigie serve`; with `--memory` nothing is stored.
 */
export async function startEngine(args: readonly string[]): Promise<Engine> {
  const folder = temporaryFolder('engine');
  const at = (name: string): string => join(folder.path, name);
  const where = args.includes('--memory') ? [] : ['--data', at('data')];
  const child = startChild(
    join(ROOT, 'bin/vigie'),
    ['serve', '--listen', '127.0.0.1:0', '--socket', at('vigie.socket'), '--legacy-socket', at('legacy.socket')].concat(
      where,
      ['--token-file', at('token')],
      args,
    ),
    // What is measured is what was built before the benchmark, even when sources change meanwhile.
    { env: { VIGIE_SKIP_BUILD: '1', HOME: folder.path, XDG_DATA_HOME: at('share') } },
  );
  const stop = async (): Promise<void> => {
    await child.stop();
    folder.remove();
  };
  try {
    const ready = JSON.parse(await child.line(READY_DEADLINE)) as Ready;
    if (ready.event !== 'ready' || ready.legacy_socket === null) throw new Error(`not ready: ${JSON.stringify(ready)}`);
    const token = readFileSync(ready.token_file, 'utf8').trim();
    const authorization = `Bearer ${token}`;
    return {
      pid: ready.pid,
      url: ready.url,
      legacySocket: ready.legacy_socket,
      token,
      get: (path) => getJson(new URL(path, ready.url).href, { authorization }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

export async function getJson(url: string, headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(30_000) });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${(await answer.text()).slice(0, 500)}`);
  return answer.json();
}

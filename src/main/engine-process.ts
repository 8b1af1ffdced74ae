/** The engine's process: Electron's utility process with the host in it. */

import { utilityProcess } from 'electron';
import { afterOutput, readLines } from './engine-output.ts';
import type { EngineProcess, ProcessListener } from './supervisor.ts';

/** A process that was asked to end at once has this long, in ms. */
const KILL_AFTER = 1000;
/** What it wrote last is read within this, in ms. */
const READ_WITHIN = 2000;

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}

/**
 * @param host Path of the built host.
 * @param echo Where its log goes, besides to the listener.
 */
export function launchEngine(host: string, listener: ProcessListener, echo: (line: string) => void): EngineProcess {
  const child = utilityProcess.fork(host, [], { serviceName: 'Vigie engine', stdio: 'pipe' });
  const line = (text: string): void => {
    listener.line(text);
    echo(text);
  };
  const read = [child.stdout, child.stderr].flatMap((stream) => (stream === null ? [] : [readLines(stream, line)]));
  child.on('message', (message: unknown) => listener.message(message));
  // Its last lines may still be in the pipes.
  child.on('exit', (code) => afterOutput(read, READ_WITHIN, () => listener.exit(code)));
  return {
    send: (message) => child.postMessage(message),
    kill() {
      const { pid } = child;
      // Its host passes this on to an engine in a process below it; one that hangs with it in one process may not hear it.
      child.kill();
      const last = setTimeout(() => void (pid !== undefined && end(pid)), KILL_AFTER);
      child.once('exit', () => clearTimeout(last));
    },
  };
}

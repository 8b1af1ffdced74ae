/** The engine's process: Electron's utility process with the host in it. */

import { utilityProcess } from 'electron';
import type { EngineProcess, ProcessListener } from './supervisor.ts';

/** A process that was asked to end at once has this long, in ms. */
const KILL_AFTER = 1000;

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}

/** Calls `line` for each line of a stream; an endless one is cut. */
function eachLine(stream: NodeJS.ReadableStream | null, line: (text: string) => void): void {
  let rest = '';
  stream?.setEncoding('utf8');
  stream?.on('data', (text: string) => {
    const lines = `${rest}${text}`.split('\n');
    rest = (lines.pop() ?? '').slice(0, 4096);
    for (const one of lines) line(one.slice(0, 4096));
  });
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
  eachLine(child.stdout, line);
  eachLine(child.stderr, line);
  child.on('message', (message: unknown) => listener.message(message));
  // Its last lines are still in the pipes: a turn of the loop reads them.
  child.on('exit', (code) => void setTimeout(() => listener.exit(code), 50));
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

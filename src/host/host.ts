/**
 * The process with the engine, as the desktop's main process forks it. It only decides where the engine runs: in this
 * process, or, where the runtime's own Node is too old for the engine's native parts (loading them would abort it), in a
 * child with the project's Node. Built as CommonJS for Node 16: nothing newer may be used here.
 */

import { fork } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { EngineChannel } from './embedded.ts';
import { MALLOC, NODE_FLAGS } from './node-flags.ts';

/** Node-API version that better-sqlite3 is built against. */
const NODE_API = 10;
const NODE_MAJOR = 24;

interface ParentPort {
  on(event: 'message', listener: (event: { data: unknown }) => void): void;
  postMessage(message: unknown): void;
}

// Electron adds it to the process; its types belong to the main process.
const { parentPort, resourcesPath } = process as unknown as { parentPort: ParentPort; resourcesPath: string };

/** dist/ of the tree. A packaged application keeps the engine beside its archive: another Node cannot look into that. */
const dist = dirname(dirname(__dirname)).replace(/app\.asar(?=$|[/\\])/, 'app.asar.unpacked');
const engine = join(dist, 'engine', 'embedded.cjs');

/** A crash leaves no copy of memory with passwords in it: not of this process, and not of its children. */
function keepOutOfCores(): void {
  try {
    writeFileSync('/proc/self/coredump_filter', '0');
  } catch {
    // There is no /proc, or nothing that could dump.
  }
}

function runsHere(): boolean {
  const major = Number.parseInt(process.versions.node, 10);
  return major >= NODE_MAJOR && Number(process.versions['napi'] ?? 0) >= NODE_API;
}

function loadEngine(): void {
  // oxlint-disable-next-line typescript/no-require-imports -- a file of the built tree, known only at run time
  const { runEngine } = require(engine) as { runEngine: (channel: EngineChannel) => void };
  runEngine({
    send: (message) => parentPort.postMessage(message),
    onMessage: (listener) => parentPort.on('message', ({ data }) => listener(data)),
    // The main process is gone: this one is ended with it.
    onGone: () => undefined,
    exit: (code) => process.exit(code),
  });
}

function spawnEngine(): void {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  const places = [join(dirname(dist), 'node_modules', 'node', 'bin', name), join(resourcesPath, name)];
  const execPath = places.find((path) => existsSync(path));
  if (execPath === undefined) {
    const message = `this runtime has Node ${process.versions.node}, the engine needs ${NODE_MAJOR}, and there is no other one at ${places.join(' or ')}`;
    parentPort.postMessage({ type: 'failed', code: 'no_node', message, running: null });
    return;
  }
  const child = fork(engine, [], {
    execPath,
    execArgv: NODE_FLAGS,
    env: { ...MALLOC, ...process.env },
    // Its log is this process's, which the main process reads.
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  child.on('message', (message) => parentPort.postMessage(message));
  child.on('error', (error) => {
    process.stderr.write(`${execPath} does not run: ${error.message}\n`, () => process.exit(1));
  });
  child.on('exit', (code, signal) => {
    if (signal !== null) process.stderr.write(`the engine was ended by ${signal}\n`, () => process.exit(1));
    else process.exit(code ?? 1);
  });
  // Who ends this process wants the engine ended, also one that hangs.
  process.on('SIGTERM', () => {
    child.kill('SIGKILL');
    process.exit(1);
  });
  parentPort.on('message', ({ data }) => {
    // It may have ended a moment ago; its exit is told by itself.
    if (child.connected) child.send(data as object, () => undefined);
  });
}

// Ctrl-C reaches everybody in the terminal's group: the main process decides when the engine ends.
process.on('SIGINT', () => undefined);
process.on('SIGHUP', () => undefined);

keepOutOfCores();
if (runsHere()) loadEngine();
else spawnEngine();

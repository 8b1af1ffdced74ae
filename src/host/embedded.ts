/** The engine inside of the desktop: started and stopped by messages instead of flags and signals. Runs on Node 24. */

import { pino } from 'pino';
import pretty from 'pino-pretty';
import { resolveConfig, type Config, type SettingsInput } from '../engine/config.ts';
import { RecentLog } from '../engine/diagnosis/recent-log.ts';
import { startEngine, type Engine } from '../engine/engine.ts';
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { type FromEngine, type KeyringAsk, ToEngine } from '../shared/host.ts';
import { MainKeyring } from './keyring.ts';
import { runningEngine } from './running.ts';

/** The way to the main process, whoever carries it. */
export interface EngineChannel {
  send(message: FromEngine | KeyringAsk): void;
  onMessage(listener: (message: unknown) => void): void;
  /** The other side is gone. */
  onGone(listener: () => void): void;
  exit(code: number): void;
}

/** A start that was not asked for by name takes the port it had before, else any. */
async function start(config: Config, port: number | null, passingToken: string, keyring: MainKeyring): Promise<Engine> {
  // For the person at the window, and for the lines that it shows when the engine does not start.
  const recentLog = new RecentLog();
  const log = pino(
    { level: config.logLevel, base: null },
    recentLog.beside(
      pretty({ destination: 2, sync: true, colorize: false, translateTime: 'SYS:HH:MM:ss', ignore: 'pid,hostname' }),
    ),
  );
  const { listen } = config;
  if (listen.kind !== 'tcp') {
    throw new Error('a window needs an engine that listens on a port: leave out --listen, or give 127.0.0.1:PORT');
  }
  const again = port !== null && (listen.isDefault || listen.port === 0);
  return startEngine(again ? { ...config, listen: { ...listen, port, isDefault: true } } : config, {
    log,
    recentLog,
    passingToken,
    keyring,
  });
}

/** Takes `start`, tells `ready` or `failed`, and closes in order on `stop` or when nobody is there any more. */
export function runEngine(channel: EngineChannel): void {
  let engine: Promise<Engine> | null = null;
  let ending = false;
  const keyring = new MainKeyring((ask) => channel.send(ask));

  const end = async (): Promise<void> => {
    if (ending) return;
    ending = true;
    try {
      await (await engine)?.close();
      channel.exit(0);
    } catch {
      // It did not start, which has been told.
      channel.exit(1);
    }
  };

  const begin = async (settings: SettingsInput, file: string | null, port: number | null): Promise<void> => {
    let config: Config | null = null;
    try {
      config = await resolveConfig({ log_level: 'warn', ...settings }, process.env, file);
      // The window's own, anew for each start: whoever takes the port of a dead engine hears one that is worth nothing.
      const token = randomBytes(32).toString('base64url');
      engine = start(config, port, token, keyring);
      const { ready } = await engine;
      const { url, pid, socket, data } = ready;
      channel.send({ type: 'ready', engine: { url: url ?? '', token, pid, host: hostname() }, socket, data });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const code = (error as { code?: unknown }).code;
      const running = config === null ? null : await runningEngine(config);
      channel.send({ type: 'failed', code: typeof code === 'string' ? code : 'failed', message, running });
      void end();
    }
  };

  channel.onMessage((data) => {
    const parsed = ToEngine.safeParse(data);
    if (!parsed.success) return;
    const message = parsed.data;
    if (message.type === 'stop') void end();
    else if (message.type === 'keyring') keyring.take(message);
    else if (engine === null && !ending) void begin(message.settings, message.config, message.port);
  });
  channel.onGone(() => void end());
}

// Spawned with the project's Node.
if (process.send !== undefined) {
  // Ctrl-C reaches everybody in the terminal's group: the main process decides when this one ends.
  process.on('SIGINT', () => undefined);
  process.on('SIGHUP', () => undefined);
  runEngine({
    send: (message) => void process.send?.(message),
    onMessage: (listener) => process.on('message', listener),
    onGone(listener) {
      process.on('disconnect', listener);
      process.on('SIGTERM', listener);
    },
    exit: (code) => process.exit(code),
  });
}

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface ChildOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** A process that this benchmark started, and stops. */
export interface Child {
  readonly pid: number;
  /** The next line of its stdout. Rejects when it ends first, or after the deadline, with what it said on stderr. */
  line(deadlineMs: number): Promise<string>;
  /** A line to its stdin. */
  say(text: string): void;
  /** Its stdin is closed, and it is waited for. Returns its exit status. */
  finish(deadlineMs: number): Promise<number | null>;
  /** SIGTERM, and SIGKILL after the deadline. */
  stop(deadlineMs?: number): Promise<void>;
}

const STDERR_KEPT = 4000;

/** No benchmark leaves processes behind, however it ends. */
const running = new Set<() => void>();
process.once('exit', () => {
  for (const kill of running) kill();
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

export function startChild(command: string, args: readonly string[], options: ChildOptions = {}): Child {
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const kill = (): void => void child.kill('SIGKILL');
  running.add(kill);
  let said = '';
  let failure: string | null = null;
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-STDERR_KEPT)));
  child.on('error', (error) => (failure = error.message));
  child.stdin.on('error', () => {});
  const exited = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      running.delete(kill);
      resolve(code);
    });
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const lost = (what: string): Error => new Error(`${command} ${what}\n${failure ?? said}`);
  return {
    pid: child.pid ?? -1,
    async line(deadlineMs) {
      const next = await withDeadline(lines.next(), deadlineMs, () => lost(`said nothing for ${deadlineMs} ms`));
      if (next.done === true) {
        await exited;
        throw lost('ended');
      }
      return next.value;
    },
    say: (text) => void child.stdin.write(`${text}\n`),
    async finish(deadlineMs) {
      child.stdin.end();
      return withDeadline(exited, deadlineMs, () => lost(`did not end within ${deadlineMs} ms`));
    },
    async stop(deadlineMs = 20_000) {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      const timer = setTimeout(kill, deadlineMs);
      await exited;
      clearTimeout(timer);
    },
  };
}

async function withDeadline<T>(work: Promise<T>, ms: number, error: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(error()), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

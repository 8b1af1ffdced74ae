/** A network of a test's own: two addresses, and a wire between them that loses what it is told to lose. Root only. */

import { execFileSync } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';

const ip = (...args: string[]): void => void execFileSync('ip', args, { stdio: 'pipe' });
const tc = (...args: string[]): void => void execFileSync('tc', args, { stdio: 'pipe' });

/** An address that no machine has: what is sent there is dropped without a word, as by a firewall. */
const NOBODY = '02:00:00:00:00:01';

export class LossyWire {
  /** Of `ip netns`. */
  readonly namespace = `vg${randomBytes(4).toString('hex')}`;
  readonly here: string;
  readonly there: string;

  /** @throws {Error} Where this is not allowed. */
  constructor() {
    const net = `10.${randomInt(200, 250)}.${randomInt(1, 250)}`;
    [this.here, this.there] = [`${net}.1`, `${net}.2`];
    const [near, far] = [`${this.namespace}a`, `${this.namespace}b`];
    ip('netns', 'add', this.namespace);
    try {
      ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', this.namespace);
      ip('addr', 'add', `${this.here}/30`, 'dev', near);
      ip('-n', this.namespace, 'addr', 'add', `${this.there}/30`, 'dev', far);
      ip('link', 'set', near, 'up');
      for (const one of ['lo', far]) ip('-n', this.namespace, 'link', 'set', one, 'up');
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** From here on everything is lost, in both directions; nobody is told. */
  cut(): void {
    ip('neigh', 'replace', this.there, 'lladdr', NOBODY, 'nud', 'permanent', 'dev', `${this.namespace}a`);
    const other = ['replace', this.here, 'lladdr', NOBODY, 'nud', 'permanent', 'dev', `${this.namespace}b`];
    ip('-n', this.namespace, 'neigh', ...other);
  }

  mend(): void {
    ip('neigh', 'flush', 'dev', `${this.namespace}a`, 'nud', 'permanent');
    ip('-n', this.namespace, 'neigh', 'flush', 'dev', `${this.namespace}b`, 'nud', 'permanent');
  }

  /** A queue that is too short for its rate: TCP finds that out by what is lost, again and again. */
  squeeze(): void {
    const queue = ['root', 'tbf', 'rate', '4mbit', 'burst', '4kb', 'limit', '8kb'];
    tc('qdisc', 'replace', 'dev', `${this.namespace}a`, ...queue);
    tc('-n', this.namespace, 'qdisc', 'replace', 'dev', `${this.namespace}b`, ...queue);
  }

  /** Packets that were lost so far, in both directions. */
  get lost(): number {
    const shown = [
      execFileSync('tc', ['-s', 'qdisc', 'show', 'dev', `${this.namespace}a`], { encoding: 'utf8' }),
      execFileSync('tc', ['-n', this.namespace, '-s', 'qdisc', 'show', 'dev', `${this.namespace}b`], {
        encoding: 'utf8',
      }),
    ];
    return shown.reduce((sum, text) => sum + Number(/dropped (\d+)/.exec(text)?.[1] ?? 0), 0);
  }

  close(): void {
    ip('netns', 'del', this.namespace);
  }
}

/** Whether tests of a network are left out; the reason is printed. */
export function lacksNetwork(): boolean {
  try {
    const wire = new LossyWire();
    try {
      wire.squeeze();
    } finally {
      wire.close();
    }
    return false;
  } catch (error) {
    console.log(`skipped: a network of a test's own is not possible here: ${(error as Error).message.split('\n')[0]}`);
    return true;
  }
}

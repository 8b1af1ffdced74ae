/** Puts the alarms together, and says what rules see of the engine: its scopes in the words of people, and its sums. */

import { userInfo } from 'node:os';
import { MAIN_JOB, NODE_JOB_PREFIX } from '../../shared/model/job.ts';
import type { ScopeId } from '../../shared/model/scope.ts';
import type { LiveRun } from '../live/runs.ts';
import { MergedView, type Part } from '../live/view.ts';
import type { Store } from '../store/store.ts';
import type { Entry } from '../targets/entry.ts';
import { Alarms, type AlarmsOptions } from './alarms.ts';
import type { Source, SourceAbout } from './match.ts';
import type { AlarmChannelSettings } from './notify/settings.ts';
import { recordsOver } from './records-store.ts';
import { sourceOf, type Sum } from './sums.ts';

export interface AlarmParts {
  readonly store: Store;
  /** Host name. */
  readonly host: string;
  /** Directory of the store; null: everything is in memory. */
  readonly data: string | null;
  readonly channels: AlarmChannelSettings;
  readonly now: () => number;
  readonly warn: (message: string) => void;
  readonly announce: () => void;
  /** The node's own scope. */
  readonly node: string;
  /** Scopes that live now. */
  readonly live: () => Iterable<ScopeId>;
  readonly run: (id: string) => LiveRun | null;
  readonly target: (id: string) => Entry | null;
  /** What `main` or `Node: HOST` consists of; null: there is none. */
  readonly parts: (name: string) => readonly Part[] | null;
}

export function openAlarms(parts: AlarmParts): Promise<Alarms> {
  const { store, host, data, channels, now, warn, announce, node } = parts;
  const sums = new Map<string, Sum>();
  const options: AlarmsOptions = {
    ...{ records: recordsOver(store.alarms), engine: host, now, warn, announce },
    hasTarget: (id) => parts.target(id) !== null,
    async evaluator() {
      const { Evaluator } = await import('./evaluate.ts');
      return new Evaluator({
        about: ({ id }: Source) => aboutScope(parts, id),
        merge: (name: string) => sumOf(parts, sums, name),
        gone: (id: ScopeId) => isGone(parts, id),
      });
    },
    async *preview(request, signal) {
      const { preview } = await import('./preview.ts');
      const about = (id: ScopeId): SourceAbout | null => aboutScope(parts, id);
      yield* preview({ store, now, live: parts.live, about, aboutRun }, request, signal);
    },
    async notifier(records, notifierHost) {
      const { createNotifier } = await import('./notify/index.ts');
      return createNotifier(records, notifierHost, { data, engine: host, settings: channels });
    },
  };
  return Alarms.open(options, async () => (await store.snapshot(node, Number.MAX_SAFE_INTEGER))?.time ?? 0);
}

/** Places that find targets may take a while after a start: whoever asks has waited. */
function isGone({ target: targetOf }: AlarmParts, id: ScopeId): boolean {
  const [, first = '', ...below] = id.split('/');
  const entry = targetOf(first);
  if (!entry) return true;
  return below.length > 0 && entry.lastScrape !== null && !entry.scopes.has(below.join('/'));
}

/** As patterns see a scope; null: no rule is about it. */
function aboutScope({ host, node, run: runOf, target: targetOf }: AlarmParts, id: ScopeId): SourceAbout | null {
  if (id === node) return { kind: 'node', place: host, names: [host] };
  const [kind, first = '', ...below] = id.split('/');
  if (kind === 'run') {
    const run = runOf(first);
    return run && aboutRun(run.desc);
  }
  const target = kind === 'target' ? targetOf(first) : null;
  return target && aboutTarget(target, below.join('/'));
}

/** One engine is one user's: nothing that is pushed says of whom it is. */
const aboutRun = ({ jobid, command }: { readonly jobid: string; readonly command: string }): SourceAbout => ({
  ...{ kind: 'run', jobid, command, user: ownUser() },
  place: command === '' ? jobid : `${jobid} ${command}`,
});

let user: string | null = null;

function ownUser(): string {
  try {
    user ??= userInfo().username;
  } catch {
    // In a container that has no name for it.
    user = String(process.getuid?.() ?? 0);
  }
  return user;
}

function aboutTarget({ record, abouts }: Entry, below: string): SourceAbout {
  const { url, labels, type } = record;
  const address = url.replace(/^[a-z+]+:\/\//, '').replace(/\/$/, '');
  const about = below === '' ? undefined : abouts.get(below);
  // Another engine has rules of its own for what it has: here it is a target and nothing else.
  if (about && type !== 'vigie') {
    return about.kind === 'run' ? aboutRun(about.desc) : { kind: 'node', place: about.host, names: [about.host] };
  }
  const names = [url, address, ...Object.entries(labels).map(([name, value]) => `${name}=${value}`)];
  const what = about && (about.kind === 'run' ? about.desc.jobid : about.host);
  return { kind: 'target', place: what === undefined ? address : `${what} (${address})`, names };
}

function sumOf({ parts }: AlarmParts, sums: Map<string, Sum>, name: string): Source | null {
  if (name !== MAIN_JOB && !name.startsWith(NODE_JOB_PREFIX)) return null;
  const found = parts(name);
  if (!found) {
    sums.delete(name);
    return null;
  }
  const known = sums.get(name);
  const view = (known?.view ?? new MergedView()).update(found);
  if (known?.version === view.version) return known;
  const sum = sourceOf(name, view);
  sums.set(name, sum);
  return sum;
}

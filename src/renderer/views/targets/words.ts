import type { Target, TargetTypeName } from '../../../shared/api/targets.ts';
import type { ShownState } from '../../data/targets.ts';

/** Colour and form of a state's dot. */
export const STATE_TONES: Readonly<Record<ShownState, string>> = {
  up: 'good',
  slow: 'warn',
  new: 'calm',
  down: 'bad',
  refused: 'stop',
  paused: 'rest',
};

/** What a state means, for whoever meets it the first time. */
export const STATE_HELP: Readonly<Record<ShownState, string>> = {
  up: 'answers, and its numbers are taken',
  slow: 'the last three scrapes took over half the timeout',
  new: 'not asked yet',
  down: 'nothing answers, or not in time; it is tried again',
  refused: 'something answers that is not taken; it is tried again',
  paused: 'not asked until it is resumed',
};

export const TYPE_NAMES: Readonly<Record<TargetTypeName, string>> = {
  prometheus: 'Prometheus',
  proxy: 'metric proxy',
  vigie: 'Vigie engine',
  system: 'this node',
};

export const typeName = (type: TargetTypeName | null): string => (type === null ? 'not known' : TYPE_NAMES[type]);

/** An address without what every one has. */
export const shortUrl = (url: string): string => url.replace(/^http:\/\//, '').replace(/(?<=:\d+)\/metrics$/, '');

/** What a target is called where there is room for one line. */
export const targetName = ({ type, url }: Pick<Target, 'type' | 'url'>): string =>
  type === 'system' ? 'This node' : shortUrl(url);

/** Who put it on the list, in words. */
export function originText({ kind, name }: Target['origin']): string {
  switch (kind) {
    case 'hand':
      return 'added by hand';
    case 'config':
      return `in the configuration: ${name}`;
    case 'discovery':
      return `found through ${name}`;
    case 'builtin':
      return 'this engine’s own sources';
  }
}

/** Why a target cannot be removed or edited here; null: it can. */
export function fixedReason({ origin }: Pick<Target, 'origin'>): string | null {
  if (origin.kind === 'hand') return null;
  if (origin.kind === 'builtin') return 'The node itself is always on the list; it can be paused.';
  return `It comes from ${origin.name}: change it there. Here it can be paused.`;
}

/** The second line of a target's row: what is wrong, else what tells it from others. */
export function secondLine(target: Target): string {
  if (target.reason !== null) return target.reason;
  const labels = Object.entries(target.labels).map(([name, value]) => `${name}=${value}`);
  const origin = target.origin.kind === 'hand' ? [] : [originText(target.origin)];
  return [...target.notes.slice(0, 1), ...labels, ...origin].join(' · ');
}

/** How long ago, short: `now`, `4 s ago`, `12 min ago`, `3 h ago`, `2 d ago`. */
export function agoText(time: number | null, now: number): string {
  if (time === null) return 'never';
  const seconds = Math.max(0, Math.round((now - time) / 1000));
  if (seconds < 1) return 'now';
  if (seconds < 100) return `${seconds} s ago`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} d ago`;
}

const nounOf = (count: number): string => (count === 1 ? 'target' : 'targets');
export const targetsText = (count: number, formatted: string): string => `${formatted} ${nounOf(count)}`;

/** Groups of targets as Prometheus writes them in its configuration and in the files of its file_sd. */

import { z } from 'zod';
import { parseDuration } from '../../../shared/duration.ts';
import { MAX_TARGET_PERIOD, MIN_TARGET_PERIOD, NewTarget } from '../../../shared/api/targets.ts';
import { MOST_FOUND, type Found } from './discovery.ts';
import { expandNodeSet } from './node-set.ts';

export const Group = z.object({
  targets: z.array(z.string()).max(MOST_FOUND),
  labels: z.record(z.string(), z.coerce.string()).default({}),
});
export type Group = z.infer<typeof Group>;
export const Groups = z.array(Group).max(MOST_FOUND);

/** What the targets of a group have in common, before their labels say otherwise. */
export interface GroupSettings {
  readonly scheme?: string;
  readonly path?: string;
  readonly params?: string;
  readonly settings: Omit<Found, 'url'>;
}

/** Prometheus writes `1m30s`, and days as weeks too. Milliseconds; null: it is none. */
export function parsePrometheusDuration(text: string): number | null {
  const parts = [...text.matchAll(/(\d+)(ms|s|m|h|d|w|y)/g)];
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== text) return null;
  const days = { w: '7', y: '365' } as const;
  return parts.reduce((sum, [whole, n, unit]) => {
    const known = unit === 'w' || unit === 'y' ? Number(n) * Number(days[unit]) * 86_400_000 : parseDuration(whole);
    return sum + (known ?? NaN);
  }, 0);
}

/**
 * Adds the targets of a group to `found`. Labels with two underscores steer the scrape and are not kept. Throws when
 * there are more than `most` in all.
 */
export function targetsOf(
  group: Group,
  common: GroupSettings,
  notes: string[],
  found: Found[] = [],
  most = MOST_FOUND,
): Found[] {
  const { settings } = common;
  const labels: Record<string, string> = { ...settings.labels };
  const special: Record<string, string> = {};
  for (const [name, value] of Object.entries(group.labels)) (name.startsWith('__') ? special : labels)[name] = value;
  const interval = special['__scrape_interval__'];
  const asked = interval === undefined ? null : parsePrometheusDuration(interval);
  const period = asked !== null && asked >= MIN_TARGET_PERIOD && asked <= MAX_TARGET_PERIOD ? asked : null;
  if (interval !== undefined && period === null) {
    notes.push(`__scrape_interval__ ${interval} cannot be used: it must be between ${MIN_TARGET_PERIOD} ms and 1 h`);
  }
  const scheme = special['__scheme__'] ?? common.scheme ?? 'http';
  const path = special['__metrics_path__'] ?? common.path ?? '/metrics';
  const params = Object.entries(special)
    .filter(([name]) => name.startsWith('__param_'))
    .map(([name, value]) => `${encodeURIComponent(name.slice('__param_'.length))}=${encodeURIComponent(value)}`);
  const query = [common.params ?? '', ...params].filter((part) => part !== '').join('&');
  for (const target of group.targets) {
    if (found.length >= most) throw new Error(`these are more than ${most} targets`);
    try {
      for (const host of expandNodeSet(target, most - found.length)) {
        const url = /^[a-z][a-z0-9+.-]*:\/\//i.test(host) ? host : `${scheme}://${host}${path}`;
        const given = { ...settings, labels, ...(period ? { period } : {}) };
        // The rules of the API hold here too; its durations are text, and these are read already.
        const checked = NewTarget.shape.labels.safeParse(labels);
        if (!checked.success) throw new Error(checked.error.issues[0]?.message ?? 'its labels cannot be used');
        found.push({ ...given, url: query === '' ? url : `${url}?${query}`, type: settings.type ?? 'prometheus' });
      }
    } catch (error) {
      notes.push(`${target}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return found;
}

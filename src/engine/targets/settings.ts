/** The mappings `targets:` and `target_limits:` of the configuration file. */

import { z } from 'zod';
import { NewTarget, type TargetOrigin } from '../../shared/api/targets.ts';
import { Size } from '../../shared/size.ts';
import type { TargetLimits } from './type.ts';

/** Where targets come from, and what they have in common. */
export interface TargetSource {
  readonly kind: 'static' | 'file_sd' | 'prometheus' | 'dns_srv';
  /** The node set, path or SRV name. */
  readonly name: string;
  readonly settings: Omit<NewTarget, 'url'>;
}

const { url: _, ...common } = NewTarget.shape;
const place = z.string().min(1).max(4096);

const Entry = z.union(
  [
    z
      .string()
      .min(1)
      .transform((name): TargetSource => ({ kind: 'static', name, settings: {} })),
    NewTarget.transform(({ url, ...settings }): TargetSource => ({ kind: 'static', name: url, settings })),
    z
      .strictObject({ file_sd: place, ...common })
      .transform(({ file_sd: name, ...settings }): TargetSource => ({ kind: 'file_sd', name, settings })),
    z
      .strictObject({ dns_srv: place, ...common })
      .transform(({ dns_srv: name, ...settings }): TargetSource => ({ kind: 'dns_srv', name, settings })),
    z
      .strictObject({ prometheus: place })
      .transform(({ prometheus: name }): TargetSource => ({ kind: 'prometheus', name, settings: {} })),
  ],
  'expected a node set such as node[001-128]:9100, or a mapping with url, file_sd, dns_srv or prometheus',
);

/** Node sets, targets with settings, and places to find some: `file_sd`, `prometheus`, `dns_srv`. */
export const TargetSources = z.array(Entry).max(10_000);

export const TargetLimitSettings = z.strictObject({
  /** Scrapes at the same time. */
  side_by_side: z.number().int().min(1).max(10_000).default(200),
  /** Targets on the list. */
  targets: z.number().int().min(1).max(1_000_000).default(20_000),
  /** Largest answer of a target, unpacked. */
  bytes: Size.pipe(
    z
      .number()
      .min(1024)
      .max(1024 ** 3),
  ).default(16 * 1024 ** 2),
  /** Series of one target. */
  series: z.number().int().min(1).max(200_000).default(50_000),
  /** Loopback, private and link-local addresses and unix sockets may be asked. */
  allow_private: z.boolean().default(true),
});
export type TargetLimitSettings = Readonly<z.output<typeof TargetLimitSettings>>;

export const limitsOf = (settings: TargetLimitSettings): TargetLimits => ({
  bytes: settings.bytes,
  series: settings.series,
  allowPrivate: settings.allow_private,
});

export const originOf = (source: Pick<TargetSource, 'kind' | 'name'>): TargetOrigin =>
  source.kind === 'static' ? { kind: 'config', name: source.name } : { kind: 'discovery', name: source.name };

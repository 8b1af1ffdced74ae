/** One line per type that is asked over a network. The order is the one in which a URL is tried. */

import { prometheus } from './prometheus.ts';
import { proxy } from './proxy.ts';
import type { TargetType } from './type.ts';
import { vigie } from './vigie.ts';

/** An engine answers as a proxy does too, and both have metrics as Prometheus text: the most telling one comes first. */
export const TYPES: readonly TargetType[] = [vigie, proxy, prometheus];

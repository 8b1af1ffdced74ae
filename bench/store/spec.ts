/** What a process of this benchmark is told, as JSON. */

import { fleetSource, type FleetOptions } from './fleet.ts';
import { mergedSource, recordingSource, type RecordingOptions } from './recordings.ts';
import type { Source } from './told.ts';

export type SourceSpec =
  | { readonly kind: 'recordings'; readonly of: readonly RecordingOptions[] }
  | { readonly kind: 'fleet'; readonly of: FleetOptions };

export const sourceOf = (spec: SourceSpec): Source =>
  spec.kind === 'fleet' ? fleetSource(spec.of) : mergedSource(spec.of.map((of) => recordingSource(of)));

export interface FeedSpec {
  readonly data: string;
  readonly source: SourceSpec;
}

export interface Fed {
  readonly ticks: number;
  readonly samples: number;
  readonly changed: number;
  /** CPU of storing, all threads; what making the ticks costs is measured by itself and taken off. */
  readonly cpuSeconds: number;
  readonly makingSeconds: number;
  readonly seconds: number;
  readonly peakResidentBytes: number;
  /** Before the store was opened. */
  readonly residentBytes: number;
  /** Scopes whose last values were not the ones that were told. */
  readonly wrong: number;
}

export interface Question {
  readonly name: string;
  /** Several: their sum. */
  readonly scopes: readonly string[];
  readonly series: readonly string[];
  readonly from: number;
  readonly to: number;
  readonly maxPoints: number;
  /** How often it is asked again. */
  readonly again: number;
}

export interface AskSpec {
  readonly data: string;
  readonly questions: readonly Question[];
}

export interface Answered {
  readonly name: string;
  readonly coldMs: number;
  readonly warmMs: number;
  /** CPU of all threads, which a busy machine changes less. */
  readonly warmCpuMs: number;
  readonly points: number;
  readonly series: number;
  /** Sum over scopes and series of the last value. */
  readonly last: number;
}

export interface Asked {
  /** From asking for the store to having it. */
  readonly openMs: number;
  readonly answers: readonly Answered[];
}

export interface LateSpec {
  readonly data: string;
  readonly ticks: number;
  /** Seconds of many samples. */
  readonly seconds: number;
}

export interface Late {
  readonly name: string;
  readonly ticks: number;
  readonly samples: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly timerMs: { readonly p99: number; readonly worst: number };
  /** From handing a tick over to its being on the disk. */
  readonly durableMs: { readonly p99: number; readonly worst: number };
  readonly dropped: number;
  readonly queries: number;
  readonly peakResidentBytes: number;
}

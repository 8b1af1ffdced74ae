/**
 * The long way to read a legacy message: JSON, then a check of its shape. Says why a message is not taken; the reasons
 * are counted and shown, so they are stable names.
 */

import type { JobidRefusal } from '../../shared/model/job.ts';
import type { Kind } from '../../shared/model/values.ts';
import type { SeriesRefusal } from '../live/scope.ts';
import { ClientJob } from './launch.ts';
import type { TableRefusal } from './table-file.ts';

export type Reason =
  | 'malformed_json'
  | 'invalid_utf8'
  | 'unknown_kind'
  | 'wrong_type'
  | 'not_finite'
  | 'negative_increase'
  | 'invalid_gauge'
  | 'value_before_desc'
  | 'value_of_other_kind'
  | 'sum_overflow'
  | 'message_too_long'
  | 'name_reserved'
  | 'engine_full'
  | 'memory_full'
  | 'too_many_runs'
  | 'too_many_rank_values'
  | TableRefusal
  | SeriesRefusal
  | JobidRefusal;

export type Message =
  | { readonly type: 'job'; readonly desc: ClientJob }
  | { readonly type: 'desc'; readonly name: string; readonly doc: string; readonly kind: Kind }
  | { readonly type: 'counter'; readonly name: string; readonly increase: number }
  | {
      readonly type: 'gauge';
      readonly name: string;
      readonly min: number;
      readonly max: number;
      readonly hits: number;
      readonly total: number;
    };

/** A metric's description is kept up to this many UTF-16 code units; it is shown beside values, it is not a document. */
export const MAX_DOC = 4096;

type Json = unknown;
const isObject = (value: Json): value is Record<string, Json> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const decoder = new TextDecoder('utf-8', { fatal: true });

/** Reads one message without its terminating NUL. */
export function readMessage(bytes: Uint8Array): Message | Reason {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    return 'invalid_utf8';
  }
  let json: Json;
  try {
    json = JSON.parse(text);
  } catch {
    return 'malformed_json';
  }
  if (!isObject(json)) return 'wrong_type';
  const keys = Object.keys(json);
  if (keys.length !== 1) return 'unknown_kind';
  const body = json[keys[0]!];
  switch (keys[0]) {
    case 'Value':
      return readValue(body);
    case 'Desc':
      return readDesc(body);
    case 'JobDesc':
      return readJob(body);
    default:
      return 'unknown_kind';
  }
}

function readJob(body: Json): Message | Reason {
  const parsed = ClientJob.safeParse(body);
  return parsed.success ? { type: 'job', desc: parsed.data } : 'wrong_type';
}

function readDesc(body: Json): Message | Reason {
  if (!isObject(body) || typeof body.name !== 'string' || typeof body.doc !== 'string') return 'wrong_type';
  const value = tagged(body.ctype);
  if (typeof value === 'string') return value;
  // The first value of a Desc is not a value: clients send zeros, and the peers do not count it.
  const refused = value.kind === 'counter' ? readCounter(value.body) : readGauge(value.body);
  if (typeof refused === 'string' && refused !== 'not_finite') return refused;
  return { type: 'desc', name: body.name, doc: body.doc.slice(0, MAX_DOC).toWellFormed(), kind: value.kind };
}

function readValue(body: Json): Message | Reason {
  if (!isObject(body) || typeof body.name !== 'string') return 'wrong_type';
  const value = tagged(body.value);
  if (typeof value === 'string') return value;
  if (value.kind === 'counter') {
    const increase = readCounter(value.body);
    return typeof increase === 'string' ? increase : { type: 'counter', name: body.name, increase };
  }
  const gauge = readGauge(value.body);
  return typeof gauge === 'string' ? gauge : { type: 'gauge', name: body.name, ...gauge };
}

/** `{"Counter":{…}}` or `{"Gauge":{…}}`. */
function tagged(json: Json): { kind: Kind; body: Record<string, Json> } | Reason {
  if (!isObject(json)) return 'wrong_type';
  const keys = Object.keys(json);
  if (keys.length !== 1 || (keys[0] !== 'Counter' && keys[0] !== 'Gauge')) return 'unknown_kind';
  const body = json[keys[0]];
  return isObject(body) ? { kind: keys[0] === 'Counter' ? 'counter' : 'gauge', body } : 'wrong_type';
}

/** JSON cannot write NaN and infinities: peers send null for them. A number too large for a double reads as infinite. */
function number(json: Json): number | Reason {
  if (json === null) return 'not_finite';
  if (typeof json !== 'number') return 'wrong_type';
  return Number.isFinite(json) ? json : 'not_finite';
}

function readCounter(body: Record<string, Json>): number | Reason {
  if (body.ts !== undefined && typeof body.ts !== 'number') return 'wrong_type';
  const value = number(body.value);
  return typeof value === 'number' && value < 0 ? 'negative_increase' : value;
}

function readGauge(body: Record<string, Json>): { min: number; max: number; hits: number; total: number } | Reason {
  const [min, max, hits, total] = [number(body.min), number(body.max), number(body.hits), number(body.total)];
  if (typeof min === 'string') return min;
  if (typeof max === 'string') return max;
  if (typeof hits === 'string') return hits;
  if (typeof total === 'string') return total;
  return refuseGauge(min, max, hits) ?? { min, max, hits, total };
}

/** A gauge that no observation can give. */
export function refuseGauge(min: number, max: number, hits: number): Reason | null {
  return hits < 0 || (hits > 0 && min > max) ? 'invalid_gauge' : null;
}

/** The legacy codec: the same bytes in other pieces, and spelled in another way, must do the same. */

import { isDeepStrictEqual } from 'node:util';
import type { Gauge } from '../../src/shared/model/values.ts';
import { harness, valuesOf, type Connection } from '../unit/engine/ingest/harness.ts';
import type { FuzzTarget } from './target.ts';

interface Outcome {
  readonly values: unknown;
  /** Whatever was observed is a number. */
  readonly finite: boolean;
  readonly rejected: unknown;
  readonly messages: number;
  readonly cutOff: boolean;
}

function outcomeOf(send: (connection: Connection) => boolean): Outcome {
  const engine = harness({ grace: 0 });
  const cutOff = !send(engine.connect());
  const live = [...engine.runs.live].map(([jobid, { scope }]) => [jobid, valuesOf(scope)] as const);
  const all = [valuesOf(engine.node), ...live.map(([, values]) => values)].flatMap((values) => Object.values(values));
  return {
    values: [valuesOf(engine.node), live],
    finite: all.every(isFiniteValue),
    rejected: Object.fromEntries(engine.stats.rejected),
    messages: engine.stats.messages,
    cutOff,
  };
}

function isFiniteValue(value: number | Gauge): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  // Nothing observed: the least is infinite then.
  return value.hits === 0 ? value.total === 0 : Object.values(value).every((one) => Number.isFinite(one));
}

/** A blank after the first brace: the same JSON, but none of the spellings that are read the short way. */
function withBlanks(input: Uint8Array): Uint8Array {
  const out: number[] = [];
  let begins = true;
  for (const byte of input) {
    out.push(byte);
    if (begins && byte === 0x7b) out.push(0x20);
    begins = byte === 0;
  }
  return Uint8Array.from(out);
}

const number = (text: string): string => `{"Counter":{"ts":0,"value":${text}}}`;

export const wire: FuzzTarget = {
  name: 'wire',
  words: [
    '\0',
    '\0',
    '{"Value":{"name":"a","value":{"Counter":{"ts":1795188214224123,"value":1.0}}}}\0',
    '{"Value":{"name":"a","value":{"Counter":{"ts":1,"value":',
    '{"Value":{"name":"',
    '","value":{"Counter":{"ts":1795188214224123,"value":',
    '","value":{"Gauge":{"min":',
    ',"max":',
    ',"hits":',
    ',"total":',
    '}}}}\0',
    '{"Desc":{"name":"',
    '","doc":"',
    `","ctype":${number('0.0')}}}\0`,
    '","ctype":{"Gauge":{"min":0.0,"max":0.0,"hits":0.0,"total":0.0}}}}\0',
    `{"Desc":{"name":"a","doc":"","ctype":${number('0.0')}}}\0`,
    `{"Desc":{"name":"b","doc":"x","ctype":${number('0.0')}}}\0`,
    '{"Desc":{"name":"g","doc":"","ctype":{"Gauge":{"min":0.0,"max":0.0,"hits":0.0,"total":0.0}}}}\0',
    '{"Value":{"name":"g","value":{"Gauge":{"min":1.0,"max":2.0,"hits":3.0,"total":4.0}}}}\0',
    '{"JobDesc":{"jobid":"j","command":"","size":1,"nodelist":"","partition":"","cluster":"","run_dir":"","start_time":0,"end_time":0}}\0',
    '{"JobDesc":{"jobid":"","command":"","size":1,"nodelist":"","partition":"","cluster":"","run_dir":"","start_time":0,"end_time":0}}\0',
    'a',
    'b{x="1",y="2"}',
    '\\u0061',
    '\\"',
    '\\',
    'null',
    '1e308',
    '1.7976931348623157e308',
    '-0',
    '0.1',
    '9007199254740993',
    'é',
    '\u0001',
  ],
  check(input) {
    const whole = outcomeOf((connection) => connection.push(input));
    // One that is cut off has been read on up to the end of a piece.
    if (whole.cutOff) return 'cut off';
    const bytes = outcomeOf((connection) => {
      for (let i = 0; i < input.length; i++) if (!connection.push(input.subarray(i, i + 1))) return false;
      return true;
    });
    if (!isDeepStrictEqual(bytes, whole)) throw new Error(`a byte at a time: ${told(bytes)}, not ${told(whole)}`);
    const blanks = outcomeOf((connection) => connection.push(withBlanks(input)));
    if (!isDeepStrictEqual(blanks, whole)) throw new Error(`the long way: ${told(blanks)}, not ${told(whole)}`);
    if (!whole.finite) throw new Error(`no numbers any more: ${told(whole.values)}`);
    const reasons = Object.keys(whole.rejected as object).toSorted();
    return `${reasons.slice(0, 2).join(' ')} ${whole.messages > 0}`;
  },
};

const told = (value: unknown): string => JSON.stringify(value);

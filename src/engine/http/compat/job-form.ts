/** Answers of /job with their values, as bytes: the same JSON that {@link CompatJob} is written as. */

import type { JobDesc } from '../../../shared/model/job.ts';
import { GAUGE_WIDTH } from '../../../shared/model/values.ts';
import type { MergedView } from '../../live/view.ts';
import { Body } from './body.ts';

const COMMA = 0x2c;

/** What stands before the values of each series. */
export class JobForm {
  readonly #bytes: Buffer;
  readonly #ends: Int32Array;

  constructor(view: MergedView) {
    const { table } = view;
    this.#ends = new Int32Array(view.count);
    const body = new Body(128 * view.count);
    for (let i = 0; i < view.count; i++) {
      const place = view.places[i]!;
      const kind = (place & 1) === 1 ? 'gauge' : 'counter';
      const entry = table.nameEntry(kind, place >>> 1);
      const start = table.names.start(entry);
      body.text('{"name":"');
      // As JSON spells it.
      body.copy(table.names.bytes, start, start + table.names.length(entry));
      body.text(`","doc":${JSON.stringify(table.doc(kind, place >>> 1))},"ctype":`);
      body.text(kind === 'counter' ? '{"Counter":{"ts":' : '{"Gauge":{"min":');
      this.#ends[i] = body.length;
    }
    this.#bytes = Buffer.from(body.bytes);
    body.release();
  }

  /** Bytes of an answer, about. */
  get size(): number {
    return this.#bytes.length + 48 * this.#ends.length + 512;
  }

  /** `withZeros`: counters that stand at zero too. */
  write(body: Body, view: MergedView, desc: JobDesc, withZeros: boolean): void {
    body.text(`{"desc":${JSON.stringify(desc)},"counters":[`);
    let first = true;
    for (let i = 0; i < this.#ends.length; i++) {
      const place = view.places[i]!;
      const counter = (place & 1) === 0;
      if (!view.has(place) || (!withZeros && counter && view.counters[place >>> 1] === 0)) continue;
      if (!first) body.byte(COMMA);
      first = false;
      body.copy(this.#bytes, i === 0 ? 0 : this.#ends[i - 1]!, this.#ends[i]!);
      if (counter) writeCounter(body, view, place >>> 1);
      else writeGauge(body, view, place >>> 1);
      body.text('}}}');
    }
    body.text(']}');
  }
}

function writeCounter(body: Body, view: MergedView, index: number): void {
  body.number(Math.round(view.counterChanged[index]! * 1000));
  body.text(',"value":');
  writeNumber(body, view.counters[index]!);
}

/** One that nobody has set is all zeros there. */
function writeGauge(body: Body, { gauges }: MergedView, index: number): void {
  const at = GAUGE_WIDTH * index;
  const set = gauges[at + 2]! > 0;
  writeNumber(body, set ? gauges[at]! : 0);
  body.text(',"max":');
  writeNumber(body, set ? gauges[at + 1]! : 0);
  body.text(',"hits":');
  writeNumber(body, set ? gauges[at + 2]! : 0);
  body.text(',"total":');
  writeNumber(body, set ? gauges[at + 3]! : 0);
}

function writeNumber(body: Body, value: number): void {
  if (Number.isFinite(value)) body.number(value);
  else body.text('null');
}

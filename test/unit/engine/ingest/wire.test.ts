import fc from 'fast-check';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { readMessage, type Message, type Reason } from '../../../../src/engine/ingest/messages.ts';
import { escapedName, hashBytes, NameTable } from '../../../../src/engine/ingest/names.ts';
import { MAX_MESSAGE, WireDecoder, type WireSink } from '../../../../src/engine/ingest/wire.ts';
import { eventually } from '../../../support/wait.ts';
import { cut, messagesIn, NAMES, stream } from './streams.ts';

type Event = readonly [string, ...unknown[]];
type Kind = 'counter' | 'gauge';

/** A scope's names, kept as plainly as the decoder allows. */
class PlainScope {
  readonly table = new NameTable();
  readonly #entries = new Map<string, number>();
  readonly kinds: Kind[] = [];

  entryOf(name: string): number {
    return this.#entries.get(name) ?? -1;
  }

  add(name: string, kind: Kind): number {
    const bytes = escapedName(name);
    const entry = this.table.add(bytes, 0, bytes.length, hashBytes(bytes, 0, bytes.length));
    this.#entries.set(name, entry);
    this.kinds[entry] = kind;
    return entry;
  }
}

/**
 * One client's side of the decoder. The scope knows some names from other clients already, as that is where the short
 * way for descriptions begins; a job description leads to another scope, with the same names in another order.
 */
class PlainSink implements WireSink {
  readonly events: Event[] = [];
  taken = 0;
  #scope = new PlainScope();
  #own = new Set<number>();
  readonly #sums = new Map<number, number>();

  constructor() {
    for (const i of [0, 3, 6]) this.#scope.add(NAMES[i]!, 'counter');
    this.#scope.add(NAMES[1], 'gauge');
  }

  get names(): NameTable {
    return this.#scope.table;
  }

  handleOf(entry: number): number {
    return this.#own.has(entry) ? entry : -1;
  }

  handle(name: string): number {
    return this.handleOf(this.#scope.entryOf(name));
  }

  counter(handle: number, increase: number): Reason | null {
    if (this.#scope.kinds[handle] !== 'counter') return 'value_of_other_kind';
    const sum = (this.#sums.get(handle) ?? 0) + increase;
    if (sum === Infinity) return 'sum_overflow';
    this.#sums.set(handle, sum);
    this.events.push(['counter', handle, increase]);
    return null;
  }

  gauge(handle: number, ...values: readonly number[]): Reason | null {
    if (this.#scope.kinds[handle] !== 'gauge') return 'value_of_other_kind';
    this.events.push(['gauge', handle, ...values]);
    return null;
  }

  describeKnownCounter(entry: number): boolean {
    if (this.#scope.kinds[entry] !== 'counter') return false;
    this.#describe(entry);
    return true;
  }

  message(message: Message): Reason | null {
    if (message.type === 'job') {
      this.events.push(['job', message.desc]);
      this.#scope = new PlainScope();
      for (const name of NAMES.toReversed()) this.#scope.add(name, 'counter');
      this.#own = new Set();
      return null;
    }
    if (message.type !== 'desc') return 'value_before_desc';
    let entry = this.#scope.entryOf(message.name);
    if (entry >= 0 && this.#scope.kinds[entry] !== message.kind) return 'type_conflict';
    if (entry < 0) {
      this.events.push(['new', message]);
      entry = this.#scope.add(message.name, message.kind);
    }
    this.#describe(entry);
    return null;
  }

  #describe(entry: number): void {
    this.events.push(['describe', entry]);
    this.#own.add(entry);
  }

  accepted(count: number): void {
    this.taken += count;
  }

  /** How many were taken before tells where it stood among them. */
  rejected(reason: Reason): void {
    this.events.push(['rejected', reason, this.taken]);
  }
}

interface Outcome {
  readonly events: readonly Event[];
  readonly taken: number;
  /** Bytes of an unfinished message. */
  readonly rest: number;
}

/** The long way only: what a stream means. */
function reference(bytes: Uint8Array): Outcome {
  const sink = new PlainSink();
  const { messages, rest } = messagesIn(bytes);
  for (const one of messages) {
    const message = readMessage(one);
    const reason = typeof message === 'string' ? message : deliver(sink, message);
    if (reason === null) sink.accepted(1);
    else sink.rejected(reason);
  }
  return { events: sink.events, taken: sink.taken, rest };
}

function deliver(sink: PlainSink, message: Message): Reason | null {
  if (message.type === 'job' || message.type === 'desc') return sink.message(message);
  const handle = sink.handle(message.name);
  if (handle < 0) return sink.message(message);
  if (message.type === 'counter') return sink.counter(handle, message.increase);
  return sink.gauge(handle, message.min, message.max, message.hits, message.total);
}

function decoded(pieces: readonly Uint8Array[]): Outcome {
  const sink = new PlainSink();
  const decoder = new WireDecoder(sink);
  for (const piece of pieces) {
    expect(decoder.push(piece)).toBe(true);
    // What was handed in is not kept.
    piece.fill(0x7a);
  }
  return { events: sink.events, taken: sink.taken, rest: decoder.pendingBytes };
}

type ElementOf<A> = A extends fc.Arbitrary<infer T> ? T : never;

const NOW = '1795188133587413';
/** Not quite a time in µs. */
const TS = [
  ...['0', '179518813358741', '17951881335874130', '0795188133587413', '179518813358741x', '-795188133587413'],
  ...['1795188133587.13', ':795188133587413', '1795188133587/13', '1795188133587413 '],
];
const NUMBERS = [
  ...['1e400', '-1.0', '-0.0', '01.0', '1.', 'null', '1.0}', '1.0 ', '1.0e2', '9'.repeat(60), `0.${'3'.repeat(70)}`],
  ...[`0.${'0'.repeat(22)}7`, `0.${'0'.repeat(23)}7`, `12.${'0'.repeat(30)}`, '9007199254740993.0', ''],
];

const value = (name: string, ts = NOW, n = '2.0'): string =>
  `{"Value":{"name":${JSON.stringify(name)},"value":{"Counter":{"ts":${ts},"value":${n}}}}}\0`;
const desc = (name: string, ctype: string): string =>
  `{"Desc":{"name":${JSON.stringify(name)},"doc":"","ctype":${ctype}}}\0`;
const JOB =
  '{"JobDesc":{"jobid":"j","command":"","size":1,"nodelist":"","partition":"","cluster":"","run_dir":"","start_time":0,"end_time":0}}\0';
const C = '{"Counter":{"ts":0,"value":0.0}}';
const G = '{"Gauge":{"min":0.0,"max":0.0,"hits":0.0,"total":0.0}}';

describe('the short way and the long way give the same', () => {
  test('a whole stream at once, and cut in two at every byte', () => {
    fc.assert(
      fc.property(stream(5), (bytes) => {
        const expected = reference(bytes);
        expect(decoded([bytes.slice()])).toEqual(expected);
        for (let at = 1; at < bytes.length; at++) expect(decoded(cut(bytes, [at]))).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });

  test('long streams cut anywhere, and byte by byte', () => {
    fc.assert(
      fc.property(stream(40), fc.array(fc.nat(4000), { maxLength: 60 }), (bytes, places) => {
        const expected = reference(bytes);
        expect(decoded([bytes.slice()])).toEqual(expected);
        expect(decoded(cut(bytes, places))).toEqual(expected);
        expect(decoded(cut(bytes, [...bytes.keys()]))).toEqual(expected);
      }),
      { numRuns: 100 },
    );
  });

  test('counters that come in the same order again and again, with one that is not as guessed', () => {
    const names = NAMES.filter((name) => name !== '');
    const head = names.map((name) => desc(name, name === 'b' ? G : C)).join('');
    const text = fc.oneof(
      fc.tuple(fc.constantFrom(...TS), fc.constant('2.0')),
      fc.tuple(fc.constant(NOW), fc.constantFrom(...NUMBERS)),
      fc.constant([NOW, '2.0'] as const),
    );
    /** A byte of it changed, sometimes. */
    const damage = fc.option(fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 })));
    const round = fc.record({
      order: fc.shuffledSubarray(names, { minLength: names.length - 2 }),
      again: fc.nat(2),
      odd: fc.nat(12),
      text,
      damage,
    });
    const roundOf = ({ order, again, odd, text: [ts, n], damage: edit }: ElementOf<typeof round>): Buffer[] => {
      const usual = order.map((name) => Buffer.from(value(name)));
      // What comes last is odd: by then the others are expected.
      const last = order.map((name, i) => {
        if (i !== odd) return usual[i]!;
        const bytes = Buffer.from(value(name, ts, n));
        if (edit) bytes[edit[0] % bytes.length] = edit[1];
        return bytes;
      });
      return [...Array.from({ length: again }, () => usual).flat(), ...last, ...usual];
    };
    fc.assert(
      fc.property(
        fc.array(round, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        fc.nat(300),
        fc.array(fc.nat(9000), { maxLength: 4 }),
        (rounds, move, missing, places) => {
          const values = rounds.flatMap(roundOf);
          if (move) values.splice(values.length >> 1, 0, Buffer.from(JOB + head));
          const all = Buffer.concat([Buffer.from(head), ...values]);
          const bytes = Uint8Array.from(all.subarray(0, all.length - missing));
          const expected = reference(bytes);
          expect(decoded([bytes.slice()])).toEqual(expected);
          expect(decoded(cut(bytes, places))).toEqual(expected);
        },
      ),
      { numRuns: 400 },
    );
  });

  test('descriptions of a counter that the scope knows, with anything as their text', () => {
    const byte = fc.oneof(fc.integer({ min: 1, max: 255 }), fc.constantFrom(0x22, 0x5c, 0x6e, 0x75, 0x0a, 0x7f));
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 6 }), (doc) => {
        const [before, after] = desc(NAMES[0], C).split('""');
        const bytes = Uint8Array.from(
          Buffer.concat([Buffer.from(`${before}"`), Buffer.from(doc), Buffer.from(`"${after}`)]),
        );
        expect(decoded([bytes.slice()])).toEqual(reference(bytes));
      }),
      { numRuns: 500 },
    );
  });

  test('a number that does not end, where the next one was guessed', () => {
    const begun = (n: string): string => `{"Value":{"name":"a","value":{"Counter":{"ts":1795188133587413,"value":${n}`;
    for (const number of ['9'.repeat(200), `0.${'1'.repeat(200)}`, `1e${'0'.repeat(200)}`]) {
      const bytes = Uint8Array.from(
        Buffer.from(
          `{"Desc":{"name":"a","doc":"","ctype":${C}}}\0${`${begun('1.0')}}}}}\0`.repeat(3)}${begun(number)}`,
        ),
      );
      for (let end = bytes.length - 200; end <= bytes.length; end++) {
        expect(decoded([bytes.slice(0, end)])).toEqual(reference(bytes.subarray(0, end)));
      }
    }
  });

  test('every number a client may write, in the place of an increase and of each part of a gauge', () => {
    const digits = fc.stringMatching(/^-?(0|[1-9]\d{0,20})(\.\d{1,24})?([eE][+-]?\d{1,3})?$/);
    const shown = fc.double().map(String);
    fc.assert(
      fc.property(fc.oneof(digits, shown), (n) => {
        const head = ['a', 'b']
          .map((name, i) => `{"Desc":{"name":"${name}","doc":"","ctype":${[C, G][i]!}}}\0`)
          .join('');
        const counter = `{"Value":{"name":"a","value":{"Counter":{"ts":1,"value":${n}}}}}\0`;
        const gauges = [0, 1, 2, 3].map((place) => {
          const [min, max, hits, total] = ['-1e300', '1e300', '1.0', '1.0'].map((other, i) =>
            i === place ? n : other,
          );
          return `{"Value":{"name":"b","value":{"Gauge":{"min":${min},"max":${max},"hits":${hits},"total":${total}}}}}\0`;
        });
        const bytes = Uint8Array.from(Buffer.from(head + counter + gauges.join('')));
        expect(decoded([bytes.slice()])).toEqual(reference(bytes));
      }),
      { numRuns: 1000 },
    );
  });
});

/** Valid, and as long as asked for. */
function descOf(length: number): Uint8Array {
  const [head, tail] = ['{"Desc":{"name":"long","doc":"', `","ctype":${C}}}`];
  return Uint8Array.from(Buffer.from(head + 'x'.repeat(length - head.length - tail.length) + tail));
}

const withNul = (bytes: Uint8Array): Uint8Array => Uint8Array.from(Buffer.concat([bytes, new Uint8Array(1)]));

/** As a socket hands it over. */
const READ = 65_536;
const reads = (bytes: Uint8Array): Uint8Array[] =>
  cut(
    bytes,
    Array.from({ length: Math.ceil(bytes.length / READ) }, (_, i) => i * READ),
  );

describe('the length of a message', () => {
  test.each([MAX_MESSAGE, MAX_MESSAGE - 1])('%d bytes are taken', (length) => {
    const sink = new PlainSink();
    const decoder = new WireDecoder(sink);
    for (const piece of reads(withNul(descOf(length)))) expect(decoder.push(piece)).toBe(true);
    expect(sink).toMatchObject({
      taken: 1,
      events: [
        ['new', {}],
        ['describe', 4],
      ],
    });
    expect(decoder.pendingBytes).toBe(0);
  });

  test('one byte more is refused, and the stream with it', () => {
    const sink = new PlainSink();
    const decoder = new WireDecoder(sink);
    const taken = reads(withNul(descOf(MAX_MESSAGE + 1))).map((piece) => decoder.push(piece));
    expect(taken.at(-1)).toBe(false);
    expect(taken.slice(0, -1)).not.toContain(false);
    expect(sink.events).toEqual([['rejected', 'message_too_long', 0]]);
    expect(decoder.pendingBytes).toBe(0);
  });

  test('bytes without NUL are refused as soon as they are too many', () => {
    const sink = new PlainSink();
    const decoder = new WireDecoder(sink);
    let pushed = 0;
    while (decoder.push(new Uint8Array(READ).fill(0x20))) pushed += READ;
    expect(pushed).toBeGreaterThanOrEqual(MAX_MESSAGE - READ);
    expect(pushed).toBeLessThanOrEqual(MAX_MESSAGE + READ);
    expect(sink.events).toEqual([['rejected', 'message_too_long', 0]]);
    expect(decoder.pendingBytes).toBe(0);
  });

  test('the memory of long messages is given back when they are done, and when they are refused', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const held = (): number => {
      collect();
      return process.memoryUsage().arrayBuffers;
    };
    const long = reads(withNul(descOf(MAX_MESSAGE)));
    const endless = reads(new Uint8Array(MAX_MESSAGE + 2).fill(0x20));
    let before = held();
    await eventually(() => {
      const last = before;
      before = held();
      return before === last;
    });
    const decoders = Array.from({ length: 64 }, (_, i) => {
      const decoder = new WireDecoder(new PlainSink());
      for (const piece of i % 2 === 0 ? long : endless) decoder.push(piece);
      return decoder;
    });
    // 64 MiB if every decoder kept what it needed. Freed memory is accounted for a little after the collection.
    await eventually(() => held() - before < 8 * MAX_MESSAGE);
    expect(decoders.every((d) => d.pendingBytes === 0)).toBe(true);
  });
});

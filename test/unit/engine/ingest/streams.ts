/** Streams of the legacy protocol for property tests: what clients write, what others could write, and garbage. */

import fc from 'fast-check';

/** Names that all tests of a stream share, so that values often meet a description. */
export const NAMES = [
  'a',
  'b',
  'mpi___hits___mpi_send',
  'x{dir="in"}',
  'x{b="2",a="1"}',
  'x{a="1",b="2"}',
  'back\\slash',
  'tab\tbed',
  'größe',
  '\u{1f600}',
  '\u202e<script>',
  'a/b/../c',
  '',
] as const;

const name = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...NAMES) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
);

/** Numbers as the known clients write them, with a decimal point always. */
const canonicalNumber = fc
  .oneof(
    fc.nat(2000),
    fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }),
    fc.double({ min: 0, max: 1, noNaN: true }),
  )
  .map((n) => (Number.isInteger(n) && n < 1e16 ? `${n}.0` : String(n)));

/** Everything else that could stand where a number stands: other spellings, other numbers, other things. */
const otherNumber = fc.oneof(
  fc.constantFrom(
    ...[
      '0',
      '-0',
      '-0.0',
      '0.0',
      '1',
      '-1',
      '-1.5',
      '1e400',
      '-1e400',
      '1e-400',
      '1.7976931348623157e308',
      '5e-324',
      '1E5',
      '1e+5',
    ],
    ...[
      '1e5',
      '1e-5',
      '9007199254740992',
      '9007199254740993',
      '9007199254740993.0',
      '0.1234567890123456789012345678',
      '1.0000000000000002',
    ],
    ...[
      '00',
      '01',
      '01.5',
      '1.',
      '.5',
      '+1',
      '-',
      '1e',
      '1e+',
      '0x10',
      'NaN',
      'Infinity',
      '1_0',
      '٣',
      '',
      ' 1',
      '1 ',
      '1.0 ',
      '1.5.5',
      '1e5.5',
    ],
    ...[
      'null',
      'true',
      '"1"',
      '[]',
      '{}',
      '[1]',
      '1,"value":2',
      '0.30000000000000004',
      '123456789012345678901234567890',
      '2.5e-8',
    ],
  ),
  fc.double().map(String),
  fc.bigInt({ min: 0n, max: 10n ** 40n }).map(String),
  fc.tuple(fc.nat(), fc.bigInt({ min: 0n, max: 10n ** 25n })).map(([i, d]) => `${i}.${d}`),
);
const number = fc.oneof({ weight: 5, arbitrary: canonicalNumber }, { weight: 2, arbitrary: otherNumber });

const ts = fc.oneof(
  { weight: 6, arbitrary: fc.nat().map((n) => `"ts":${1_795_188_133_587_413 + n},`) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      '',
      '"ts":0,',
      '"ts":-1,',
      '"ts":1.5,',
      '"ts":null,',
      '"ts":"1",',
      '"ts":007,',
      '"ts":1e3,',
      '"ts": 1,',
    ),
  },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 10n ** 30n }).map((n) => `"ts":${n},`) },
);

/** A string as JSON spells it: mostly as the known clients do, else with escapes that mean the same. */
function spelled(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const strange = (t: string): string =>
    t.replace(/[\s\S]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0').toUpperCase()}`);
  return fc.oneof(
    { weight: 8, arbitrary: text.map((t) => JSON.stringify(t)) },
    { weight: 1, arbitrary: text.map((t) => `"${strange(t)}"`) },
    { weight: 1, arbitrary: text.map((t) => JSON.stringify(t).replaceAll('/', '\\/')) },
    { weight: 1, arbitrary: text.map((t) => `"${t}"`) },
  );
}

const counter = fc.tuple(ts, number).map(([t, value]) => `{"Counter":{${t}"value":${value}}}`);
const gauge = fc
  .tuple(number, number, number, number)
  .map(([min, max, hits, total]) => `{"Gauge":{"min":${min},"max":${max},"hits":${hits},"total":${total}}}`);
/** A gauge as it should be: otherwise nearly all are refused. */
const goodGauge = fc
  .tuple(fc.integer({ min: -99, max: 99 }), fc.nat(99), fc.nat(9), fc.double({ noNaN: true, noDefaultInfinity: true }))
  .map(
    ([min, span, hits, total]) => `{"Gauge":{"min":${min}.0,"max":${min + span}.0,"hits":${hits}.0,"total":${total}}}`,
  );
const value = fc.oneof(
  { weight: 4, arbitrary: counter },
  { weight: 1, arbitrary: gauge },
  { weight: 2, arbitrary: goodGauge },
);

const values = fc.tuple(spelled(name), value).map(([n, v]) => `{"Value":{"name":${n},"value":${v}}}`);

const doc = fc.oneof(
  fc.constantFrom('', 'Number of calls', 'bytes "in"', 'a\\b', 'größe', '\u0007'),
  fc.string({ unit: 'binary', maxLength: 8 }),
);
const ctype = fc.oneof(
  { weight: 5, arbitrary: fc.constant('{"Counter":{"ts":0,"value":0.0}}') },
  { weight: 3, arbitrary: fc.constant('{"Gauge":{"min":0.0,"max":0.0,"hits":0.0,"total":0.0}}') },
  { weight: 2, arbitrary: value },
);
const descs = fc
  .tuple(spelled(name), spelled(doc), ctype)
  .map(([n, d, c]) => `{"Desc":{"name":${n},"doc":${d},"ctype":${c}}}`);

const jobs = fc
  .tuple(spelled(fc.constantFrom('j1', 'j2', '', 'main', 'Node: x', '../../x', 'a\nb')), number, number)
  .map(
    ([jobid, size, start]) =>
      `{"JobDesc":{"jobid":${jobid},"command":"c","size":${size},"nodelist":"","partition":"","cluster":"","run_dir":"/","start_time":${start},"end_time":0}}`,
  );

const other = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '{}',
    '[]',
    'null',
    '1',
    '""',
    '{"Value":1}',
    '{"Value":{}}',
    '{"Desc":{"name":"a"}}',
    '{"Other":{}}',
    '{"Value":{"name":"a","value":{}}}',
  ),
  fc.constantFrom(
    '{"Value":{"name":"a","value":{"Counter":{"ts":1,"value":1.0}}},"Desc":1}',
    '{"Value":{"name":"a","value":{"Counter":{"ts":1,"value":1.0},"Gauge":{}}}}',
    '{"Value":{"name":"a","value":{"Histogram":{}}}}',
    '{"Value":{"value":{"Counter":{"value":1.0,"ts":1}},"name":"a"}}',
    '{"Value":{"name":"a","name":"b","value":{"Counter":{"ts":1,"value":1.0}}}}',
    '{"Value":{"__proto__":{"name":"a"},"value":{"Counter":{"ts":1,"value":1.0}}}}',
    '\ufeff{"Value":{"name":"a","value":{"Counter":{"ts":1,"value":1.0}}}}',
    '{"Value":{"name":"a","value":{"Counter":{"ts":1,"value":1.0}}}}}',
    '{"Value":{"name":"a","value":{"Counter":{"ts":1,"value":1.0}}}',
    '{"Value":{"name":"a","extra":1,"value":{"Counter":{"ts":1,"value":1.0,"more":[]}}}}',
  ),
  fc.json(),
);

/** White space wherever JSON allows it, at the places that `,` and `:` and brackets make (also inside of strings). */
const spaced = (text: string, space: string): string => text.replace(/[{}:,]/g, (c) => `${space}${c}${space}`);

const text = fc.oneof(
  { weight: 8, arbitrary: values },
  { weight: 4, arbitrary: descs },
  { weight: 1, arbitrary: jobs },
  { weight: 1, arbitrary: other },
);

const bytesOf = (t: string): Uint8Array => Uint8Array.from(Buffer.from(t, 'utf8'));

/** Some bytes of a message changed, left out or put in. */
const damaged = fc
  .tuple(
    text,
    fc.array(fc.tuple(fc.nat(200), fc.nat(1), fc.uint8Array({ maxLength: 2 })), { minLength: 1, maxLength: 2 }),
  )
  .map(([t, edits]) =>
    edits.reduce((bytes: Uint8Array, [at, drop, insert]) => {
      const place = at % (bytes.length + 1);
      return Uint8Array.from(Buffer.concat([bytes.subarray(0, place), insert, bytes.subarray(place + drop)]));
    }, bytesOf(t)),
  );

const message: fc.Arbitrary<Uint8Array> = fc
  .oneof(
    { weight: 14, arbitrary: text.map(bytesOf) },
    { weight: 2, arbitrary: fc.tuple(text, fc.constantFrom(' ', '\n', '\t ')).map(([t, s]) => bytesOf(spaced(t, s))) },
    { weight: 3, arbitrary: damaged },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 12 }) },
  )
  .map((bytes) => bytes.filter((byte) => byte !== 0));

/** Complete messages, each with its NUL, and the beginning of one more. */
export const stream = (maxMessages: number): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(fc.array(message, { maxLength: maxMessages }), message, fc.double({ min: 0, max: 1 }))
    .map(([messages, last, part]) =>
      Uint8Array.from(
        Buffer.concat([
          ...messages.flatMap((m) => [m, new Uint8Array(1)]),
          last.subarray(0, Math.floor(part * last.length)),
        ]),
      ),
    );

/** The complete messages of a stream without their NULs, and the bytes after them. */
export function messagesIn(bytes: Uint8Array): { readonly messages: Uint8Array[]; readonly rest: number } {
  const messages: Uint8Array[] = [];
  let at = 0;
  for (;;) {
    const nul = bytes.indexOf(0, at);
    if (nul < 0) return { messages, rest: bytes.length - at };
    messages.push(bytes.subarray(at, nul));
    at = nul + 1;
  }
}

/** Pieces of a stream, cut at these places, each in memory of its own. */
export function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [...new Set([0, ...places.filter((p) => p < bytes.length), bytes.length])].toSorted((a, b) => a - b);
  return sorted.slice(1).map((end, i) => bytes.slice(sorted[i], end));
}

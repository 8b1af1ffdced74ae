/** Remote write 1.0 as Prometheus' types.proto and remote.proto have it, read by a library of its own. */

import protobuf from 'protobufjs';
import snappy from 'snappyjs';

const PROTO = `
syntax = "proto3";
package prometheus;
message WriteRequest { repeated TimeSeries timeseries = 1; reserved 2; repeated MetricMetadata metadata = 3; }
message MetricMetadata { uint32 type = 1; string metric_family_name = 2; string help = 4; string unit = 5; }
message TimeSeries { repeated Label labels = 1; repeated Sample samples = 2; }
message Label { string name = 1; string value = 2; }
message Sample { double value = 1; int64 timestamp = 2; }
`;

const Request = protobuf.parse(PROTO).root.lookupType('prometheus.WriteRequest');

export interface ReadSample {
  /** As `name{a="b"}`, labels in the order in which they came. */
  readonly series: string;
  readonly labels: readonly (readonly [string, string])[];
  readonly value: number;
  /** The NaN that ends a series. */
  readonly stale: boolean;
  readonly time: number;
}

interface Decoded {
  timeseries?: {
    labels: { name: string; value: string }[];
    samples: { value: number; timestamp: { toNumber(): number } | number }[];
  }[];
}

/** The eight bytes of each sample's value: what a NaN says is lost when it becomes a number. */
function valueBytes(raw: Uint8Array): string[] {
  const reader = protobuf.Reader.create(raw);
  const found: string[] = [];
  const each = (end: number, field: (tag: number) => void): void => {
    while (reader.pos < end) field(reader.uint32());
  };
  each(raw.length, () =>
    each(reader.uint32() + reader.pos, (inSeries) => {
      const length = reader.uint32();
      if (inSeries === 0x0a) return void reader.skip(length);
      each(length + reader.pos, (inSample) => {
        if (inSample === 0x09) found.push(raw.slice(reader.pos, reader.pos + 8).join());
        reader.skipType(inSample & 7);
      });
    }),
  );
  return found;
}

const STALE = '2,0,0,0,0,0,240,127';

/** All samples of the body of a request, in order. */
export function readRequest(body: Uint8Array): ReadSample[] {
  const raw = snappy.uncompress(new Uint8Array(body));
  const { timeseries = [] } = Request.decode(raw) as unknown as Decoded;
  const bytes = valueBytes(raw);
  let next = 0;
  return timeseries.flatMap(({ labels, samples }) => {
    const pairs = labels.map(({ name, value }) => [name, value] as const);
    const name = pairs.find(([label]) => label === '__name__')?.[1] ?? '';
    const rest = pairs
      .filter(([label]) => label !== '__name__')
      .map(([label, value]) => `${label}=${JSON.stringify(value)}`);
    return samples.map(({ value, timestamp }) => ({
      series: `${name}{${rest.join(',')}}`,
      labels: pairs,
      value,
      stale: bytes[next++] === STALE,
      time: typeof timestamp === 'number' ? timestamp : timestamp.toNumber(),
    }));
  });
}

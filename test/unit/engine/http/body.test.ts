import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Body } from '../../../../src/engine/http/compat/body.ts';
import { JobForm } from '../../../../src/engine/http/compat/job-form.ts';
import { compatType, jobDesc } from '../../../../src/engine/http/compat/answer.ts';
import { Scope } from '../../../../src/engine/live/scope.ts';
import { MergedView } from '../../../../src/engine/live/view.ts';
import { bareJob } from '../../../../src/shared/model/job.ts';
import { samples } from './samples.ts';

const text = (write: (body: Body) => void): string => {
  const body = new Body(0);
  write(body);
  const made = body.bytes.toString();
  body.release();
  return made;
};

test('numbers are spelled as JavaScript does', () => {
  const edges = [0, -0, 9, 10, 1e8 - 1, 1e8, 1e15, 2 ** 53 - 1, 2 ** 53, 1e21, 1e-7, -5, 0.1, 5e-324, 1.7e308];
  for (const n of edges) expect(text((body) => body.number(n))).toBe(String(n));
  const any = fc.oneof(fc.maxSafeNat(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.nat(200_000_000));
  fc.assert(
    fc.property(any, (n) => {
      expect(text((body) => body.number(n))).toBe(String(n));
    }),
  );
});

test('a body grows with what is written, and a buffer that is used again shows nothing of before', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string({ unit: 'binary' }), fc.nat()), { maxLength: 400 }), (parts) => {
      const made = text((body) => {
        for (const part of parts) {
          if (typeof part === 'string') body.text(part);
          else body.number(part);
        }
      });
      expect(made).toBe(parts.map((part) => (typeof part === 'string' ? part.toWellFormed() : part)).join(''));
    }),
  );
});

test('a job is the JSON that the objects would be', () => {
  fc.assert(
    fc.property(samples, fc.boolean(), (list, withZeros) => {
      const scope = new Scope('run/x', 'run');
      for (const { name, doc, kind, counter, gauge, changed } of list) {
        const place = scope.register(name, doc.toWellFormed(), kind);
        if ('refused' in place) throw new Error(place.refused);
        if (gauge) scope.putGauge(place.index, Float64Array.of(gauge.min, gauge.max, gauge.hits, gauge.total));
        else scope.putCounter(place.index, counter);
        scope.stamp(changed);
        scope.clear();
      }
      const view = new MergedView().update([{ scope }]);
      const desc = jobDesc({ ...bareJob('j"\\'), command: 'é' });
      const counters = [...view.samples()]
        .map((s) => ({ name: s.name, doc: s.doc, ctype: compatType(s.kind, s.counter, s.gauge, s.changed) }))
        .filter(({ ctype }) => withZeros || !('Counter' in ctype) || ctype.Counter.value !== 0);
      const made = text((body) => new JobForm(view).write(body, view, desc, withZeros));
      expect(made).toBe(JSON.stringify({ desc, counters }));
    }),
  );
});

/** The exposition: whatever names, labels and descriptions clients send, both formats are valid and tell the same. */

import { bareJob } from '../../src/shared/model/job.ts';
import { readExposition, identityOf } from '../unit/engine/http/read-exposition.ts';
import { FuzzEngine } from './engine.ts';
import type { FuzzTarget } from './target.ts';

const OPEN = { accept: 'application/openmetrics-text; version=1.0.0' };
const fuzzed = new FuzzEngine();
let jobs = 0;

/** The input's lines are names, a blank line later descriptions of them. */
function messagesOf(input: Uint8Array, jobid: string): string {
  const [names = '', docs = ''] = Buffer.from(input).toString('utf8').split('\n\n');
  const doc = docs.split('\n');
  const messages: unknown[] = [{ JobDesc: { ...bareJob(jobid), size: 1 } }];
  for (const [i, name] of names.split('\n').entries()) {
    const gauge = i % 3 === 2;
    const ctype = gauge ? { Gauge: { min: 0, max: 0, hits: 0, total: 0 } } : { Counter: { ts: 0, value: 0 } };
    messages.push({ Desc: { name, doc: doc[i] ?? '', ctype } });
    const value = gauge ? { Gauge: { min: 1, max: 3, hits: i % 2, total: 3 } } : { Counter: { ts: 0, value: i } };
    messages.push({ Value: { name, value } });
  }
  // Tells that all before it has been taken.
  messages.push({ Desc: { name: `last_of_${jobid}`, doc: '', ctype: { Counter: { ts: 0, value: 0 } } } });
  return messages.map((message) => `${JSON.stringify(message)}\0`).join('');
}

export const exposition: FuzzTarget = {
  name: 'exposition',
  words: [
    '\n',
    '\n',
    '\n\n',
    'a',
    'a_total',
    'b_total',
    'a{b="c"}',
    'a{b="c",d="e"}',
    'a_total{le="+Inf"}',
    '{',
    '}',
    '="',
    '",',
    '"',
    '\\',
    '\\n',
    '\\"',
    'vigie_name="a.b"',
    '__name__="x"',
    'exported__name__="x"',
    'a.b',
    'a-b',
    'a:b',
    '0',
    '# EOF',
    '# TYPE a gauge',
    'é',
    '\u2028',
    '_bucket',
    '_count',
    '_created',
    '_info',
    ' ',
  ],
  async check(input) {
    const jobid = `j${++jobs}`;
    const socket = await fuzzed.program();
    socket.write(messagesOf(input, jobid));
    const texts = [];
    for (const headers of [{}, OPEN]) {
      let body = '';
      for (let tries = 0; !body.includes(`last_of_${jobid}`); tries++) {
        const answer = await fuzzed.ask(`/metrics?job=${jobid}`, { headers });
        ({ body } = answer);
        if (tries > 2000) throw new Error(`never taken: ${body.slice(0, 200)}`);
      }
      texts.push(body);
    }
    const seen = texts.map((text, i) => {
      const families = readExposition(text, i === 1);
      const series = families.flatMap((family) => family.series.map((one) => [identityOf(one), one.value] as const));
      // The node's own figures change from one answer to the next.
      return { families, series: new Map(series.filter(([identity]) => !/^\["(?:proxy|vigie)_/.test(identity))) };
    });
    const [text, open] = seen as [(typeof seen)[0], (typeof seen)[0]];
    for (const [identity, value] of text.series) {
      if (open.series.get(identity) !== value)
        throw new Error(`${identity} is ${open.series.get(identity)} in OpenMetrics, ${value} in text`);
    }
    if (open.series.size !== text.series.size) throw new Error('OpenMetrics has more series');
    if (fuzzed.errors.length > 0) throw new Error(fuzzed.errors.join('\n'));
    const own = open.families.filter(({ name }) => !/^(?:proxy|vigie)_|^last_of_/.test(name));
    const types = new Set(own.map(({ type, series }) => `${type}${Math.min(2, series.length)}`));
    return [...types].toSorted().join(' ');
  },
  close: () => fuzzed.close(),
};

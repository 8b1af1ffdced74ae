/** Every HTTP query: whatever stands in a path, its parameters or a body, it is answered, and not with an error of ours. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bareJob } from '../../src/shared/model/job.ts';
import { FuzzEngine } from './engine.ts';
import type { FuzzTarget } from './target.ts';

const fuzzed = new FuzzEngine();
let begun: Promise<void> | null = null;

/** Something to ask for: a job with a counter and a gauge. */
async function begin(): Promise<void> {
  const socket = await fuzzed.program();
  const messages = [
    { JobDesc: { ...bareJob('j'), command: 'x', size: 1 } },
    { Desc: { name: 'c{a="b"}', doc: '', ctype: { Counter: { ts: 0, value: 0 } } } },
    { Value: { name: 'c{a="b"}', value: { Counter: { ts: 0, value: 5 } } } },
    { Desc: { name: 'g', doc: '', ctype: { Gauge: { min: 0, max: 0, hits: 0, total: 0 } } } },
    { Value: { name: 'g', value: { Gauge: { min: 1, max: 3, hits: 2, total: 4 } } } },
  ];
  socket.write(messages.map((message) => `${JSON.stringify(message)}\0`).join(''));
}

/** All of them: another test holds that document and the application equal. Parameters in paths are left to the fuzzer. */
const document = readFileSync(join(import.meta.dirname, '../../docs/api.md'), 'utf8');
const ROUTES = [...document.matchAll(/^### `GET (\S+?)`/gm)].map(([, path]) => path!.replace(/[{*].*$/, ''));

export const http: FuzzTarget = {
  name: 'http',
  words: [
    ...ROUTES,
    '?',
    '?',
    '&',
    '=',
    ...['job=', 'jobid=', 'filter=', 'scope=', 'series=', 'from=', 'to=', 'maxPoints=', 'limit=', 'cursor=', 'search='],
    ...['state=live', 'state=ended', 'key=', 'value=', 'doc=', 'derivate=', 'period=', 'size=', 'from=0', 'to=9e15'],
    ...[
      'j',
      'main',
      'Node: ',
      'c{a="b"}',
      'c',
      'g',
      '0',
      '-1',
      '1e308',
      '1e999',
      'NaN',
      '20000',
      'node/',
      'run/',
      'rank/',
    ],
    ...[
      '%',
      '%00',
      '%2e%2e%2f',
      '../',
      '//',
      '#',
      '[]',
      '[0]',
      '__proto__',
      'constructor',
      '\u0000',
      'é',
      '"',
      "'",
      '{',
      '}',
    ],
    '\n{"key":"c","value":1}',
    '\n{"jobid":"j","filter":"c","derivate":true}',
    '\n[{}]',
    '\n{',
    '\n"',
  ],
  async check(input) {
    begun ??= begin();
    await begun;
    // A line that is the path, then a body, if any.
    const text = Buffer.from(input).toString('latin1');
    const end = text.indexOf('\n');
    const [line, body] = end < 0 ? [text, undefined] : [text.slice(0, end), text.slice(end + 1)];
    const path = `/${line.replace(/^\/+/, '').replaceAll(/[^!-~]/g, (c) => `%${c.charCodeAt(0).toString(16).padStart(2, '0')}`)}`;
    const answer = await fuzzed.ask(
      path,
      body === undefined ? {} : { method: 'POST', body, headers: { 'content-type': 'application/json' } },
    );
    const where = `${path.slice(0, 300)}: ${answer.status} ${answer.body.slice(0, 300)}`;
    // 503: the page is not built.
    if (answer.status >= 500 && answer.status !== 503) throw new Error(where);
    if (answer.type.includes('json')) JSON.parse(answer.body);
    if (fuzzed.errors.length > 0) throw new Error(`${where}\n${fuzzed.errors.splice(0).join('\n')}`);
    const code = /"code":"(\w+)"/.exec(answer.body)?.[1] ?? '';
    const route = ROUTES.find((one) => path.split(/[?#]/)[0] === one) ?? 'another path';
    return `${route} ${answer.status} ${code}`;
  },
  close: () => fuzzed.close(),
};

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { requireComponent } from '../../support/components.ts';
import { temporaryFolder } from '../../support/tmp.ts';
import { eventually } from '../../support/wait.ts';
import { startHere, type Here } from '../http/here.ts';

/** Texts that have broken something somewhere; each with the reason it is refused for, or null where it is data. */
const TEXTS: readonly (readonly [text: string, jobid: string | null, name: string | null])[] = [
  ['a/b', null, null],
  ['..', null, null],
  ['../../escaped', null, null],
  ['/tmp/escaped', null, null],
  ['.', null, null],
  ['a"b', null, null],
  ["a'b", null, null],
  ['a\\b', null, null],
  ['<script>alert(1)</script>', null, null],
  ['<img src=x onerror=alert(1)>', null, null],
  ['\u202eevil\u2066', null, null],
  ['\u2028', null, null],
  ['\u{1f4a9}', null, null],
  ['a} 1\\n# TYPE x', null, null],
  ['name{le="1', null, null],
  ['ok{__name__="other",__proto__="x"}', null, null],
  ['__proto__', null, null],
  ['constructor', null, null],
  ['mpi___constructor___x', null, null],
  ['toString___hits___valueOf', null, null],
  ['%00%2e%2e%2f', null, null],
  ['$(reboot)`reboot`', null, null],
  ["'; DROP TABLE runs; --", null, null],
  [' ', null, null],
  ['x'.repeat(256), null, null],
  ['a\0b', 'jobid_control_character', 'name_control_character'],
  ['a\nb 1\n# EOF', 'jobid_control_character', 'name_control_character'],
  ['a\rb', 'jobid_control_character', 'name_control_character'],
  ['\u001b[31m', 'jobid_control_character', 'name_control_character'],
  ['\ud800', 'jobid_control_character', 'name_control_character'],
  ['x'.repeat(10_240), 'jobid_too_long', 'name_too_long'],
];

const reasons = (which: 1 | 2): Record<string, number> => {
  const counted: Record<string, number> = {};
  for (const one of TEXTS) if (one[which] !== null) counted[one[which]] = (counted[one[which]] ?? 0) + 1;
  return counted;
};

/** What the engine's folder and the folder around it have, without the database's own changing files. */
function listing(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => !/-(wal|shm|journal)$/.test(file))
    .toSorted();
}

async function expectValid(here: Here, promtool: string, query: string): Promise<string> {
  const { status, body } = await here.client.raw(`/metrics${query}`);
  expect(status).toBe(200);
  const { status: exit, stderr } = spawnSync(promtool, ['check', 'metrics'], { input: body, encoding: 'utf8' });
  // 3: it reads, but has names that a linter would have otherwise.
  expect([0, 3], stderr).toContain(exit);
  return body;
}

describe('hostile texts', () => {
  test('as job ids: data or refused with a reason, never a path', async (context) => {
    const promtool = requireComponent('promtool', context);
    const around = temporaryFolder();
    const folder = path.join(around, 'a', 'b');
    const here = await startHere(
      { data: path.join(folder, 'data'), socket: path.join(around, 's'), legacy_socket: path.join(around, 'l') },
      folder,
    );
    const push = async (jobid: string): Promise<void> => {
      const pusher = await here.pusher();
      pusher.job({ jobid, command: jobid, run_dir: jobid, nodelist: jobid });
      pusher.describeCounter('c', jobid);
      pusher.increase('c', 1);
      await pusher.close();
    };
    await push('harmless');
    await eventually(async () => (await here.client.runs({ state: 'ended' })).runs.length === 1);
    const before = listing(around);

    for (const [text] of TEXTS) await push(text);
    const accepted = TEXTS.filter(([, refused]) => refused === null).map(([text]) => text);
    const runs = await eventually(async () => {
      const { runs: ended } = await here.client.runs({ state: 'ended' });
      return ended.length === accepted.length + 1 && ended;
    });
    expect((await here.client.status()).ingest.rejected).toEqual(reasons(1));
    expect(runs.map((run) => run.jobid).toSorted()).toEqual(['harmless', ...accepted].toSorted());
    for (const run of runs) {
      expect(run.id).toMatch(/^[\w-]+$/);
      expect((await here.client.profile(run.id)).run).toEqual(run);
      const query = `?jobid=${encodeURIComponent(run.jobid)}`;
      expect(JSON.parse((await here.client.raw(`/profiles/get${query}`)).body)).toMatchObject({
        desc: { jobid: run.jobid },
      });
    }
    // Those with a refused id counted into the node.
    const body = await expectValid(here, promtool, '');
    expect(body).toContain(`\nc ${TEXTS.length + 1}\n`);
    expect(listing(around)).toEqual(before);
    expect(existsSync('/tmp/escaped')).toBe(false);
  });

  test('as names, labels and descriptions: data or refused with a reason, and the exposition stays valid', async (context) => {
    const promtool = requireComponent('promtool', context);
    const here = await startHere();
    const pusher = await here.pusher();
    pusher.job({ jobid: 'j' });
    for (const [text] of TEXTS) {
      pusher.describeCounter(text, text);
      pusher.increase(text, 3);
    }
    const labelled = TEXTS.map(
      ([text], i) => `labelled_${i}{text="${text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n')}"}`,
    );
    for (const name of labelled) {
      pusher.describeGauge(name, name);
      pusher.set(name, 4);
    }
    pusher.describeCounter('last');
    const run = await eventually(async () => {
      const { runs } = await here.client.runs({ state: 'live' });
      return (
        runs[0] !== undefined &&
        (await here.client.series(runs[0].scope)).series.some((s) => s.name === 'last') &&
        runs[0]
      );
    });
    const { series } = await here.client.series(run.scope);
    const accepted = TEXTS.filter(([, , refused]) => refused === null).map(([text]) => text);
    expect(series.filter((s) => s.kind === 'counter' && s.name !== 'last').map((s) => [s.name, s.value])).toEqual(
      accepted.map((text) => [text, 3]),
    );
    const gauges = series.filter((s) => s.kind === 'gauge');
    // A newline in a label's value is written with an escape, so it is no control character of the name.
    expect(gauges.map((s) => s.labels['text'])).toEqual(
      TEXTS.filter(([text, , refused]) => refused === null || text.includes('\n')).map(([text]) => text),
    );
    for (const query of ['', '?job=j', '?job=main']) {
      const body = await expectValid(here, promtool, query);
      expect(body).toContain('\nlast 0\n');
      expect(
        body.split('\n').filter((line) => line.endsWith(' 3') && !line.startsWith('#')).length,
      ).toBeGreaterThanOrEqual(accepted.length);
    }
    // What was refused is not there: neither described nor counted.
    const refused = (await here.client.status()).ingest.rejected;
    expect(refused['name_too_long']).toBeGreaterThan(0);
    expect(refused['name_control_character']).toBeGreaterThan(0);
  });
});

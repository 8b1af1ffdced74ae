import { describe, expect, test } from 'vitest';
import { eventually } from '../../support/wait.ts';
import { startHere, type Here } from '../http/here.ts';
import { add, counter, ended, gauge, job, push, set } from './wire.ts';

interface Profile {
  readonly desc: { jobid: string; command: string };
  readonly counters: readonly { name: string; ctype: { Counter?: { value: number }; Gauge?: object } }[];
}
const profile = async ({ client }: Here, jobid: string): Promise<Profile> =>
  JSON.parse((await client.raw(`/profiles/get?jobid=${jobid}`)).body) as Profile;
const values = ({ counters }: Profile): Record<string, number | undefined> =>
  Object.fromEntries(counters.map(({ name, ctype }) => [name, ctype.Counter?.value]));

describe('a profile', () => {
  test('of a job whose sum would be infinite has the sum before, not 0', async () => {
    const here = await startHere({ node: false });
    (await push(here, job('j'), counter('c'), add('c', 1.5e308), add('c', 1.5e308))).end();
    await ended(here, 'j');
    expect(values(await profile(here, 'j'))).toMatchObject({ c: 1.5e308 });
  });

  test('of a second job of the same id does not replace the first one’s', async () => {
    const here = await startHere({ node: false });
    for (const value of [1, 2]) {
      (await push(here, job('j'), counter('c'), add('c', value))).end();
      await eventually(async () => (await here.client.runs({ state: 'ended' })).runs.length === value);
    }
    const { runs } = await here.client.runs({ state: 'ended' });
    expect(values(await profile(here, 'j'))).toMatchObject({ c: 2 });
    expect((await here.client.profile(runs[1]!.id)).series).toMatchObject([{ name: 'c', value: 1 }]);
  });

  test('of a job that broke off within a bad message is there', async () => {
    const here = await startHere({ node: false });
    (await push(here, job('j'), counter('c'), add('c', 2), '{"Value":{"na')).destroySoon();
    await ended(here, 'j');
    expect(values(await profile(here, 'j'))).toMatchObject({ c: 2 });
  });

  test('has each gauge with its smallest and largest value', async () => {
    const here = await startHere({ node: false });
    (await push(here, job('j'), gauge('g'), set('g', 1, 9, 3, 15))).end();
    await ended(here, 'j');
    const found = (await profile(here, 'j')).counters.find(({ name }) => name === 'g');
    expect(found?.ctype).toEqual({ Gauge: { min: 1, max: 9, hits: 3, total: 15 } });
  });
});

describe('jobs of one command are read anew, all of them, whenever one of them ends', () => {
  test('200 of them are all listed, by command, each once', async () => {
    const here = await startHere({ node: false });
    const clients = await Promise.all(
      Array.from({ length: 200 }, (_, i) => push(here, job(`j${i}`, { command: './same' }), counter('c'), add('c', 1))),
    );
    await eventually(async () => (await here.client.status()).ingest.messages === 600);
    for (const client of clients) client.end();
    await eventually(async () => (await here.client.status()).runs.ended === 200);
    const { body } = await here.client.raw('/profiles/percmd');
    const byCommand = JSON.parse(body) as Record<string, { jobid: string }[]>;
    expect(Object.keys(byCommand)).toEqual(['./same']);
    expect(new Set(byCommand['./same']!.map(({ jobid }) => jobid)).size).toBe(200);
  });
});

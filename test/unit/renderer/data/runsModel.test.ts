import { expect, test, vi } from 'vitest';
import type { Api } from '../../../../src/renderer/data/api.ts';
import { RunsModel } from '../../../../src/renderer/data/runsModel.ts';
import type { Run } from '../../../../src/shared/api/runs.ts';

const run = (id: string, change: Partial<Run> = {}): Run => ({
  ...{ id, scope: `run/${id}`, jobid: id, command: '', size: 1, nodelist: '', partition: '', cluster: '', run_dir: '' },
  ...{ start_time: 1, end_time: 2, state: 'finished', nodes: [], ranks: 1, clients: 0, series: 0, headline: null },
  ...change,
});

// The notice of a change waits for an animation frame, which there is none of here.
vi.stubGlobal('requestAnimationFrame', (call: () => void) => setTimeout(call, 0));

/** Pages as an engine would answer them; nothing else of the API is asked. */
function apiOf(pages: Run[][], one: (id: string) => Promise<Run> = () => Promise.reject(new Error('not asked'))) {
  const cursors: (string | null)[] = [];
  const api = {
    runs: (cursor: string | null) => {
      cursors.push(cursor);
      const at = Number(cursor ?? 0);
      return Promise.resolve({ runs: pages[at]!, next: at + 1 < pages.length ? String(at + 1) : null });
    },
    run: one,
  } as Partial<Api> as Api;
  return { api, cursors };
}

test('every page is fetched, and the structure tells when rows were added', async () => {
  const { api, cursors } = apiOf([[run('a'), run('b')], [run('c')], []]);
  const model = new RunsModel(api);
  const seen: number[] = [];
  model.subscribe(() => seen.push(model.snapshot().rows.size));
  await model.load();
  expect(cursors).toEqual([null, '1', '2']);
  expect(seen).toEqual([2, 3, 3]);
  const { structure } = model.snapshot();
  await model.load();
  expect(model.snapshot()).toMatchObject({ loaded: true, more: false, error: null, structure });
});

test('a failed page is told, and what was there stays', async () => {
  const { api } = apiOf([[run('a')]]);
  const model = new RunsModel(api);
  await model.load();
  vi.spyOn(api, 'runs').mockRejectedValue(new Error('gone'));
  await model.load();
  expect(model.snapshot().error?.message).toBe('gone');
  expect(model.snapshot().rows.size).toBe(1);
});

test('a live run that the complete list leaves out is asked for', async () => {
  const { api } = apiOf([[run('a', { state: 'running', end_time: 0 })]], (id) => Promise.resolve(run(id)));
  const model = new RunsModel(api);
  await model.load();
  model.takeLive([], true);
  await vi.waitFor(() => expect(model.snapshot().rows.get('a')!.run.state).toBe('finished'));
  model.close();
});

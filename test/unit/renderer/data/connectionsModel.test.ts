import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ConnectionsModel, PromptsModel } from '../../../../src/renderer/data/connectionsModel.ts';
import type { ConnectionsEvent } from '../../../../src/renderer/data/live.ts';
import type { Prompt } from '../../../../src/shared/api/connections.ts';
import { connectionOf, promptOf } from '../views/connectionFixture.ts';

/** A live socket of which a test says what comes. */
class Source {
  connections: ((change: ConnectionsEvent) => void) | null = null;
  prompts: ((prompts: readonly Prompt[]) => void) | null = null;
  status: ((status: { readonly time: number }) => void) | null = null;
  begun = 0;

  onConnections(listener: (change: ConnectionsEvent) => void): () => void {
    this.connections = listener;
    this.begun++;
    return () => (this.connections = null);
  }

  onPrompts(listener: (prompts: readonly Prompt[]) => void): () => void {
    this.prompts = listener;
    return () => (this.prompts = null);
  }

  onStatus(listener: (status: { readonly time: number }) => void): () => void {
    this.status = listener;
    return () => (this.status = null);
  }

  tell(change: Partial<ConnectionsEvent>): void {
    this.connections?.({ type: 'connections', all: false, connections: [], removed: [], ...change });
  }
}

describe('connections', () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('requestAnimationFrame', (call: () => void) => setTimeout(call, 0));
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  test('are followed while somebody looks, a little longer, and then forgotten', () => {
    const source = new Source();
    const model = new ConnectionsModel(source);
    expect(source.connections).toBeNull();
    const leave = model.subscribe(() => undefined);
    source.tell({ all: true, connections: [connectionOf()] });
    expect(model.snapshot()).toMatchObject({ loaded: true });
    leave();
    const back = model.subscribe(() => undefined);
    vi.advanceTimersByTime(60_000);
    expect([source.begun, model.snapshot().rows.size]).toEqual([1, 1]);
    back();
    vi.advanceTimersByTime(60_000);
    expect(source.connections).toBeNull();
    expect(model.snapshot()).toMatchObject({ loaded: false });
    model.subscribe(() => undefined);
    expect(source.begun).toBe(2);
  });

  test('an answer of a request is shown before the socket tells it', () => {
    const source = new Source();
    const model = new ConnectionsModel(source);
    const heard = vi.fn<() => void>();
    model.subscribe(heard);
    model.put(connectionOf({ id: 'early' }));
    expect(model.snapshot().rows.size).toBe(0);
    source.tell({ all: true, connections: [connectionOf()] });
    model.put(connectionOf({ id: 'b' }));
    model.drop('a');
    model.drop('never there');
    expect([...model.snapshot().rows.keys()]).toEqual(['b']);
    expect(heard).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(1000);
    expect(heard).toHaveBeenCalledTimes(3);
  });

  test('what each has carried is kept as it was heard of, and goes with it', () => {
    let now = 0;
    const source = new Source();
    const model = new ConnectionsModel(source, () => now);
    model.subscribe(() => undefined);
    source.tell({ all: true, connections: [connectionOf()] });
    now = 1000;
    source.tell({ connections: [connectionOf({ traffic: { in: 10, out: 20 } })] });
    expect(model.trail('a')).toEqual([
      { time: 0, in: 0, out: 0 },
      { time: 1000, in: 10, out: 20 },
    ]);
    source.tell({ removed: ['a'] });
    expect(model.trail('a')).toEqual([]);
  });
});

describe('prompts', () => {
  function started() {
    const source = new Source();
    const model = new PromptsModel(source);
    const gone: string[] = [];
    model.onGone(({ id }) => gone.push(id));
    model.start();
    model.start();
    return { source, model, gone };
  }

  test('what this page answered is gone at once and stays so, and is no news', () => {
    const { source, model, gone } = started();
    const both = [promptOf(), promptOf({ id: 'p2' })];
    source.prompts?.(both);
    model.answered('p1');
    expect(model.snapshot().map(({ id }) => id)).toEqual(['p2']);
    // It was on its way when the answer was given.
    source.prompts?.(both);
    expect(model.snapshot().map(({ id }) => id)).toEqual(['p2']);
    source.prompts?.([]);
    expect(gone).toEqual(['p2']);
  });

  test('the clock is the one of the engine that asks', () => {
    const { source, model } = started();
    source.status?.({ time: Date.now() + 3_600_000 });
    expect(Math.abs(model.now() - Date.now() - 3_600_000)).toBeLessThan(60_000);
  });

  test('closed it asks for nothing and holds nothing', () => {
    const { source, model } = started();
    source.prompts?.([promptOf()]);
    model.close();
    expect(source.prompts).toBeNull();
    expect(model.snapshot()).toEqual([]);
  });
});

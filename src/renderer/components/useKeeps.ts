import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import type { Keep, NewKeep } from '../../shared/api/store.ts';
import { useEngine } from '../state/engine.ts';
import { sayFailure, sayWithUndo } from './undo.tsx';

const PAGE = 1000;

export interface Keeps {
  /** Newest first; undefined: not known yet. */
  readonly keeps: readonly Keep[] | undefined;
  readonly error: Error | null;
  /** Loads older ones; null: these are all. */
  readonly more: (() => void) | null;
  /** Both say what they did with a way back, and never reject. */
  add(keep: NewKeep, said: string): Promise<void>;
  remove(keep: Keep, said: string): Promise<void>;
}

/** What asks for the same again. */
export const asNew = ({ kind, scope, from, to, note }: Keep): NewKeep =>
  kind === 'run' ? { kind, run: (scope ?? '').replace(/^run\//, ''), note } : { kind, scope, from, to, note };

/** What the engine keeps at full detail. */
export function useKeeps(): Keeps {
  const engine = useEngine();
  const queries = useQueryClient();
  const key = [engine.base, 'keeps'];
  const { data, error, hasNextPage, fetchNextPage } = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => engine.api.keeps(pageParam, PAGE, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next,
    staleTime: 10_000,
  });
  const changed = async (): Promise<void> => {
    void queries.invalidateQueries({ queryKey: [engine.base, 'audit'] });
    await queries.invalidateQueries({ queryKey: key });
  };
  const add = async (keep: NewKeep, said: string): Promise<void> => {
    try {
      const added = await engine.api.addKeep(keep);
      await changed();
      sayWithUndo(said, () => undo(() => engine.api.removeKeep(added.id)));
    } catch (failure) {
      sayFailure('It could not be kept', failure);
    }
  };
  const remove = async (keep: Keep, said: string): Promise<void> => {
    try {
      await engine.api.removeKeep(keep.id);
      await changed();
      sayWithUndo(said, () => undo(() => engine.api.addKeep(asNew(keep))));
    } catch (failure) {
      sayFailure('It could not be removed', failure);
    }
  };
  const undo = async (back: () => Promise<unknown>): Promise<void> => {
    try {
      await back();
    } catch (failure) {
      sayFailure('It could not be taken back', failure);
    }
    await changed();
  };
  return {
    keeps: data?.pages.flatMap((page) => page.keeps),
    error,
    more: hasNextPage ? () => void fetchNextPage() : null,
    add,
    remove,
  };
}

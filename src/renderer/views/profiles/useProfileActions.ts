import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import type { InfiniteData, Query } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { ProfileChange, ProfilesChanged, ProfileSummary } from '../../../shared/api/profiles.ts';
import { sayFailure, sayWithUndo } from '../../components/undo.tsx';
import type { ManyChange } from '../../data/profilesApi.ts';
import { formatCount } from '../../format/units.ts';
import { useEngine } from '../../state/engine.ts';
import { isFewPages, placesOf, withChange, withoutRuns, withRunsBack } from './list/pages.ts';
import type { Page, TakenOut } from './list/pages.ts';
import { runsText } from './words.ts';

export interface ProfileActions {
  /** All say what they did, with a way back where there is one, and never reject. True: it was done, in part at least. */
  change(change: ManyChange, said: string): Promise<boolean>;
  remove(ids: readonly string[]): Promise<boolean>;
  restore(ids: readonly string[]): Promise<boolean>;
  mark(id: string, change: ProfileChange, said: string | null): Promise<boolean>;
  /** Brings back what was deleted last on this page. */
  undo(): Promise<void>;
}

interface Deleted {
  readonly base: string;
  readonly ids: readonly string[];
  /** By the hash of a list that is too long to be asked for anew: what it had of them. */
  readonly taken: ReadonlyMap<string, readonly TakenOut[]>;
}

/** As many as the engine changes at once. */
const AT_ONCE = 1000;

type RunPages = InfiniteData<Page<ProfileSummary>>;

/** Deleted last on this page, to be brought back by its key. */
let deleted: Deleted | null = null;
const remember = (ids: Deleted | null): void => {
  deleted = ids;
};

const named = (ids: readonly string[]): string => runsText(ids.length, formatCount(ids.length));

function tellFailed({ failed }: ProfilesChanged): void {
  if (failed.length === 0) return;
  const reasons = [...new Set(failed.map(({ why }) => why))].slice(0, 3).join(' · ');
  sayFailure(`Not done for ${named(failed.map(({ id }) => id))}`, reasons);
}

/** Changes to finished runs. */
export function useProfileActions(): ProfileActions {
  const engine = useEngine();
  const queries = useQueryClient();
  return useMemo((): ProfileActions => {
    const { profiles } = engine.api;
    const isLong = ({ queryKey: [base, , what], state }: Query): boolean =>
      base === engine.base && what === 'runs' && !isFewPages(state.data);
    const settled = async (): Promise<void> => {
      for (const what of ['audit', 'keeps', 'profile']) {
        void queries.invalidateQueries({ queryKey: [engine.base, what] });
      }
      await queries.invalidateQueries({ queryKey: [engine.base, 'profiles'], predicate: (one) => !isLong(one) });
    };
    /** Does in long lists what was done: to ask for all of their pages anew takes too long. */
    const mend = (by: (pages: RunPages, hash: string) => RunPages): void => {
      for (const { queryKey, queryHash } of queries.getQueryCache().findAll({ predicate: isLong })) {
        queries.setQueryData<RunPages>(queryKey, (pages) => pages && by(pages, queryHash));
      }
    };
    /** Does it for many at once, and tells what could not be done. What was done before something went wrong stays. */
    const attempt = async (
      all: readonly string[],
      act: (ids: readonly string[]) => Promise<ProfilesChanged>,
      mended: (pages: RunPages, ids: ReadonlySet<string>, hash: string) => RunPages,
    ): Promise<readonly string[]> => {
      const done: ProfilesChanged = { changed: [], failed: [] };
      try {
        for (let at = 0; at < all.length; at += AT_ONCE) {
          const { changed, failed } = await act(all.slice(at, at + AT_ONCE));
          done.changed.push(...changed);
          done.failed.push(...failed);
        }
      } catch (error) {
        sayFailure(
          done.changed.length === 0 ? 'This was not done' : `This was done for ${named(done.changed)} only`,
          error,
        );
      }
      tellFailed(done);
      const ids = new Set(done.changed);
      if (ids.size > 0) mend((pages, hash) => mended(pages, ids, hash));
      await settled();
      return done.changed;
    };
    const putBack = (before: Deleted | null) => (pages: RunPages, ids: ReadonlySet<string>, hash: string) => {
      const taken = before?.taken.get(hash);
      // A list of what is in the trash loses them.
      return taken
        ? withRunsBack(
            pages,
            taken.filter(({ run }) => ids.has(run.id)),
          )
        : withoutRuns(pages, ids);
    };
    const restore = async (ids: readonly string[], before: Deleted | null): Promise<boolean> => {
      const back = await attempt(ids, profiles.restore, putBack(before));
      if (back.length > 0) notifications.show({ message: `Back on the list: ${named(back)}.` });
      return back.length > 0;
    };
    const actions: ProfileActions = {
      async change(change, said) {
        const { ids: all, ...rest } = change;
        const act = (ids: readonly string[]): Promise<ProfilesChanged> => profiles.change({ ...rest, ids });
        const changed = await attempt(all, act, (pages, ids) => withChange(pages, ids, rest));
        if (changed.length > 0) notifications.show({ message: said });
        return changed.length > 0;
      },
      async remove(ids) {
        const taken = new Map<string, readonly TakenOut[]>();
        const gone = await attempt(ids, profiles.remove, (pages, of, hash) => {
          taken.set(hash, placesOf(pages, of));
          return withoutRuns(pages, of);
        });
        if (gone.length === 0) return false;
        remember({ base: engine.base, ids: gone, taken });
        const what = gone.length === 1 ? 'it' : 'them';
        sayWithUndo(`${named(gone)} deleted. The trash keeps ${what} for 7 days.`, () => actions.undo());
        return true;
      },
      restore: (ids) => restore(ids, null),
      async mark(id, change, said) {
        try {
          await profiles.mark(id, change);
          await settled();
          if (said !== null) notifications.show({ message: said });
          return true;
        } catch (error) {
          sayFailure('This was not done', error);
          return false;
        }
      },
      async undo() {
        if (deleted === null || deleted.base !== engine.base) {
          notifications.show({ message: 'Nothing was deleted here that could be brought back; look into the trash.' });
          return;
        }
        const before = deleted;
        remember(null);
        await restore(before.ids, before);
      },
    };
    return actions;
  }, [engine, queries]);
}

import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { ProfileChange, ProfilesChanged } from '../../../shared/api/profiles.ts';
import { sayFailure, sayWithUndo } from '../../components/undo.tsx';
import type { ManyChange } from '../../data/profilesApi.ts';
import { formatCount } from '../../format/units.ts';
import { useEngine } from '../../state/engine.ts';
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
}

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
    const settled = async (): Promise<void> => {
      for (const what of ['audit', 'keeps', 'profile']) {
        void queries.invalidateQueries({ queryKey: [engine.base, what] });
      }
      await queries.invalidateQueries({ queryKey: [engine.base, 'profiles'] });
    };
    /** Does it for many at once, and tells what could not be done. */
    const attempt = async (act: () => Promise<ProfilesChanged>): Promise<readonly string[]> => {
      try {
        const result = await act();
        tellFailed(result);
        await settled();
        return result.changed;
      } catch (error) {
        sayFailure('This was not done', error);
        return [];
      }
    };
    const actions: ProfileActions = {
      async change(change, said) {
        const changed = await attempt(() => profiles.change(change));
        if (changed.length > 0) notifications.show({ message: said });
        return changed.length > 0;
      },
      async remove(ids) {
        const gone = await attempt(() => profiles.remove(ids));
        if (gone.length === 0) return false;
        remember({ base: engine.base, ids: gone });
        const what = gone.length === 1 ? 'it' : 'them';
        sayWithUndo(`${named(gone)} deleted. The trash keeps ${what} for 7 days.`, () => actions.undo());
        return true;
      },
      async restore(ids) {
        const back = await attempt(() => profiles.restore(ids));
        if (back.length > 0) notifications.show({ message: `Back on the list: ${named(back)}.` });
        return back.length > 0;
      },
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
        const { ids } = deleted;
        remember(null);
        await actions.restore(ids);
      },
    };
    return actions;
  }, [engine, queries]);
}

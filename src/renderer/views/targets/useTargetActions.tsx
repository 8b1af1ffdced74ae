import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import type { QueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { BulkResult, Target } from '../../../shared/api/targets.ts';
import { UNDO_WITHIN } from '../../../shared/api/targets.ts';
import type { Engine } from '../../data/engine.ts';
import { formatCount } from '../../format/units.ts';
import { useEngine } from '../../state/engine.ts';
import { shortUrl, targetsText } from './words.ts';

export interface TargetActions {
  setPaused(targets: readonly Target[], paused: boolean): Promise<void>;
  remove(targets: readonly Target[]): Promise<void>;
  /** Brings back what was removed last, while that can be done. */
  undo(): Promise<void>;
}

const UNDO = 'targets-undo';

/** Removed last on this page, to be brought back from the message or by its key. */
let removed: { readonly engine: Engine; readonly ids: readonly string[]; readonly until: number } | null = null;

const named = (targets: readonly { readonly url: string }[]): string =>
  targets.length === 1 ? shortUrl(targets[0]!.url) : targetsText(targets.length, formatCount(targets.length));

/** Says what was not done, and the first reasons why. */
export function tellRefused(result: BulkResult): void {
  const refused = result.items.filter((item) => item.outcome === 'refused');
  if (refused.length === 0) return;
  const reasons = [...new Set(refused.map((item) => item.reason ?? 'no reason was given'))];
  notifications.show({
    color: 'red',
    title: `Not done for ${targetsText(refused.length, formatCount(refused.length))}`,
    message: reasons.slice(0, 3).join(' · '),
    autoClose: 15_000,
  });
}

/** What was said before the list changed: whether an address is on it, how many there are. */
export function forgetAnswers(queries: QueryClient, engine: Engine): void {
  queries.removeQueries({ queryKey: [engine.base, 'probe'] });
  void queries.invalidateQueries({ queryKey: [engine.base, 'targets'] });
}

function tellError(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  notifications.show({ color: 'red', title: 'This was not done', message, autoClose: 15_000 });
}

/** Changes to targets that need no form, each told when it is done. */
export function useTargetActions(): TargetActions {
  const engine = useEngine();
  const queries = useQueryClient();
  return useMemo((): TargetActions => {
    const { api, targets: model } = engine;
    const settled = (): void => forgetAnswers(queries, engine);
    const actions: TargetActions = {
      async setPaused(targets, paused) {
        try {
          const ids = targets.map(({ id }) => id);
          const result = await api.targets.bulk({ action: paused ? 'pause' : 'resume', ids });
          const done = new Set(result.items.filter(({ outcome }) => outcome !== 'refused').map(({ id }) => id));
          for (const target of targets) if (done.has(target.id)) model.put({ ...target, paused });
          tellRefused(result);
          settled();
        } catch (error) {
          tellError(error);
        }
      },
      async remove(targets) {
        try {
          const result = await api.targets.bulk({ action: 'remove', ids: targets.map(({ id }) => id) });
          const gone = result.items.filter(({ outcome }) => outcome === 'removed');
          for (const { id } of gone) if (id !== null) model.drop(id);
          tellRefused(result);
          settled();
          if (gone.length === 0) return;
          const ids = gone.flatMap(({ id }) => (id === null ? [] : [id]));
          removed = { engine, ids, until: Date.now() + UNDO_WITHIN };
          notifications.hide(UNDO);
          notifications.show({
            id: UNDO,
            autoClose: UNDO_WITHIN - 2000,
            title: `Removed: ${named(gone)}`,
            message: <Undo act={actions.undo} />,
            closeButtonProps: { 'aria-label': 'Close' },
          });
        } catch (error) {
          tellError(error);
        }
      },
      async undo() {
        if (removed === null || removed.engine !== engine || removed.until < Date.now()) {
          notifications.show({ message: 'There is no removal to undo: it can be done for a minute.' });
          return;
        }
        const { ids } = removed;
        removed = null;
        notifications.hide(UNDO);
        try {
          const result = await api.targets.bulk({ action: 'restore', ids: [...ids] });
          const back = result.items.filter(({ outcome }) => outcome === 'restored');
          tellRefused(result);
          settled();
          if (back.length > 0) notifications.show({ message: `Back on the list: ${named(back)}` });
        } catch (error) {
          tellError(error);
        }
      },
    };
    return actions;
  }, [engine, queries]);
}

function Undo({ act }: { readonly act: () => Promise<void> }) {
  return (
    <div className="v-undo">
      <span>For a minute it can be brought back, with its history.</span>
      <Button size="compact-xs" variant="default" onClick={() => void act()}>
        Undo
      </Button>
    </div>
  );
}

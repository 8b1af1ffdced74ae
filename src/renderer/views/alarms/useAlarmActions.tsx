import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { Alarm } from '../../../shared/api/alarms.ts';
import { silencesFor } from '../../data/alarms.ts';
import { sayFailure, sayWithUndo } from '../../components/undo.tsx';
import { engineNow } from '../../state/connection.ts';
import { useEngine } from '../../state/engine.ts';
import { alarmsText, OF_ANOTHER, spanText } from './words.ts';

export interface AlarmActions {
  /** Nobody is told of them again until they resolve. Says so with a way back; never rejects. */
  acknowledge(alarms: readonly Alarm[], comment?: string): Promise<void>;
  takeBack(alarms: readonly Alarm[]): Promise<void>;
  /** Silences these for so many ms. */
  silence(alarms: readonly Alarm[], ms: number): Promise<void>;
  /** Ends these silences, which may hit other alarms too. */
  unsilence(silences: readonly string[]): Promise<void>;
}

const named = (alarms: readonly Alarm[]): string =>
  alarms.length === 1 ? `“${alarms[0]!.name}” of ${alarms[0]!.place}` : alarmsText(alarms.length);

/** What can be done with alarms in one click. */
export function useAlarmActions(): AlarmActions {
  const engine = useEngine();
  const queries = useQueryClient();
  return useMemo((): AlarmActions => {
    const settled = (): void => {
      void queries.invalidateQueries({ queryKey: [engine.base, 'alarms'] });
      void queries.invalidateQueries({ queryKey: [engine.base, 'audit'] });
    };
    const attempt = async (failed: string, act: () => Promise<unknown>): Promise<boolean> => {
      try {
        await act();
      } catch (error) {
        sayFailure(failed, error);
        settled();
        return false;
      }
      settled();
      return true;
    };
    const set = (alarms: readonly Alarm[], comment: string, on: boolean): Promise<boolean> =>
      attempt(on ? 'Not acknowledged' : 'The acknowledgement was not taken back', () =>
        engine.api.alarms.acknowledge(
          alarms.map(({ id }) => id),
          comment,
          on,
        ),
      );
    return {
      async acknowledge(alarms, comment = '') {
        const here = alarms.filter(({ from }) => from === null);
        if (here.length === 0 && alarms.length > 0) notifications.show({ message: `${OF_ANOTHER}.` });
        const taken = here.filter((alarm) => alarm.acknowledged === null || comment !== '');
        if (taken.length === 0 || !(await set(taken, comment, true))) return;
        sayWithUndo(`Acknowledged: ${named(taken)}`, async () => void (await set(taken, '', false)));
      },
      async takeBack(alarms) {
        const taken = alarms.filter((alarm) => alarm.from === null && alarm.acknowledged !== null);
        if (taken.length === 0 || !(await set(taken, '', false))) return;
        const [first] = taken;
        const comment = first?.acknowledged?.comment ?? '';
        sayWithUndo(`Not acknowledged any more: ${named(taken)}`, async () => void (await set(taken, comment, true)));
      },
      async silence(alarms, ms) {
        const from = engineNow();
        const made: string[] = [];
        const done = await attempt('Not silenced', async () => {
          for (const matchers of silencesFor(alarms)) {
            const body = { matchers, from, to: from + ms, recurring: null, comment: '' };
            made.push((await engine.api.silences.add(body)).id);
          }
        });
        if (!done) return;
        sayWithUndo(`Silenced for ${spanText(ms)}: ${named(alarms)}`, async () => {
          await attempt('The silence was not ended', () => Promise.all(made.map((id) => engine.api.silences.end(id))));
        });
      },
      async unsilence(silences) {
        await attempt('The silence was not ended', () =>
          Promise.all(silences.map((id) => engine.api.silences.end(id))),
        );
      },
    };
  }, [engine, queries]);
}

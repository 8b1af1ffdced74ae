import { useEffect, useRef, useState } from 'react';
import type { RuleSettingsInput } from '../../../../shared/api/alarms.ts';
import type { PreviewAnswer } from '../../../data/alarmPreview.ts';
import { useEngine } from '../../../state/engine.ts';

/** A threshold that is dragged asks this long after it rests, ms: what is short answers within it. */
const REST_MS = 120;
/** Points of a line in the plot. */
const POINTS = 480;
/** Lines in the plot, and series that are looked at. */
const MAX_SERIES = 50;

export interface PreviewState {
  /** The last answer, also while the next one is on its way. */
  readonly answer: PreviewAnswer | null;
  /** What that answer is about. */
  readonly span: { readonly from: number; readonly to: number } | null;
  /** A share from 0 to 1; null: nothing is being asked. */
  readonly progress: number | null;
  readonly error: string | null;
  cancel(): void;
}

interface Asked {
  /** Null: there is nothing to ask yet. */
  readonly rule: RuleSettingsInput | null;
  readonly from: number;
  readonly to: number;
  /** Null: all that the rule means. */
  readonly scopes: readonly string[] | null;
}

/** When the rule would have fired; asks again with each change, and gives up what is no longer wanted. */
export function usePreview({ rule, from, to, scopes }: Asked): PreviewState {
  const engine = useEngine();
  const [state, setState] = useState<Omit<PreviewState, 'cancel'>>({
    answer: null,
    span: null,
    progress: null,
    error: null,
  });
  const running = useRef<AbortController | null>(null);
  const question = rule === null ? null : JSON.stringify([rule, from, to, scopes]);
  useEffect(() => {
    if (question === null || rule === null) return undefined;
    const abort = new AbortController();
    running.current = abort;
    const ask = async (): Promise<void> => {
      setState((old) => ({ ...old, progress: 0 }));
      const body = {
        ...{ rule, from, to, max_series: MAX_SERIES, points: POINTS },
        ...(scopes === null ? {} : { scopes: [...scopes] }),
      };
      const told = (done: number): void => setState((old) => ({ ...old, progress: done }));
      try {
        const answer = await engine.api.alarms.preview(body, told, abort.signal);
        setState({ answer, span: { from, to }, progress: null, error: null });
      } catch (error) {
        if (abort.signal.aborted) return;
        setState((old) => ({ ...old, progress: null, error: error instanceof Error ? error.message : String(error) }));
      }
    };
    const timer = setTimeout(() => void ask(), REST_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- the question says all of it
  }, [engine, question]);
  const cancel = (): void => {
    running.current?.abort();
    setState((old) => ({ ...old, progress: null, error: 'The preview was cancelled.' }));
  };
  return { ...state, cancel };
}

import { useMemo } from 'react';
import type { ScopeId } from '../../../shared/model/scope.ts';
import type { Board } from '../../charts/board.ts';
import type { Span } from '../../charts/range.ts';
import { keptText, resolutionText } from '../../charts/resolution.ts';
import { engineNow, useConnection } from '../../state/connection.ts';

interface ShownText {
  readonly resolution: string;
  readonly notes: readonly string[];
}

/**
 * What the points of the charts stand for, and why they are not finer or more. `version` stands for answers that React
 * does not see.
 */
export function useShownText(
  board: Board,
  panels: readonly { readonly scope: ScopeId; readonly keys: readonly string[] }[],
  span: Span | null,
  version: number,
): ShownText {
  const ages = useConnection((s) => s.status?.retention);
  const text = useMemo(
    (): string => {
      if (!span) return JSON.stringify([]);
      const notes = new Set<string>();
      let widest = -1;
      for (const { scope, keys } of panels) {
        const layer = board.samplesOf(scope).history?.best(keys, span.from, span.to);
        if (!layer) continue;
        widest = Math.max(widest, layer.step);
        const kept = ages ? keptText(layer, ages, engineNow()) : null;
        if (kept !== null) notes.add(kept);
        if (layer.note !== null) notes.add(layer.note);
      }
      return JSON.stringify([widest < 0 ? '' : resolutionText(widest), ...notes]);
    },
    // oxlint-disable-next-line react-hooks/exhaustive-deps
    [board, panels, span, version, ages?.samples, ages?.minutes],
  );
  return useMemo(() => {
    const [resolution = '', ...notes] = JSON.parse(text) as string[];
    return { resolution, notes };
  }, [text]);
}

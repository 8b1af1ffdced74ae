import { useEffect, useMemo, useReducer } from 'react';
import type { Series } from '../../../shared/model/described-series.ts';
import type { ScopeId } from '../../../shared/model/scope.ts';
import type { Board } from '../../charts/board.ts';
import { chooseLines, groupPanels } from '../../charts/panels.ts';
import type { PanelGroup, PanelSpec } from '../../charts/panels.ts';
import type { BoardScopeState } from './useBoard.ts';

/** How often the choice of lines is made anew while samples come. */
const CHOOSE_EVERY_MS = 5000;

export interface ShownPanel {
  readonly panel: PanelSpec;
  readonly lines: readonly Series[];
  readonly left: number;
}

export interface ShownGroup {
  readonly name: string;
  readonly panels: readonly ShownPanel[];
}

export interface Section {
  readonly scope: BoardScopeState;
  readonly groups: readonly ShownGroup[];
  /** Series left out because they only show zeros. */
  readonly idle: number;
}

/** Which charts to show and which lines in them. Things that did not change stay the same objects. */
export function useLayout(
  board: Board,
  scopes: readonly BoardScopeState[],
  showIdle: boolean,
  version: number,
  grouping: (scope: ScopeId, series: readonly Series[]) => PanelGroup[] = groupPanels,
): Section[] {
  const [turn, again] = useReducer((n: number) => n + 1, 0);
  const moving = board.range.kind === 'live';
  useEffect(() => {
    if (!moving) return undefined;
    // The first choice follows soon: a counter shows that it moves with its second sample.
    const soon = setTimeout(again, 2200);
    const timer = setInterval(() => {
      if (!document.hidden) again();
    }, CHOOSE_EVERY_MS);
    return () => {
      clearTimeout(soon);
      clearInterval(timer);
    };
  }, [moving]);
  const specs = useMemo(
    () => scopes.map((s) => ({ scope: s, groups: grouping(s.scope, s.series) })),
    [scopes, grouping],
  );
  const [memory] = useMemoryOfPanels();
  return useMemo(
    () =>
      specs.map(({ scope, groups }) => {
        let idle = 0;
        const shown = groups
          .map((group) => ({
            name: group.name,
            panels: group.panels.flatMap((panel): ShownPanel[] => {
              const choice = chooseLines(panel, (s) => board.activity(scope.scope, s), showIdle);
              idle += choice.idle;
              if (choice.lines.length === 0) return [];
              return [memory(panel, choice.lines, choice.left)];
            }),
          }))
          .filter((group) => group.panels.length > 0);
        return { scope, groups: shown, idle };
      }),
    // Turn and version stand for samples that React does not see.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
    [specs, board, showIdle, memory, turn, version, board.totals],
  );
}

/** Gives back the panel of last time when its lines are the same, so that its chart is not built again. */
function useMemoryOfPanels(): [(panel: PanelSpec, lines: readonly Series[], left: number) => ShownPanel] {
  const remember = useMemo(() => {
    const known = new Map<string, ShownPanel>();
    return (panel: PanelSpec, lines: readonly Series[], left: number): ShownPanel => {
      const before = known.get(panel.id);
      const same =
        before && before.left === left && sameKeys(before.lines, lines) && before.panel.title === panel.title;
      const next = same ? before : { panel, lines, left };
      known.set(panel.id, next);
      return next;
    };
  }, []);
  return [remember];
}

const sameKeys = (a: readonly Series[], b: readonly Series[]): boolean =>
  a.length === b.length && a.every((s, i) => s.key === b[i]!.key);

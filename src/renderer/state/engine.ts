import { createContext, useContext, useSyncExternalStore } from 'react';
import type { Run } from '../../shared/api/runs.ts';
import type { Engine } from '../data/engine.ts';
import { isLive } from '../data/runs.ts';
import type { RunRow } from '../data/runs.ts';
import type { AlarmsSnapshot } from '../data/alarmsModel.ts';
import type { RunsSnapshot } from '../data/runsModel.ts';
import type { TargetsSnapshot } from '../data/targetsModel.ts';
import type { Alarm } from '../../shared/api/alarms.ts';
import type { Target } from '../../shared/api/targets.ts';

export const EngineContext = createContext<Engine | null>(null);
/** The engine that the page came from; what is asked and connected is there, whichever engine is looked at. */
export const HomeContext = createContext<Engine | null>(null);

/** The engine that the views below show. */
export function useEngine(): Engine {
  const engine = useContext(EngineContext);
  if (!engine) throw new Error('useEngine outside an engine');
  return engine;
}

/** The engine that the page came from: its connections, and what they ask. Usually also the one of {@link useEngine}. */
export function useHome(): Engine {
  const engine = useContext(HomeContext);
  if (!engine) throw new Error('useHome outside a page');
  return engine;
}

/** One run if the list has it; renders only when its description changes, not with its rate. */
export function useRun(id: string): Run | undefined {
  const { runs } = useEngine();
  return useSyncExternalStore(runs.subscribe, () => runs.snapshot().rows.get(id)?.run);
}

/** Live runs that have clients on a host, newest first as the list has them; renders only when these change. */
export function useRunsOn(host: string): { id: string; jobid: string }[] {
  const { runs } = useEngine();
  const text = useSyncExternalStore(runs.subscribe, () => {
    const here: string[] = [];
    for (const { run } of runs.snapshot().rows.values()) {
      if (isLive(run) && run.nodes.includes(host)) here.push(`${run.id} ${run.jobid}`);
    }
    return here.join('\n');
  });
  return text === ''
    ? []
    : text
        .split('\n')
        .map((line) => ({ id: line.slice(0, line.indexOf(' ')), jobid: line.slice(line.indexOf(' ') + 1) }));
}

/** A run with its rate and trail; renders once per period while it lives. */
export function useRunRow(id: string): RunRow | undefined {
  const { runs } = useEngine();
  return useSyncExternalStore(runs.subscribe, () => runs.snapshot().rows.get(id));
}

/** Renders when runs are added or change, with `each` also once per period. */
export function useRunsSnapshot(each: boolean): RunsSnapshot {
  const { runs } = useEngine();
  useSyncExternalStore(runs.subscribe, () => {
    const { structure, loaded, more, error, rows } = runs.snapshot();
    return each ? rows : `${structure} ${loaded} ${more} ${error?.message ?? ''}`;
  });
  return runs.snapshot();
}

/** All targets; renders when any of them changes. */
export function useTargetsSnapshot(): TargetsSnapshot {
  const { targets } = useEngine();
  return useSyncExternalStore(targets.subscribe, targets.snapshot);
}

/** One target and whether the list is here; renders when it changes. */
export function useTarget(id: string): { target: Target | undefined; loaded: boolean } {
  const { targets } = useEngine();
  const target = useSyncExternalStore(targets.subscribe, () => targets.snapshot().rows.get(id));
  const loaded = useSyncExternalStore(targets.subscribe, () => targets.snapshot().loaded);
  return { target, loaded };
}

/** All alarms but the inactive ones; renders when any of them changes. */
export function useAlarmsSnapshot(): AlarmsSnapshot {
  const { alarms } = useEngine();
  return useSyncExternalStore(alarms.subscribe, alarms.snapshot);
}

/** One alarm, unless it is inactive, and whether the list is here; renders when it changes. */
export function useAlarm(id: string): { alarm: Alarm | undefined; loaded: boolean } {
  const { alarms } = useEngine();
  const alarm = useSyncExternalStore(alarms.subscribe, () => alarms.snapshot().rows.get(id));
  const loaded = useSyncExternalStore(alarms.subscribe, () => alarms.snapshot().loaded);
  return { alarm, loaded };
}

/** How many fire: those that nobody has taken, and all; renders only when these numbers change. */
export function useFiring(): { open: number; firing: number; silenced: number; acknowledged: number } {
  const { alarms } = useEngine();
  const text = useSyncExternalStore(alarms.subscribe, () => {
    const { open, counts } = alarms.snapshot();
    return `${open} ${counts.firing} ${counts.silenced} ${counts.acknowledged}`;
  });
  const [open = 0, firing = 0, silenced = 0, acknowledged = 0] = text.split(' ').map(Number);
  return { open, firing, silenced, acknowledged };
}

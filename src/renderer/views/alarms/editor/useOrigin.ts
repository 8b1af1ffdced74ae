import { useQuery } from '@tanstack/react-query';
import { useEngine } from '../../../state/engine.ts';
import type { PlotPlace } from './fromPlot.ts';

/** What is known of the scope that the editor was opened for; undefined: it is being asked. */
export function useOrigin(scope: string | null): { place: PlotPlace | null; began: number } | undefined {
  const engine = useEngine();
  const [kind = '', id = ''] = (scope ?? '').split('/');
  const asks = kind === 'run' || kind === 'rank' || kind === 'target';
  const { data, isError } = useQuery({
    enabled: asks,
    queryKey: [engine.base, 'alarms', 'origin', scope],
    queryFn: async ({ signal }): Promise<{ jobid: string | null; address: string | null; began: number }> => {
      if (kind === 'target') {
        const { url } = await engine.api.targets.get(id, signal);
        return { jobid: null, address: url, began: 0 };
      }
      const run = await engine.api.run(id, signal);
      return { jobid: run.jobid, address: null, began: run.start_time };
    },
    retry: false,
    staleTime: 60_000,
  });
  if (scope === null) return { place: null, began: 0 };
  if (!asks || isError) return { place: { scope, jobid: null, address: null }, began: 0 };
  if (!data) return undefined;
  return { place: { scope, jobid: data.jobid, address: data.address }, began: data.began };
}

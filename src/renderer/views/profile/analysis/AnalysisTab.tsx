import { useQuery } from '@tanstack/react-query';
import type { Profile } from '../../../../shared/api/profiles.ts';
import { PartSkeleton } from '../../../components/latePart.tsx';
import { Failure } from '../../../components/Message.tsx';
import { useEngine } from '../../../state/engine.ts';
import { Footprint } from '../footprint/Footprint.tsx';
import { ImbalanceTable } from './ImbalanceTable.tsx';
import { Phases } from './Phases.tsx';
import { sentence } from './words.ts';
import '../profile.css';

/** What a finished run's numbers say: in a sentence, against other runs, over its ranks and over its time. */
export function AnalysisTab({ profile }: { readonly profile: Profile }) {
  const { run } = profile;
  const engine = useEngine();
  const { data, error, refetch } = useQuery({
    queryKey: [engine.base, 'profiles', 'analysis', run.id],
    queryFn: ({ signal }) => engine.api.profiles.analysis(run.id, signal),
    staleTime: 30_000,
  });
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <PartSkeleton name="the analysis" />;
  return (
    <div className="v-sheet" data-testid="analysis">
      <h2 className="v-hidden">Analysis of {run.jobid}</h2>
      <p className="v-profile-headline" data-testid="analysis-headline">
        {sentence(data.headline)}
      </p>
      <Footprint footprint={data.footprint} />
      <ImbalanceTable rows={data.imbalance} profile={profile} />
      <Phases phases={data.phases} run={run} />
    </div>
  );
}

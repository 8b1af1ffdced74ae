import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { Profile } from '../../../shared/api/profiles.ts';
import type { Run } from '../../../shared/api/runs.ts';
import { Failure } from '../../components/Message.tsx';

interface MpiProps {
  readonly run: Run;
  readonly profile: Profile | null;
}

/** The MPI view with its charts, which come with the first look at it: most views have no use for them. */
export function Mpi(props: MpiProps) {
  const code = useQuery({
    queryKey: ['code', 'mpi'],
    queryFn: () => import('./mpi/MpiTab.tsx'),
    staleTime: Infinity,
    gcTime: Infinity,
    structuralSharing: false,
  });
  if (code.data) return <code.data.MpiTab {...props} />;
  if (code.error) return <Failure error={notHere} retry={() => void code.refetch()} />;
  return (
    <div className="v-skeletons" role="status" aria-label="Loading MPI">
      <Skeleton height={110} />
      <Skeleton height={300} />
    </div>
  );
}

const notHere = new Error('A part of this page did not come from the engine. Reload the page if this goes on.');

import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ComponentType } from 'react';
import type { Profile } from '../../../shared/api/profiles.ts';
import type { Run } from '../../../shared/api/runs.ts';
import { Failure } from '../../components/Message.tsx';

interface RunProps {
  readonly run: Run;
  readonly profile: Profile | null;
}

/** A view of a run whose code and charts come with the first look at it: most views have no use for them. */
function LateTab({ name, load, ...props }: RunProps & { name: string; load: () => Promise<ComponentType<RunProps>> }) {
  const code = useQuery({
    queryKey: ['code', name],
    queryFn: async () => ({ Tab: await load() }),
    staleTime: Infinity,
    gcTime: Infinity,
    structuralSharing: false,
  });
  if (code.data) return <code.data.Tab {...props} />;
  if (code.error) return <Failure error={notHere} retry={() => void code.refetch()} />;
  return (
    <div className="v-skeletons" role="status" aria-label={`Loading ${name}`}>
      <Skeleton height={110} />
      <Skeleton height={300} />
    </div>
  );
}

export function Mpi(props: RunProps) {
  return <LateTab name="MPI" load={async () => (await import('./mpi/MpiTab.tsx')).MpiTab} {...props} />;
}

export function Io(props: RunProps) {
  return <LateTab name="I/O" load={async () => (await import('./io/IoTab.tsx')).IoTab} {...props} />;
}

const notHere = new Error('A part of this page did not come from the engine. Reload the page if this goes on.');

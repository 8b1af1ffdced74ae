import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Failure } from '../../../components/Message.tsx';

/** The comparison with its charts, which come with the first look at it: most views have no use for them. */
export function CompareView() {
  const code = useQuery({
    queryKey: ['code', 'compare'],
    queryFn: () => import('./Comparison.tsx'),
    staleTime: Infinity,
    gcTime: Infinity,
    structuralSharing: false,
  });
  if (code.data) return <code.data.Comparison />;
  if (code.error) return <Failure error={notHere} retry={() => void code.refetch()} />;
  return <CompareSkeleton />;
}

export function CompareSkeleton() {
  return (
    <div className="v-skeletons" role="status" aria-label="Loading the comparison">
      <Skeleton height={28} width={320} />
      <Skeleton height={60} />
      <Skeleton height={280} />
    </div>
  );
}

const notHere = new Error('A part of this page did not come from the engine. Reload the page if this goes on.');

import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ComponentType } from 'react';
import { Failure } from '../../components/Message.tsx';

interface LazyPartProps<Props extends object> {
  /** Unique among all parts of the page. */
  readonly name: string;
  /** What is loaded, in words, `Loading the heatmap`. */
  readonly label: string;
  readonly load: () => Promise<ComponentType<Props>>;
  readonly props: Props;
}

/** A part of the page whose code comes with the first look at it: most views have no use for it. */
export function LazyPart<Props extends object>({ name, label, load, props }: LazyPartProps<Props>) {
  const code = useQuery({
    queryKey: ['code', name],
    queryFn: async () => ({ Part: await load() }),
    staleTime: Infinity,
    gcTime: Infinity,
    structuralSharing: false,
  });
  if (code.data) return <code.data.Part {...props} />;
  if (code.error) return <Failure error={notHere} retry={() => void code.refetch()} />;
  return <PartSkeleton label={label} />;
}

export function PartSkeleton({ label }: { readonly label: string }) {
  return (
    <div className="v-skeletons" role="status" aria-label={label}>
      <Skeleton height={48} />
      <Skeleton height={300} />
    </div>
  );
}

const notHere = new Error('A part of this page did not come from the engine. Reload the page if this goes on.');

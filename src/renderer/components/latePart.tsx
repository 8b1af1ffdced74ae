import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ComponentType } from 'react';
import { Failure } from './Message.tsx';

/**
 * A part of the page whose code comes with the first look at it: most views have no use for it.
 *
 * @param name What it is, in words and unlike any other part's: `the heatmap`.
 */
export function latePart<Props extends object>(
  name: string,
  load: () => Promise<ComponentType<Props>>,
): ComponentType<Props> {
  return function LatePart(props: Props) {
    const code = useQuery({
      queryKey: ['code', name],
      queryFn: async () => ({ Part: await load() }),
      staleTime: Infinity,
      gcTime: Infinity,
      structuralSharing: false,
    });
    if (code.data) return <code.data.Part {...props} />;
    if (code.error) return <Failure error={notHere} retry={() => void code.refetch()} />;
    return <PartSkeleton name={name} />;
  };
}

/** Stands where a part will be: until its code is here, and until its data are. */
export function PartSkeleton({ name }: { readonly name: string }) {
  return (
    <div className="v-skeletons" role="status" aria-label={`Loading ${name}`}>
      <Skeleton height={48} />
      <Skeleton height={300} />
    </div>
  );
}

const notHere = new Error('A part of this page did not come from the engine. Reload the page if this goes on.');

import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';

/** A text is looked at when it has rested this long, ms. */
const TYPED_MS = 300;

export interface TypedPreview<T> {
  /** What comes of the text as it is now; undefined: not known, or there is none. */
  readonly result: T | undefined;
  /** Why it could not be told. */
  readonly error: string | null;
  readonly asking: boolean;
}

/** What would come of a text that is typed, asked for when it rests. `key` says all that the answer depends on but the text. */
export function useTypedPreview<T>(
  text: string,
  key: readonly unknown[],
  ask: (text: string) => Promise<T>,
): TypedPreview<T> {
  const [settled] = useDebouncedValue(text, TYPED_MS);
  const wanted = settled.trim() !== '';
  const { data, error, isFetching } = useQuery({
    queryKey: [...key, settled],
    enabled: wanted,
    retry: false,
    staleTime: 5000,
    gcTime: 10_000,
    queryFn: () => ask(settled),
  });
  const current = wanted && settled === text;
  return {
    result: current ? data : undefined,
    error: current ? (error?.message ?? null) : null,
    asking: wanted && (isFetching || !current),
  };
}

import { useMutation } from '@tanstack/react-query';
import type { ChannelSettingsInput, ChannelTestResult } from '../../../../shared/api/channels.ts';
import { formatShortSpan } from '../../../format/time.ts';
import { useEngine } from '../../../state/engine.ts';

interface Test {
  readonly asking: boolean;
  readonly result: ChannelTestResult | undefined;
  readonly error: Error | null;
  run(request: { id?: string; settings?: ChannelSettingsInput }): void;
  reset(): void;
}

/** Sends a test message. */
export function useTest(): Test {
  const engine = useEngine();
  const test = useMutation({
    mutationFn: (request: { id?: string; settings?: ChannelSettingsInput }) => engine.api.channels.test(request),
  });
  return { asking: test.isPending, result: test.data, error: test.error, run: test.mutate, reset: test.reset };
}

/** What the other side answered, as it is. */
export function TestAnswer({ test }: { readonly test: Pick<Test, 'asking' | 'result' | 'error'> }) {
  const { asking, result, error } = test;
  if (!asking && !result && !error) return null;
  return (
    <div className="v-probe" role="status" aria-label="Answer to the test">
      {asking ? (
        <p className="v-muted">Sending, and waiting for the answer…</p>
      ) : error ? (
        <p className="v-bad-text">{error.message}</p>
      ) : result ? (
        <>
          <p className={result.ok ? '' : 'v-bad-text'}>
            <span className={`v-dot v-${result.ok ? 'good' : 'bad'}`} aria-hidden="true" />{' '}
            {result.ok ? 'The test message was taken' : 'The test message was not taken'}, after{' '}
            {formatShortSpan(result.took)}
          </p>
          <pre className="v-answer">{result.answer}</pre>
        </>
      ) : null}
    </div>
  );
}

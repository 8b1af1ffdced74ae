import { PreviewLine } from '../../shared/api/alarms.ts';
import type { PreviewRequestInput } from '../../shared/api/alarms.ts';
import type { Requests } from './api.ts';

export type PreviewAnswer = Extract<PreviewLine, { kind: 'done' }>;

/** When a rule would have fired. Rejects when that cannot be told; cancelled by its signal. */
export async function askPreview(
  { lines }: Pick<Requests, 'lines'>,
  body: PreviewRequestInput,
  onProgress: (done: number) => void,
  signal: AbortSignal,
): Promise<PreviewAnswer> {
  let last: PreviewLine | null = null;
  await lines('/alarms/preview', PreviewLine, { body, signal }, (line) => {
    last = line;
    if (line.kind === 'progress') onProgress(line.done);
  });
  const end = last as PreviewLine | null;
  if (end?.kind === 'done') return end;
  throw new Error(end?.kind === 'error' ? end.detail : 'The preview ended before it was complete. Try again.');
}

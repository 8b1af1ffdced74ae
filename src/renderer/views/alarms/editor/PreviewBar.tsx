import { Button, NativeSelect, Progress } from '@mantine/core';
import type { PreviewAnswer } from '../../../data/alarmPreview.ts';
import { formatCount, threeDigits } from '../../../format/units.ts';
import { seriesText, spanText } from '../words.ts';
import type { PreviewState } from './usePreview.ts';

const SPANS = [
  { value: '900000', label: '15 minutes' },
  { value: '3600000', label: 'hour' },
  { value: '21600000', label: '6 hours' },
  { value: '86400000', label: '24 hours' },
  { value: '604800000', label: '7 days' },
] as const;

const LONG = 6 * 3_600_000;

interface PreviewBarProps {
  readonly preview: PreviewState;
  readonly length: string;
  readonly onLength: (length: string) => void;
  /** What else can be looked at; null: there is no choice. */
  readonly only: { readonly value: boolean; readonly onChange: (only: boolean) => void } | null;
  /** A threshold is set: before that there is nothing to tell of. */
  readonly set: boolean;
}

/** What the preview found in words, and over which time it looks. */
export function PreviewBar({ preview, length, onLength, only, set }: PreviewBarProps) {
  const { answer, progress, error, cancel } = preview;
  return (
    <div className="v-preview">
      <div className="v-toolbar v-second">
        <NativeSelect
          size="xs"
          aria-label="Look at the last"
          data={SPANS.map(({ value, label }) => ({ value, label: `Last ${label}` }))}
          value={length}
          onChange={(event) => onLength(event.currentTarget.value)}
        />
        {only ? (
          <NativeSelect
            size="xs"
            aria-label="Look at"
            data={[
              { value: 'one', label: 'the plot it came from' },
              { value: 'all', label: 'all that it watches' },
            ]}
            value={only.value ? 'one' : 'all'}
            onChange={(event) => only.onChange(event.currentTarget.value === 'one')}
          />
        ) : null}
        <p className={progress === null ? 'v-preview-words' : 'v-preview-words v-stale'} role="status">
          {error !== null
            ? null
            : answer === null
              ? progress !== null && 'Looking back …'
              : wordsOf(answer, set, preview.span)}
        </p>
        {progress === null ? null : (
          <Button size="compact-xs" variant="default" onClick={cancel}>
            Cancel
          </Button>
        )}
      </div>
      <Progress
        size={3}
        value={100 * (progress ?? 0)}
        aria-label="Looking back"
        style={{ visibility: progress === null ? 'hidden' : 'visible' }}
      />
      {error === null ? null : (
        <p role="alert" className="v-bad-text">
          {error}
        </p>
      )}
    </div>
  );
}

function wordsOf(answer: PreviewAnswer, set: boolean, span: PreviewState['span']): string {
  const { series, times, per_day, longest, total, left_out, step } = answer;
  if (series.length === 0) return 'Nothing matches yet, or nothing was stored of it in this time.';
  const of = `${seriesText(series.length)}${left_out > 0 ? `, ${formatCount(left_out)} more are left out` : ''}`;
  const fine = step > 0 ? ` Looked at in steps of ${spanText(step)}.` : '';
  if (!set) return `${of}.${fine}`;
  if (times === 0) return `It would not have fired (${of}).${fine}`;
  const often = times === 1 ? 'once' : `${formatCount(times)} times`;
  // How often in a day, a few minutes cannot tell.
  const isLong = span !== null && span.to - span.from >= LONG;
  const rate = isLong && per_day >= 1 ? `, ${threeDigits(per_day)} a day` : '';
  const lasting =
    times === 1 ? ` for ${spanText(total)}` : `, ${spanText(longest)} at the longest, ${spanText(total)} in all`;
  return `It would have fired ${often}${rate}${lasting} (${of}).${fine}`;
}

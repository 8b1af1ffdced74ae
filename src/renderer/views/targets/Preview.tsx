import type { BulkResult } from '../../../shared/api/targets.ts';
import { formatCount } from '../../format/units.ts';
import { ends, previewWords } from './preview.ts';

const MOST_REASONS = 5;

interface PreviewProps {
  readonly result: BulkResult | undefined;
  readonly asking: boolean;
  readonly idle: string;
}

/** What a text would add, before it does. */
export function Preview({ result, asking, idle }: PreviewProps) {
  if (!result) {
    return (
      <div className="v-probe" role="status" aria-label="Preview" aria-busy={asking}>
        <p className="v-muted">{asking ? 'Looking what this means…' : idle}</p>
      </div>
    );
  }
  const { text, urls, refused } = previewWords(result);
  const { head, between, tail } = ends(urls);
  return (
    <div className="v-probe" role="status" aria-label="Preview" aria-busy={asking}>
      <p>
        <b>{text}</b>
      </p>
      {urls.length === 0 ? null : (
        <ul className="v-expansion">
          {head.map((url) => (
            <li key={url}>
              <code>{url}</code>
            </li>
          ))}
          {between > 0 ? <li className="v-muted">… {formatCount(between)} more …</li> : null}
          {tail.map((url) => (
            <li key={url}>
              <code>{url}</code>
            </li>
          ))}
        </ul>
      )}
      {refused.slice(0, MOST_REASONS).map((line) => (
        <p key={line} className="v-bad-text">
          {line}
        </p>
      ))}
      {result.notes.slice(0, MOST_REASONS).map((note) => (
        <p key={note} className="v-muted">
          {note}
        </p>
      ))}
    </div>
  );
}

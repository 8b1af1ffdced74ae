import type { ReactNode } from 'react';
import { tagColour } from './tagColour.ts';
import './profiles.css';

interface TagProps {
  readonly tag: string;
  /** Such as a button that takes it away. */
  readonly children?: ReactNode;
}

/** One tag. Whatever somebody wrote in it is shown as text. */
export function Tag({ tag, children }: TagProps) {
  return (
    <span className={`v-tag v-tag-${tagColour(tag)}`} title={tag}>
      <bdi>{tag}</bdi>
      {children}
    </span>
  );
}

const MOST_SHOWN = 3;

/** Tags in a row; those without room are counted, and named on hover. */
export function Tags({ tags, most = MOST_SHOWN }: { readonly tags: readonly string[]; readonly most?: number }) {
  if (tags.length === 0) return null;
  const rest = tags.slice(most);
  return (
    <span className="v-tags">
      {tags.slice(0, most).map((tag) => (
        <Tag key={tag} tag={tag} />
      ))}
      {rest.length > 0 ? (
        <span className="v-muted" title={rest.join(', ')}>
          +{rest.length}
        </span>
      ) : null}
    </span>
  );
}

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

/** Most that stand beside each other; in narrow places fewer, so that what is shown can be read. */
const MOST_SHOWN = 3;

/** Tags in a row; those without room are counted, and named on hover. */
export function Tags({ tags }: { readonly tags: readonly string[] }) {
  if (tags.length === 0) return null;
  const shown = tags.slice(0, MOST_SHOWN);
  return (
    <span className={`v-tagrow v-tagrow-${shown.length}`}>
      {shown.map((tag) => (
        <Tag key={tag} tag={tag} />
      ))}
      {/* One of these is shown, by how many tags there is room for. */}
      {shown.map((last, i) =>
        i + 1 < tags.length ? (
          <span key={last} className={`v-muted v-tags-after-${i + 1}`} title={tags.slice(i + 1).join(', ')}>
            +{tags.length - i - 1}
          </span>
        ) : null,
      )}
    </span>
  );
}

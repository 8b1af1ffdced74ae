import { useId } from 'react';
import type { ReactNode } from 'react';

interface SaidProps {
  /** Who says it, in our words. */
  readonly by: string;
  readonly text?: string;
  readonly children?: ReactNode;
}

/** What somebody else says, marked off from what this program says: text and nothing else. */
export function Said({ by, text = '', children }: SaidProps) {
  const id = useId();
  return (
    <section className="v-said" aria-labelledby={id}>
      <h3 id={id}>{by}</h3>
      {text === '' ? null : (
        <pre>
          <bdi>{text}</bdi>
        </pre>
      )}
      {children}
    </section>
  );
}

import { useId } from 'react';
import type { ReactNode } from 'react';

interface CardProps {
  readonly title: string;
  /** Stands beside the title. */
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}

/** One section of the settings. */
export function Card({ title, aside, children }: CardProps) {
  const id = useId();
  return (
    <section className="v-card" aria-labelledby={id}>
      <div className="v-card-head">
        <h2 id={id}>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

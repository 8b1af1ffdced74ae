import { useId } from 'react';
import type { ReactNode } from 'react';

interface CardProps {
  readonly title: string;
  /** Stands beside the title. */
  readonly aside?: ReactNode;
  readonly className?: string;
  readonly children: ReactNode;
}

/** One section of a page. */
export function Card({ title, aside, className = '', children }: CardProps) {
  const id = useId();
  return (
    <section className={`v-card ${className}`.trim()} aria-labelledby={id}>
      <div className="v-card-head">
        <h2 id={id}>{title}</h2>
        {aside}
      </div>
      {children}
    </section>
  );
}

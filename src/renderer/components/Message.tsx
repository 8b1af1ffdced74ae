import { useEffect } from 'react';
import type { ReactNode } from 'react';
import { Button } from '@mantine/core';
import { Link } from 'wouter';
import { setTitle } from '../state/title.ts';

/** The page's title says the view. */
export function useTitle(title: string): void {
  useEffect(() => {
    setTitle(title);
  }, [title]);
}

interface MessageProps {
  readonly title: string;
  readonly children?: ReactNode;
}

/** A state that fills a view: nothing there, or something wrong, and what to do. */
export function Message({ title, children }: MessageProps) {
  return (
    <section className="v-message" aria-labelledby="message-title">
      <h1 id="message-title">{title}</h1>
      {children}
    </section>
  );
}

interface NotFoundProps {
  readonly title: string;
  readonly detail: string;
  /** Where to go from here. */
  readonly to?: { readonly path: string; readonly name: string };
}

export function NotFound({ title, detail, to = { path: '/ui/jobs', name: 'Go to the jobs' } }: NotFoundProps) {
  useTitle(title);
  return (
    <Message title={title}>
      <p>{detail}</p>
      <Link href={to.path} className="v-link">
        {to.name}
      </Link>
    </Message>
  );
}

export function Failure({ error, retry }: { readonly error: Error; readonly retry: () => void }) {
  return (
    <Message title="This cannot be shown">
      <p role="alert">{error.message}</p>
      <Button size="xs" variant="default" onClick={retry}>
        Try again
      </Button>
    </Message>
  );
}

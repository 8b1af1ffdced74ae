import { Button } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useEffect, useRef, useState } from 'react';
import type { ReactNode, RefObject } from 'react';
import type { Prompt, PromptAnswer } from '../../../../shared/api/connections.ts';
import { RequestError } from '../../../data/api.ts';
import { useOneConnection } from '../../../state/connections.ts';
import { useHome } from '../../../state/engine.ts';
import { Wrong } from '../parts.tsx';
import { AllowExec } from './AllowExec.tsx';
import { Answers } from './Answers.tsx';
import { Changed } from './Changed.tsx';
import { usePutOff } from './putOff.ts';
import { Trust } from './Trust.tsx';
import { leftText, placeText } from './words.ts';

/** What a prompt of any kind is answered with. */
export interface Answering {
  readonly prompt: Prompt;
  readonly busy: boolean;
  readonly answer: (answer: PromptAnswer) => void;
  /** Asks first where something was typed. */
  readonly cancel: () => void;
  /** To be called when what the person has typed comes or goes. */
  readonly typed: RefObject<() => boolean>;
  /** Stands left of the buttons. */
  readonly left: ReactNode;
}

interface BodyProps {
  readonly prompt: Prompt;
  readonly at: number;
  readonly of: number;
  /** Takes what the dialog's own closing does. */
  readonly onCancel: RefObject<() => void>;
}

/** Who asks, in our own words; what is asked; and how it is answered or cancelled. */
export function PromptBody({ prompt, at, of, onCancel }: BodyProps) {
  const { api, prompts } = useHome();
  const { connection } = useOneConnection(prompt.connection);
  const putOff = usePutOff((s) => s.putOff);
  const [confirms, setConfirms] = useState(false);
  const typed = useRef<() => boolean>(() => false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  // Not one of the page's remembered requests: what was typed is held nowhere else than in its fields.
  const send = async (given: PromptAnswer): Promise<void> => {
    setBusy(true);
    setError(null);
    try {
      await api.connections.answer(prompt.id, given);
      prompts.answered(prompt.id);
    } catch (failure) {
      const problem = failure instanceof Error ? failure : new Error(String(failure));
      setBusy(false);
      setError(problem);
      if (!(problem instanceof RequestError && problem.code === 'prompt_not_found')) return;
      prompts.answered(prompt.id);
      notifications.show({
        message: `The answer was not taken: ${problem.message}.`,
        closeButtonProps: { 'aria-label': 'Close' },
      });
    }
  };
  const answer = (given: PromptAnswer): void => {
    if (!busy) void send(given);
  };
  const cancel = (): void => {
    if (typed.current() && !confirms) setConfirms(true);
    else answer({ action: 'cancel' });
  };
  useEffect(() => {
    onCancel.current = cancel;
    const onKey = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape' || event.isComposing) return;
      event.preventDefault();
      if (confirms) setConfirms(false);
      else cancel();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  });
  const name = connection?.name ?? prompt.host;
  const place = connection ? placeText(connection, prompt) : '';
  const answering: Answering = {
    ...{ prompt, busy, answer, cancel, typed },
    left: (
      <>
        <Countdown until={prompt.expires} what={prompt.kind === 'changed-warning' ? 'closes' : 'cancelled'} />
        <span className="v-spacer" />
        <Button size="xs" variant="subtle" color="gray" onClick={() => putOff(prompt.id)}>
          Later
        </Button>
      </>
    ),
  };
  return (
    <div className="v-fields">
      <p className="v-who">
        <span>
          Connection{' '}
          <b>
            <bdi>{name}</bdi>
          </b>
          {prompt.hop === prompt.host ? null : (
            <>
              , at{' '}
              <b>
                <bdi>{prompt.hop}</bdi>
              </b>
              {place === '' ? '' : ` (${place})`}
            </>
          )}
        </span>
        {of > 1 ? (
          <span className="v-chip">
            {at} of {of}
          </span>
        ) : null}
      </p>
      <Kind {...answering} />
      <Wrong error={error} />
      {confirms ? (
        <div className="v-confirm" role="alertdialog" aria-label="Cancel this login?">
          <p>What you typed is discarded, and the login is cancelled.</p>
          <Button size="xs" variant="default" autoFocus onClick={() => setConfirms(false)}>
            Keep typing
          </Button>
          <Button size="xs" variant="default" onClick={() => answer({ action: 'cancel' })}>
            Cancel the login
          </Button>
        </div>
      ) : null}
    </div>
  );
}

function Kind(answering: Answering) {
  switch (answering.prompt.kind) {
    case 'trust':
      return <Trust {...answering} />;
    case 'changed-warning':
      return <Changed {...answering} />;
    case 'allow-exec':
      return <AllowExec {...answering} />;
    default:
      return <Answers {...answering} />;
  }
}

/** How long it is waited for; not read out each second. */
function Countdown({ until, what }: { readonly until: number; readonly what: string }) {
  const { prompts } = useHome();
  const [left, setLeft] = useState(() => until - prompts.now());
  useEffect(() => {
    const timer = setInterval(() => setLeft(until - prompts.now()), 500);
    return () => clearInterval(timer);
  }, [until, prompts]);
  return (
    <span className={left < 30_000 ? 'v-warn-text v-left' : 'v-muted v-left'} role="timer">
      {what} by itself in {leftText(left)}
    </span>
  );
}

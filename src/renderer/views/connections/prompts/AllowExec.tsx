import { Button } from '@mantine/core';
import { useEffect, useRef } from 'react';
import type { Answering } from './PromptBody.tsx';
import { Said } from './Said.tsx';

/** A command that the ssh configuration runs: as text, with where it stands. */
export function AllowExec({ prompt, busy, answer, left }: Answering) {
  const no = useRef<HTMLButtonElement>(null);
  useEffect(() => no.current?.focus(), []);
  return (
    <div className="v-fields">
      <p>
        Your ssh configuration runs a program to find its way to this host. It runs on the machine of this engine, as
        its user. You are asked once for each command, and again when it changes.
      </p>
      <Said by="In your configuration" text={prompt.text} />
      <div className="v-prompt-foot">
        {left}
        <Button
          ref={no}
          data-autofocus
          size="xs"
          variant="default"
          disabled={busy}
          onClick={() => answer({ action: 'cancel' })}
        >
          Do not run it
        </Button>
        <Button size="xs" loading={busy} onClick={() => answer({ action: 'allow' })}>
          Run it
        </Button>
      </div>
    </div>
  );
}

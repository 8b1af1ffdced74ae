import { Button, TextInput } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { Command, Copy } from '../../../components/Copy.tsx';
import { sameFingerprint } from '../../../data/connections.ts';
import type { Answering } from './PromptBody.tsx';

/** A key that nobody knows yet: shown so that it can be compared, and taken for good, once, or not. */
export function Trust({ prompt: { hop, text, key }, busy, answer, left }: Answering) {
  const [pasted, setPasted] = useState('');
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const fingerprint = key?.fingerprint ?? '';
  const same = sameFingerprint(fingerprint, pasted);
  return (
    <div className="v-fields">
      <p className="v-lines">{text}</p>
      <div className="v-key">
        <span className="v-muted">{key?.type ?? 'key'}</span>
        <span className="v-with-copy">
          <code>{fingerprint}</code>
          <Copy text={fingerprint} name="the fingerprint" />
        </span>
      </div>
      <TextInput
        ref={field}
        data-autofocus
        size="xs"
        label="Compare"
        description="paste the fingerprint that the site tells; nothing is sent"
        placeholder="SHA256:…"
        autoComplete="off"
        spellCheck={false}
        maxLength={400}
        value={pasted}
        error={same === false ? 'This is another one: say no, and ask the site.' : null}
        onChange={(event) => setPasted(event.currentTarget.value)}
      />
      {same === true ? (
        <p className="v-good-text" role="status">
          It is the same.
        </p>
      ) : null}
      <details className="v-details">
        <summary>Where do I get it from?</summary>
        <div className="v-fields">
          <p className="v-muted">
            From the site’s documentation or its support. Whoever is on {hop} already reads it there:
          </p>
          <Command name="the command" text="for f in /etc/ssh/ssh_host_*_key.pub; do ssh-keygen -lf $f; done" />
        </div>
      </details>
      <div className="v-prompt-foot">
        {left}
        <Button size="xs" variant="default" disabled={busy} onClick={() => answer({ action: 'cancel' })}>
          No
        </Button>
        <Button
          size="xs"
          variant="default"
          disabled={busy || same === false}
          onClick={() => answer({ action: 'trust', keep: false })}
        >
          This time only
        </Button>
        <Button
          size="xs"
          loading={busy}
          disabled={same === false}
          onClick={() => answer({ action: 'trust', keep: true })}
        >
          Yes, and remember it
        </Button>
      </div>
    </div>
  );
}

import { Button } from '@mantine/core';
import { useEffect, useRef } from 'react';
import { Command } from '../../../components/Copy.tsx';
import type { Answering } from './PromptBody.tsx';
import { removeCommand } from './words.ts';

/** A key that is not the known one: refused, with both, and what to do when the new one is right. */
export function Changed({ prompt, busy, answer, left }: Answering) {
  const seen = useRef<HTMLButtonElement>(null);
  useEffect(() => seen.current?.focus(), []);
  const { text, key, was = [] } = prompt;
  const files = [...new Set(was.map(({ file }) => file))];
  return (
    <div className="v-fields">
      <p className="v-lines" role="alert">
        {text}
      </p>
      <dl className="v-keys">
        <div>
          <dt>It shows now</dt>
          <dd>
            <code>{key?.fingerprint}</code> <span className="v-muted">{key?.type}</span>
          </dd>
        </div>
        {was.map(({ type, fingerprint, file, line }) => (
          <div key={`${file}:${line} ${fingerprint}`}>
            <dt>Known is</dt>
            <dd>
              <code>{fingerprint}</code> <span className="v-muted">{type}</span>
              <span className="v-muted v-words">
                {file}:{line}
              </span>
            </dd>
          </div>
        ))}
      </dl>
      {files.length === 0 ? null : (
        <details className="v-details">
          <summary>The site says that the new key is right</summary>
          <div className="v-fields">
            <p className="v-muted">
              Take the old one out with OpenSSH’s own tool, then connect again: it asks whether the new one is right.
            </p>
            {files.map((file) => (
              <Command key={file} name="the command" text={removeCommand(prompt, file)} />
            ))}
          </div>
        </details>
      )}
      <div className="v-prompt-foot">
        {left}
        <Button ref={seen} data-autofocus size="xs" loading={busy} onClick={() => answer({ action: 'cancel' })}>
          I have seen it
        </Button>
      </div>
    </div>
  );
}

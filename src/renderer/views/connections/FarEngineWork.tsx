import { Button, Checkbox, Group, Progress, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import type { Connection, EngineAction, EngineStep, EngineWork } from '../../../shared/api/connections.ts';
import { EngineStart } from '../../../shared/api/connections.ts';
import { Dialog } from '../../components/Dialog.tsx';
import { sayFailure } from '../../components/undo.tsx';
import type { EngineStartInput } from '../../data/connectionsApi.ts';
import { formatDateTime, formatShortSpan } from '../../format/time.ts';
import { formatValue } from '../../format/units.ts';
import { useHome } from '../../state/engine.ts';
import { Wrong } from './parts.tsx';

interface WorkProps {
  readonly connection: Connection;
  readonly may: boolean;
}

/** What each of them does, before it is done. */
const ASKS: Readonly<Record<EngineAction, { readonly title: string; readonly text: string; readonly button: string }>> =
  {
    start: {
      title: 'Start an engine',
      text: 'The package of this engine is sent there once, unpacked into a private folder on a disk of that node, and started on a Unix socket: it opens no port. Only you can reach it.',
      button: 'Start it',
    },
    upgrade: {
      title: 'Upgrade the engine',
      text: 'The package of this engine is sent there, the older engine is stopped, and the new one started with the same data. What it would have counted meanwhile is missing.',
      button: 'Upgrade it',
    },
    stop: {
      title: 'Stop the engine',
      text: 'The engine over there ends in order. Its files stay, so that it can be started again.',
      button: 'Stop it',
    },
    remove: {
      title: 'Remove the engine',
      text: 'The engine over there is stopped, and the program and its folder are removed. Profiles that are here stay.',
      button: 'Stop and remove it',
    },
  };

/** Starts an engine over there, and ends what was started; each step is told. */
export function FarEngineWork({ connection, may }: WorkProps) {
  const [asked, setAsked] = useState<EngineAction | null>(null);
  const { work, placed, engine } = connection;
  const isBusy = work?.state === 'running';
  const isThere = engine?.state === 'up';
  return (
    <>
      {placed === null ? null : (
        <p className="v-muted">
          Put there by this engine: Vigie {placed.version} in <code>{placed.folder}</code> on {placed.host}, since{' '}
          {formatDateTime(placed.since)}.
        </p>
      )}
      {work === null ? null : <Steps work={work} />}
      {may ? (
        <div className="v-toolbar v-flush">
          {isBusy ? <CancelWork id={connection.id} /> : null}
          {isThere ? null : (
            <Button size="xs" variant="default" disabled={isBusy} onClick={() => setAsked('start')}>
              Start an engine there…
            </Button>
          )}
          {placed === null ? null : (
            <>
              <Button size="xs" variant="default" disabled={isBusy} onClick={() => setAsked('upgrade')}>
                Upgrade…
              </Button>
              <Button size="xs" variant="default" disabled={isBusy || !isThere} onClick={() => setAsked('stop')}>
                Stop…
              </Button>
              <Button size="xs" variant="default" disabled={isBusy} onClick={() => setAsked('remove')}>
                Remove…
              </Button>
            </>
          )}
        </div>
      ) : null}
      {asked === null ? null : (
        <AskWork key={asked} connection={connection} action={asked} close={() => setAsked(null)} />
      )}
    </>
  );
}

function CancelWork({ id }: { readonly id: string }) {
  const { api, connections } = useHome();
  const cancel = useMutation({
    mutationFn: () => api.connections.cancelEngine(id),
    onSuccess: (next) => connections.put(next),
    onError: (error) => sayFailure('It was not cancelled', error),
  });
  return (
    <Button size="xs" variant="default" loading={cancel.isPending} onClick={() => cancel.mutate()}>
      Cancel this
    </Button>
  );
}

interface AskProps {
  readonly connection: Connection;
  readonly action: EngineAction;
  readonly close: () => void;
}

function AskWork({ connection: { id, name, placed, host }, action, close }: AskProps) {
  const { api, connections } = useHome();
  const [folder, setFolder] = useState('');
  const [elsewhere, setElsewhere] = useState(false);
  const { title, text, button } = ASKS[action];
  const isStart = action === 'start' || action === 'upgrade';
  const given = folder.trim();
  const body: EngineStartInput = { ...(given === '' ? {} : { folder: given }), ...(elsewhere ? { elsewhere } : {}) };
  const wrong = isStart ? (EngineStart.safeParse(body).error?.issues[0]?.message ?? null) : null;
  const begin = useMutation({
    mutationFn: () => api.connections.engine(id, action, body),
    onSuccess: (next) => {
      connections.put(next);
      close();
    },
  });
  return (
    <Dialog title={`${title} on ${placed?.host ?? name}`} close={close}>
      <form
        className="v-fields"
        aria-label={`${title} on ${placed?.host ?? name}`}
        onSubmit={(event) => {
          event.preventDefault();
          if (wrong === null && !begin.isPending) begin.mutate();
        }}
      >
        <p>{text}</p>
        {isStart && placed === null ? (
          <TextInput
            size="xs"
            label="Folder over there"
            description="on a disk of that node; /tmp, /var/tmp and others are tried if it is left empty"
            placeholder="/tmp"
            spellCheck={false}
            autoComplete="off"
            maxLength={80}
            value={folder}
            error={wrong}
            onChange={(event) => {
              begin.reset();
              setFolder(event.currentTarget.value);
            }}
          />
        ) : null}
        {placed === null ? null : (
          <Checkbox
            size="xs"
            label={`Also where another host than ${placed.host} answers`}
            description="behind a name with several hosts; what was put on that one is then forgotten"
            checked={elsewhere}
            onChange={(event) => setElsewhere(event.currentTarget.checked)}
          />
        )}
        {isStart ? (
          <p className="v-muted">
            The same from a shell: <code>vigie remote start {host}</code>
          </p>
        ) : null}
        <Wrong error={begin.error} />
        <Group justify="flex-end" gap="xs">
          <Button size="xs" variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" size="xs" data-autofocus={!isStart} disabled={wrong !== null} loading={begin.isPending}>
            {button}
          </Button>
        </Group>
      </form>
    </Dialog>
  );
}

const WORK_NAMES: Readonly<Record<EngineAction, string>> = {
  start: 'Starting',
  stop: 'Stopping',
  upgrade: 'Upgrading',
  remove: 'Removing',
};
const OUTCOMES: Readonly<Record<EngineWork['state'], string>> = {
  running: 'is going on',
  done: 'is done',
  failed: 'did not work',
  cancelled: 'was cancelled',
};
const STEP_TONES: Readonly<Record<EngineStep['state'], string>> = {
  waiting: 'rest',
  running: 'warn',
  done: 'good',
  skipped: 'calm',
  failed: 'bad',
  cancelled: 'stop',
};

/** What was begun with the engine over there, step by step. */
function Steps({ work: { action, state, reason, steps } }: { readonly work: EngineWork }) {
  return (
    <section className="v-work-steps" aria-label={`${WORK_NAMES[action]} the engine`}>
      <p role="status" className={state === 'failed' ? 'v-bad-text' : ''}>
        <b>
          {WORK_NAMES[action]} the engine {OUTCOMES[state]}
        </b>
        {reason === null ? '' : `: ${reason}`}
      </p>
      <ol>
        {steps
          // Where there was nothing to do, the rest never comes.
          .filter((step) => state !== 'done' || step.state !== 'waiting')
          .map((step) => (
            <Step key={step.name} step={step} />
          ))}
      </ol>
    </section>
  );
}

function Step({ step: { title, state, reason, ms, progress } }: { readonly step: EngineStep }) {
  const share = progress === null || progress.total === 0 ? null : (100 * progress.done) / progress.total;
  return (
    <li>
      <span className={`v-dot v-${STEP_TONES[state]}`} aria-hidden="true" />
      <span>
        {title}
        <span className="v-hidden">: {state}</span>
        {reason === null ? null : <span className={state === 'failed' ? 'v-bad-text' : 'v-muted'}> {reason}</span>}
      </span>
      <span className="v-muted v-num">
        {progress !== null && state === 'running'
          ? `${formatValue(progress.done, 'B')} of ${formatValue(progress.total, 'B')}`
          : ms === null || state === 'skipped'
            ? state === 'skipped'
              ? 'nothing to do'
              : ''
            : formatShortSpan(ms)}
      </span>
      {share !== null && state === 'running' ? <Progress size="xs" value={share} aria-label={title} /> : null}
    </li>
  );
}

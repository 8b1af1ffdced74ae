import { Button, Menu, Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Silence, SilenceSettingsInput } from '../../../../shared/api/silences.ts';
import { Failure, useTitle } from '../../../components/Message.tsx';
import { Icon } from '../../../components/Icon.tsx';
import { sayFailure, sayWithUndo } from '../../../components/undo.tsx';
import { useKeys } from '../../../components/useKeys.ts';
import { formatDateTime, formatWhen } from '../../../format/time.ts';
import { useSecond } from '../../../state/clock.ts';
import { useEngine } from '../../../state/engine.ts';
import { useMayControl } from '../../../state/mayControl.ts';
import { useUrlQuery } from '../../../state/query.ts';
import { AlarmTabs, Refusal } from '../parts.tsx';
import { useForget, useFresh } from '../useAlarmData.ts';
import { alarmsText, matchersText, spanText } from '../words.ts';
import { recurringText } from './form.ts';
import { SilenceForm } from './SilenceForm.tsx';
import { SILENCE_SPANS } from './spans.ts';

const STATES = [
  ['active', 'Active'],
  ['waiting', 'Not yet, or between their hours'],
  ['ended', 'Ended'],
] as const;

/** All silences: what they hit, how long still, and every change to them. */
export function SilencesView() {
  useTitle('Silences');
  const engine = useEngine();
  const forget = useForget();
  const [params, setParams] = useUrlQuery();
  const { refusal, known } = useMayControl();
  const may = known && refusal === null;
  const [edited, setEdited] = useState<Silence | null>(null);
  useFresh('silences');
  const { data, error, refetch } = useQuery({
    queryKey: [engine.base, 'alarms', 'silences'],
    queryFn: ({ signal }) => engine.api.silences.list(signal),
    refetchInterval: 15_000,
  });
  const adding = may && params.get('dialog') === 'new';
  const ask = (): void => (may ? setParams({ dialog: 'new' }) : undefined);
  useKeys({ n: ask });
  const attempt = async (failed: string, act: () => Promise<unknown>): Promise<boolean> => {
    try {
      await act();
      return true;
    } catch (failure) {
      sayFailure(failed, failure);
      return false;
    } finally {
      await forget();
    }
  };
  /** Undone by making the same again: what has ended does not come back. */
  const undo = async (act: () => Promise<unknown>): Promise<void> => {
    await attempt('It could not be taken back', act);
  };
  const end = async (silence: Silence): Promise<void> => {
    if (!(await attempt('The silence was not ended', () => engine.api.silences.end(silence.id)))) return;
    sayWithUndo('The silence is ended', () => undo(() => engine.api.silences.add(settingsOf(silence))));
  };
  const extend = async (silence: Silence, ms: number): Promise<void> => {
    const { to } = silence;
    if (to === null) return;
    const made: string[] = [];
    const longer = { ...settingsOf(silence), to: to + ms };
    const done = await attempt('The silence was not extended', async () => {
      made.push((await engine.api.silences.replace(silence.id, longer)).id);
    });
    if (!done) return;
    const back = settingsOf(silence);
    sayWithUndo(`Silent for ${spanText(ms)} more`, () =>
      undo(() => Promise.all(made.map((id) => engine.api.silences.replace(id, back)))),
    );
  };
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  const silences = data?.silences ?? [];
  return (
    <div className="v-fill v-alarms">
      <div className="v-toolbar">
        <h1>Silences</h1>
        <AlarmTabs />
        <div className="v-spacer" />
        <Button size="xs" leftSection={<Icon name="plus" size={14} />} disabled={!may} onClick={ask}>
          New silence
        </Button>
      </div>
      <Refusal text={refusal} />
      {data === undefined ? (
        <div className="v-skeletons" role="status" aria-label="Loading the silences">
          <Skeleton height={80} />
          <Skeleton height={80} />
        </div>
      ) : silences.length === 0 ? (
        <NoSilences may={may} refusal={refusal} onNew={ask} />
      ) : (
        <div className="v-cards">
          {STATES.map(([state, title]) => {
            const list = silences.filter((one) => one.state === state);
            return list.length === 0 ? null : (
              <section key={state} aria-labelledby={`silences-${state}`}>
                <h2 id={`silences-${state}`}>
                  {title} <span className="v-muted">{list.length}</span>
                </h2>
                {list.map((silence) => (
                  <SilenceCard
                    key={silence.id}
                    silence={silence}
                    may={may}
                    onEdit={() => setEdited(silence)}
                    onEnd={() => void end(silence)}
                    onExtend={(ms) => void extend(silence, ms)}
                  />
                ))}
              </section>
            );
          })}
        </div>
      )}
      {adding ? <SilenceForm close={() => setParams({ dialog: null })} /> : null}
      {edited ? <SilenceForm key={edited.id} silence={edited} close={() => setEdited(null)} /> : null}
    </div>
  );
}

const settingsOf = ({ matchers, from, to, recurring, comment }: Silence): SilenceSettingsInput => ({
  matchers,
  from,
  to,
  recurring,
  comment,
});

interface NoSilencesProps {
  readonly may: boolean;
  readonly refusal: string | null;
  readonly onNew: () => void;
}

function NoSilences({ may, refusal, onNew }: NoSilencesProps) {
  return (
    <section className="v-card v-first" aria-labelledby="no-silences">
      <h2 id="no-silences">Nothing is silenced</h2>
      <p>
        A silence keeps alarms quiet for a while, such as during maintenance: they still fire and are shown, but nobody
        is told of them. It can also come back every night, or each weekend.
      </p>
      {may ? (
        <Button size="xs" className="v-start" onClick={onNew}>
          Make a silence
        </Button>
      ) : (
        <p>{refusal}</p>
      )}
      <p className="v-muted">One alarm is silenced with a click in its row of the list of alarms.</p>
    </section>
  );
}

interface CardProps {
  readonly silence: Silence;
  readonly may: boolean;
  readonly onEdit: () => void;
  readonly onEnd: () => void;
  readonly onExtend: (ms: number) => void;
}

function SilenceCard({ silence, may, onEdit, onEnd, onExtend }: CardProps) {
  const ended = silence.state === 'ended';
  return (
    <article className="v-card v-silence" aria-label={`Silence of ${matchersText(silence.matchers)}`}>
      <div className="v-card-head">
        <code>{matchersText(silence.matchers)}</code>
        <span className="v-spacer" />
        {may && !ended ? (
          <>
            {silence.to === null ? null : <Extend onExtend={onExtend} />}
            <Button size="compact-xs" variant="default" onClick={onEdit}>
              Edit…
            </Button>
            <Button size="compact-xs" variant="default" onClick={onEnd}>
              End
            </Button>
          </>
        ) : null}
      </div>
      <p>
        <When silence={silence} />
        {ended ? null : (
          <>
            {' '}
            · hits{' '}
            {silence.hits === 0
              ? 'nothing that fires now'
              : `${alarmsText(silence.hits)} that ${silence.hits === 1 ? 'fires' : 'fire'}`}
          </>
        )}
      </p>
      {silence.ends_soon ? (
        <p className="v-warn-text" role="status">
          <Icon name="warning" size={13} /> It ends soon, and something that it hits still fires: extend it, or people
          are told.
        </p>
      ) : null}
      <p className="v-muted">
        by <bdi>{silence.owner}</bdi>, {formatDateTime(silence.created)}
        {silence.comment === '' ? '' : ': '}
        <bdi>{silence.comment}</bdi>
      </p>
    </article>
  );
}

/** Ticks by itself, so that the list need not. */
function When({ silence }: { readonly silence: Silence }) {
  const now = useSecond();
  const { window, state, recurring, from, to } = silence;
  const again = recurring === null ? '' : `${recurringText(recurring)}; `;
  if (state === 'ended') return <>{`${again}ended ${formatWhen(to ?? from, now)}`}</>;
  const last = recurring !== null && to !== null ? `; until ${formatWhen(to, now)}` : '';
  if (window === null) return <>{again === '' ? `from ${formatWhen(from, now)}` : again.slice(0, -2)}</>;
  const text =
    state === 'active'
      ? `silent for ${spanText(Math.max(0, window.to - now))} more, until ${formatWhen(window.to, now)}`
      : `next from ${formatWhen(window.from, now)} to ${formatWhen(window.to, now)}`;
  return <>{`${again}${text}${last}`}</>;
}

function Extend({ onExtend }: { readonly onExtend: (ms: number) => void }) {
  return (
    <Menu position="bottom-end" withArrow withinPortal={false} withInitialFocusPlaceholder={false}>
      <Menu.Target>
        <Button size="compact-xs" variant="default">
          Extend
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        {SILENCE_SPANS.map(([label, ms]) => (
          <Menu.Item key={label} onClick={() => onExtend(ms)}>
            by {label}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}

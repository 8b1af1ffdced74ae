import { Button, Checkbox, Group, Modal, Textarea, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Matcher, Silence, SilencePreview, SilenceSettingsInput } from '../../../../shared/api/silences.ts';
import { sayFailure, sayWithUndo } from '../../../components/undo.tsx';
import { engineNow } from '../../../state/connection.ts';
import { useEngine } from '../../../state/engine.ts';
import { Matchers } from '../Matchers.tsx';
import { Chip, Wrong } from '../parts.tsx';
import { useForget } from '../useAlarmData.ts';
import { alarmsText, matchersText } from '../words.ts';
import { DAY_NAMES, emptyForm, formOf, readSilence, WEEK } from './form.ts';
import type { SilenceForm as Form } from './form.ts';
import { SILENCE_SPANS } from './spans.ts';

const TYPED_MS = 250;
/** Named in the preview; the rest is counted. */
const SHOWN = 8;

interface SilenceFormProps {
  /** What a new one begins with. */
  readonly matchers?: readonly Matcher[];
  /** One that is there already. */
  readonly silence?: Silence;
  readonly close: () => void;
}

/** Makes a silence, or changes one; shows what it hits while one types. */
export function SilenceForm({ matchers = [], silence, close }: SilenceFormProps) {
  const engine = useEngine();
  const forget = useForget();
  const [form, setForm] = useState<Form>(() => (silence ? formOf(silence) : emptyForm(matchers)));
  const { request, errors } = readSilence(form, engineNow(), silence ?? null);
  const preview = useHits(form.matchers);
  const save = useMutation({
    mutationFn: (body: SilenceSettingsInput) =>
      silence ? engine.api.silences.replace(silence.id, body) : engine.api.silences.add(body),
    onSuccess: (made) => {
      void forget();
      const said = silence ? 'The silence is changed' : `Silenced: ${matchersText(made.matchers)}`;
      if (silence) sayWithUndo(said, () => back(() => engine.api.silences.replace(made.id, settingsOf(silence))));
      else sayWithUndo(said, () => back(() => engine.api.silences.end(made.id)));
      close();
    },
  });
  const back = async (act: () => Promise<unknown>): Promise<void> => {
    try {
      await act();
    } catch (error) {
      sayFailure('It could not be taken back', error);
    }
    await forget();
  };
  const change = (part: Partial<Form>): void => {
    save.reset();
    setForm((old) => ({ ...old, ...part }));
  };
  return (
    <Modal
      opened
      onClose={close}
      title={silence ? 'Change the silence' : 'New silence'}
      size="lg"
      attributes={{ header: { role: 'presentation' } }}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form
        className="v-fields"
        aria-label={silence ? 'Change the silence' : 'New silence'}
        onSubmit={(event) => {
          event.preventDefault();
          if (request && !save.isPending) save.mutate(request);
        }}
      >
        <Matchers
          matchers={form.matchers}
          labels={preview.labels}
          error={errors.matchers ?? preview.error}
          onChange={(next) => change({ matchers: next })}
        />
        <Hits {...preview} />
        <When form={form} errors={errors} onChange={change} fresh={silence === undefined} />
        <Textarea
          size="xs"
          label="Why"
          placeholder="maintenance of rack 12"
          autosize
          minRows={1}
          maxRows={4}
          data-autofocus={matchers.length > 0 || silence !== undefined ? true : undefined}
          maxLength={4096}
          value={form.comment}
          error={errors.comment ?? null}
          onChange={(event) => change({ comment: event.currentTarget.value })}
        />
        <Wrong error={save.error} />
        <Group justify="flex-end" gap="xs">
          <Button size="xs" variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" size="xs" disabled={request === null} loading={save.isPending}>
            {silence ? 'Save' : 'Silence'}
          </Button>
        </Group>
      </form>
    </Modal>
  );
}

const settingsOf = ({ matchers, from, to, recurring, comment }: Silence): SilenceSettingsInput => ({
  matchers,
  from,
  to,
  recurring,
  comment,
});

interface HitsProps {
  readonly asking: boolean;
  readonly result: SilencePreview | null;
}

/** What matchers hit now, and the labels there are. */
function useHits(matchers: readonly Matcher[]) {
  const engine = useEngine();
  const wanted = JSON.stringify(matchers.filter(({ label }) => label !== ''));
  const [settled] = useDebouncedValue(wanted, TYPED_MS);
  const query = useQuery({
    queryKey: [engine.base, 'alarms', 'hits', settled],
    retry: false,
    staleTime: 2000,
    gcTime: 10_000,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => engine.api.silences.preview(JSON.parse(settled) as Matcher[], signal),
  });
  const current = settled === wanted && !query.isPlaceholderData;
  return {
    asking: query.isFetching || !current,
    result: current ? (query.data ?? null) : null,
    labels: query.data?.labels ?? {},
    error: current ? (query.error?.message ?? null) : null,
  };
}

function Hits({ asking, result }: HitsProps) {
  return (
    <div className="v-probe" role="status" aria-label="What it hits now">
      {result === null ? (
        <p className="v-muted">{asking ? 'Looking what it hits…' : 'What it hits now is shown here.'}</p>
      ) : result.hits === 0 ? (
        <p>Hits no alarm now. Those that begin later are silenced all the same.</p>
      ) : (
        <>
          <p>
            Hits <b>{alarmsText(result.hits)}</b> now, {result.firing} of them firing:
          </p>
          <ul className="v-hits">
            {result.alarms.slice(0, SHOWN).map((alarm) => (
              <li key={alarm.id}>
                <bdi>{alarm.name}</bdi> · <bdi>{alarm.place}</bdi>{' '}
                <span className="v-muted">
                  <bdi>{alarm.metric}</bdi> {alarm.state.replaceAll('_', ' ')}
                </span>
              </li>
            ))}
            {result.hits > SHOWN ? <li className="v-muted">… {result.hits - SHOWN} more</li> : null}
          </ul>
        </>
      )}
    </div>
  );
}

interface WhenProps {
  readonly form: Form;
  readonly errors: ReturnType<typeof readSilence>['errors'];
  readonly onChange: (part: Partial<Form>) => void;
  readonly fresh: boolean;
}

function When({ form, errors, onChange, fresh }: WhenProps) {
  const chosen = (ms: number): string => (ms % 86_400_000 === 0 ? `${ms / 86_400_000}d` : `${ms / 3_600_000}h`);
  return (
    <>
      <Checkbox
        size="xs"
        label="Again and again, at certain hours"
        checked={form.again}
        onChange={(event) => onChange({ again: event.currentTarget.checked })}
      />
      {form.again ? <Again form={form} errors={errors} onChange={onChange} /> : null}
      {form.again && form.endless ? null : (
        <>
          {fresh ? (
            <div className="v-chips" role="group" aria-label="How long">
              {SILENCE_SPANS.map(([label, ms]) => (
                <Chip
                  key={label}
                  pressed={form.until === '' && form.lasts === chosen(ms)}
                  onClick={() => onChange({ lasts: chosen(ms), until: '' })}
                >
                  {label}
                </Chip>
              ))}
            </div>
          ) : null}
          <div className="v-three">
            <TextInput
              size="xs"
              type="datetime-local"
              label="From"
              description="empty: now"
              value={form.from}
              error={errors.from ?? null}
              onChange={(event) => onChange({ from: event.currentTarget.value })}
            />
            <TextInput
              size="xs"
              label="For"
              description="30m, 4h, 2d"
              value={form.lasts}
              disabled={form.until !== ''}
              error={errors.lasts ?? null}
              onChange={(event) => onChange({ lasts: event.currentTarget.value })}
            />
            <TextInput
              size="xs"
              type="datetime-local"
              label="Or until"
              description="in this browser’s time"
              value={form.until}
              error={errors.until ?? null}
              onChange={(event) => onChange({ until: event.currentTarget.value })}
            />
          </div>
        </>
      )}
    </>
  );
}

function Again({ form, errors, onChange }: Omit<WhenProps, 'fresh'>) {
  return (
    <div className="v-probe">
      <div className="v-chips" role="group" aria-label="Days">
        {WEEK.map((day) => (
          <Chip
            key={day}
            pressed={form.days.includes(day)}
            onClick={() =>
              onChange({ days: form.days.includes(day) ? form.days.filter((one) => one !== day) : [...form.days, day] })
            }
          >
            {DAY_NAMES[day]}
          </Chip>
        ))}
      </div>
      {errors.days ? <p className="v-bad-text">{errors.days}</p> : null}
      <div className="v-pair">
        <TextInput
          size="xs"
          type="time"
          label="From"
          description="in the engine’s time zone"
          value={form.time}
          error={errors.time ?? null}
          onChange={(event) => onChange({ time: event.currentTarget.value })}
        />
        <TextInput
          size="xs"
          label="For"
          description="1m to 7d; may reach into the next day"
          value={form.window}
          error={errors.window ?? null}
          onChange={(event) => onChange({ window: event.currentTarget.value })}
        />
      </div>
      <Checkbox
        size="xs"
        label="Until it is ended"
        checked={form.endless}
        onChange={(event) => onChange({ endless: event.currentTarget.checked })}
      />
    </div>
  );
}

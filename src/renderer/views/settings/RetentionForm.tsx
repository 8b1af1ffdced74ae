import { Button, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { ReactNode } from 'react';
import type { RetentionState } from '../../../shared/api/store.ts';
import type { RetentionText } from '../../data/api.ts';
import { sayFailure, sayWithUndo } from '../../components/undo.tsx';
import { formatDate } from '../../format/time.ts';
import { formatCount, formatValue, NO_VALUE } from '../../format/units.ts';
import { engineNow } from '../../state/connection.ts';
import { useEngine } from '../../state/engine.ts';
import type { Access } from '../../state/mayControl.ts';
import { forecast, unwise, wrongSetting } from './forecast.ts';
import type { Forecast, RetentionDraft, RetentionName } from './forecast.ts';

const DAY = 86_400_000;
const NAMES: readonly RetentionName[] = ['raw', 'minute', 'hour', 'size'];
const TIER_NAMES = { raw: 'Raw samples', minute: '1 min buckets', hour: '1 h buckets' } as const;

interface FormProps {
  readonly state: RetentionState;
  readonly access: Access;
}

/** Ages and the limit of all, what each tier takes, and what these settings will cost. */
export function RetentionForm({ state, access }: FormProps) {
  const engine = useEngine();
  const queries = useQueryClient();
  const [edited, setEdited] = useState<Partial<Record<RetentionName, string>>>({});
  const draft: RetentionDraft = { ...state.now, ...edited };
  const changed = NAMES.filter((name) => draft[name].trim() !== state.now[name]);
  const wrong = NAMES.map((name) => wrongSetting(name, draft[name]));
  const valid = wrong.every((one) => one === null);
  const { refusal } = access;

  const put = async (body: RetentionText): Promise<void> => {
    queries.setQueryData([engine.base, 'retention'], await engine.api.setRetention(body));
    void queries.invalidateQueries({ queryKey: [engine.base, 'audit'] });
  };
  const save = useMutation({
    mutationFn: put,
    onSuccess: (_, body) => {
      const before: RetentionText = Object.fromEntries(
        NAMES.filter((name) => body[name] !== undefined).map((name) => [
          name,
          // What the configuration says is not set here: it goes on to follow the configuration.
          state.now[name] === state.configured[name] ? null : state.now[name],
        ]),
      );
      setEdited({});
      sayWithUndo('What is kept is changed.', () =>
        put(before).catch((failure: unknown) => sayFailure('It could not be taken back', failure)),
      );
    },
  });
  const bodyOf = (names: readonly RetentionName[]): RetentionText =>
    Object.fromEntries(
      names.map((name) => [name, draft[name].trim() === state.configured[name] ? null : draft[name].trim()]),
    );
  const edit = (name: RetentionName, text: string): void => {
    save.reset();
    setEdited({ ...edited, [name]: text });
  };
  const field = (name: RetentionName, label: string) => (
    <TextInput
      size="xs"
      w={112}
      aria-label={label}
      autoComplete="off"
      spellCheck={false}
      value={draft[name]}
      readOnly={refusal !== null}
      error={wrong[NAMES.indexOf(name)] ?? null}
      onChange={(event) => edit(name, event.currentTarget.value)}
    />
  );
  const coming = forecast(state, draft, engineNow());
  const warning = unwise(draft);
  const moved = NAMES.filter((name) => state.now[name] !== state.configured[name]);
  return (
    <form
      className="v-retention"
      aria-label="What is kept how long"
      onSubmit={(event) => {
        event.preventDefault();
        if (valid && changed.length > 0 && !save.isPending) save.mutate(bodyOf(changed));
      }}
    >
      <TierTable state={state} coming={coming} field={field} />
      <p data-testid="retention-forecast">{forecastText(coming, draft, engineNow())}</p>
      {warning === null ? null : <p className="v-muted">{warning}</p>}
      {save.error ? (
        <p role="alert" className="v-bad-text">
          {save.error.message}
        </p>
      ) : null}
      {refusal === null ? (
        <div className="v-retention-act">
          <Button type="submit" size="xs" disabled={!valid || changed.length === 0} loading={save.isPending}>
            Save
          </Button>
          <Button
            size="xs"
            variant="default"
            disabled={changed.length === 0 && valid}
            onClick={() => {
              save.reset();
              setEdited({});
            }}
          >
            Discard
          </Button>
          {moved.length > 0 ? (
            <Button
              size="xs"
              variant="subtle"
              onClick={() => save.mutate(Object.fromEntries(moved.map((name) => [name, null])))}
            >
              Back to the configuration
            </Button>
          ) : null}
          <span className="v-muted">
            {moved.length > 0
              ? `configured: ${moved.map((name) => state.configured[name]).join(', ')}`
              : 'as configured; what is older than this is removed for good'}
          </span>
        </div>
      ) : (
        <p className="v-muted">{refusal}</p>
      )}
    </form>
  );
}

interface TableProps {
  readonly state: RetentionState;
  readonly coming: Forecast;
  readonly field: (name: RetentionName, label: string) => ReactNode;
}

const bytes = (value: number | null | undefined): string => formatValue(value, 'B');

function TierTable({ state, coming, field }: TableProps) {
  return (
    <div className="v-plain-scroll">
      <table className="v-plain" aria-label="What is kept">
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col">Kept for</th>
            <th scope="col" className="v-num">
              Takes now
            </th>
            <th scope="col" className="v-num">
              Blocks
            </th>
            <th scope="col">Oldest</th>
            <th scope="col" className="v-num">
              A day adds
            </th>
            <th scope="col" className="v-num">
              Will take
            </th>
          </tr>
        </thead>
        <tbody>
          {state.tiers.map((tier, i) => (
            <tr key={tier.tier}>
              <th scope="row">{TIER_NAMES[tier.tier]}</th>
              <td>{field(tier.tier, `${TIER_NAMES[tier.tier]} are kept for`)}</td>
              <td className="v-num">{bytes(tier.bytes)}</td>
              <td className="v-num">{formatCount(tier.blocks)}</td>
              <td className="v-fit">{tier.from === null ? NO_VALUE : formatDate(tier.from)}</td>
              <td className="v-num">{bytes(tier.bytes_per_day)}</td>
              <td className="v-num">{bytes(coming.tiers[i])}</td>
            </tr>
          ))}
          <tr>
            <th scope="row">In all, at most</th>
            <td>{field('size', 'Most that is kept in all')}</td>
            <td className="v-num">{bytes(Math.max(0, state.bytes - state.free))}</td>
            <td />
            <td />
            <td className="v-num">{bytes(coming.perDay)}</td>
            <td className="v-num">{bytes(coming.total)}</td>
          </tr>
        </tbody>
      </table>
    </div>
  );
}

/** When the limit is reached, or where it levels off. */
function forecastText({ total, perDay, limitIn }: Forecast, draft: RetentionDraft, now: number): string {
  if (total === null || perDay === null) return 'What it will take is known when samples of an hour are stored.';
  if (limitIn !== null) {
    const then = limitIn < 1 ? 'now' : `in about ${formatCount(limitIn)} days, on ${formatDate(now + limitIn * DAY)}`;
    return `At this rate the limit of ${draft.size} is reached ${then}; the oldest raw samples go then, and after them the oldest 1 min buckets.`;
  }
  const limit = draft.size.trim() === 'off' ? 'there is no limit in all' : `below the limit of ${draft.size}`;
  return `At this rate it will level off at ${bytes(total)}: ${limit}.`;
}

import { ActionIcon, Button, Progress, TextInput } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useQueryClient } from '@tanstack/react-query';
import { useContext, useEffect, useState } from 'react';
import type { GroupPreview, GroupRule } from '../../../../shared/api/profiles.ts';
import { Dialog } from '../../../components/Dialog.tsx';
import { Icon } from '../../../components/Icon.tsx';
import { useTypedPreview } from '../../../components/useTypedPreview.ts';
import { formatCount } from '../../../format/units.ts';
import { useEngine } from '../../../state/engine.ts';
import { runsText, savedText } from '../words.ts';
import { EngineNames } from './engines.tsx';
import { rulesKey, useGroupRules } from './useGroupRules.ts';

interface RulesDialogProps {
  readonly may: boolean;
  readonly close: () => void;
}

/** A rule with what tells it from others while it is moved and changed. */
type Draft = GroupRule & { readonly key: number };

let drafts = 0;
const draftOf = (rule: GroupRule): Draft => ({ ...rule, key: drafts++ });
const plain = ({ pattern, replacement, note }: GroupRule): GroupRule => ({ pattern, replacement, note });
const same = (a: readonly GroupRule[], b: readonly GroupRule[]): boolean =>
  JSON.stringify(a.map(plain)) === JSON.stringify(b.map(plain));

/** How commands are folded, so that runs of the same thing stand together: seen, tried and changed. */
export function RulesDialog({ may, close }: RulesDialogProps) {
  const engine = useEngine();
  const queries = useQueryClient();
  const { data, error } = useGroupRules();
  const [rules, setRules] = useState<readonly Draft[] | null>(null);
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<string | null>(null);
  const regrouping = data?.regrouping ?? null;
  useEffect(() => {
    // Not over what is being typed.
    if (data) setRules((now) => now ?? data.rules.map(draftOf));
  }, [data]);
  const shown = rules ?? [];
  const preview = useTypedPreview(JSON.stringify(shown.map(plain)), [engine.base, 'profile-rules-preview'], () =>
    engine.api.profiles.previewRules(shown.map(plain)),
  );
  const errors = new Map(preview.result?.errors.map(({ rule, message }) => [rule, message]));
  const changed = data !== undefined && !same(shown, data.rules);
  const save = async (next: readonly GroupRule[] | null): Promise<void> => {
    setBusy(true);
    setRefused(null);
    try {
      const answer = await engine.api.profiles.setRules(next);
      queries.setQueryData(rulesKey(engine.base), answer);
      setRules(answer.rules.map(draftOf));
      notifications.show({ message: savedText(next === null, answer.regrouping?.total ?? 0) });
      void queries.invalidateQueries({ queryKey: [engine.base, 'audit'] });
    } catch (failure) {
      setRefused(failure instanceof Error ? failure.message : String(failure));
    }
    setBusy(false);
  };
  const edit = (at: number, part: Partial<GroupRule>): void =>
    setRules(shown.map((rule, i) => (i === at ? { ...rule, ...part } : rule)));
  const move = (at: number, to: number): void => {
    const next = [...shown];
    const [rule] = next.splice(at, 1);
    if (rule) next.splice(to, 0, rule);
    setRules(next);
  };
  return (
    <Dialog title="How commands are grouped" close={close} size="min(1100px, 96vw)">
      <div className="v-fields">
        <p className="v-muted">
          Runs stand together when their commands are the same after these rules, applied one after another. Wherever a
          pattern matches, its replacement stands instead.
        </p>
        {error && !data ? (
          <p role="alert" className="v-bad-text">
            {error.message}
          </p>
        ) : null}
        <div className="v-rules-dialog">
          <ol className="v-rules" aria-label="Rules">
            {shown.map((rule, at) => (
              <li key={rule.key}>
                <TextInput
                  size="xs"
                  aria-label={`Pattern of rule ${at + 1}`}
                  placeholder="pattern"
                  classNames={{ input: 'v-code' }}
                  spellCheck={false}
                  readOnly={!may}
                  value={rule.pattern}
                  error={errors.get(at)}
                  onChange={(event) => edit(at, { pattern: event.currentTarget.value })}
                />
                <TextInput
                  size="xs"
                  aria-label={`Replacement of rule ${at + 1}`}
                  placeholder="nothing"
                  classNames={{ input: 'v-code' }}
                  spellCheck={false}
                  readOnly={!may}
                  value={rule.replacement}
                  onChange={(event) => edit(at, { replacement: event.currentTarget.value })}
                />
                <TextInput
                  size="xs"
                  aria-label={`What rule ${at + 1} is for`}
                  placeholder="what it is for"
                  readOnly={!may}
                  value={rule.note}
                  onChange={(event) => edit(at, { note: event.currentTarget.value })}
                />
                {may ? (
                  <span className="v-rule-acts">
                    <Act name={`Move rule ${at + 1} up`} icon="up" disabled={at === 0} act={() => move(at, at - 1)} />
                    <Act
                      name={`Move rule ${at + 1} down`}
                      icon="down"
                      disabled={at === shown.length - 1}
                      act={() => move(at, at + 1)}
                    />
                    <Act
                      name={`Remove rule ${at + 1}`}
                      icon="minus"
                      act={() => setRules(shown.filter((_, i) => i !== at))}
                    />
                  </span>
                ) : null}
              </li>
            ))}
          </ol>
          <section className="v-rules-preview" aria-label="What comes of it">
            <h3>What comes of it</h3>
            {preview.error === null ? null : <p className="v-bad-text">{preview.error}</p>}
            {preview.result ? <Preview preview={preview.result} /> : <p className="v-muted">Looking…</p>}
          </section>
        </div>
        {regrouping ? (
          <div role="status">
            <p className="v-muted">
              Runs are being grouped anew: {formatCount(regrouping.done)} of {formatCount(regrouping.total)}
            </p>
            <Progress.Root size="sm">
              <Progress.Section
                value={regrouping.total > 0 ? (100 * regrouping.done) / regrouping.total : 0}
                aria-label="Runs grouped anew"
              />
            </Progress.Root>
          </div>
        ) : null}
        {refused === null ? null : (
          <p role="alert" className="v-bad-text">
            {refused}
          </p>
        )}
        <div className="v-ends">
          {may ? (
            <>
              <Button
                size="xs"
                variant="subtle"
                leftSection={<Icon name="plus" size={14} />}
                disabled={shown.length >= 50}
                onClick={() => setRules([...shown, draftOf({ pattern: '', replacement: '', note: '' })])}
              >
                Add a rule
              </Button>
              <Button
                size="xs"
                variant="subtle"
                disabled={data === undefined || (same(shown, data.defaults) && !changed)}
                onClick={() => void save(null)}
              >
                Reset to the defaults
              </Button>
              <div className="v-spacer" />
            </>
          ) : null}
          <Button size="xs" variant="default" onClick={close}>
            Close
          </Button>
          {may ? (
            <Button
              size="xs"
              loading={busy}
              disabled={!changed || errors.size > 0 || shown.some(({ pattern }) => pattern === '')}
              onClick={() => void save(shown.map(plain))}
            >
              Save
            </Button>
          ) : null}
        </div>
      </div>
    </Dialog>
  );
}

interface ActProps {
  readonly name: string;
  readonly icon: 'up' | 'down' | 'minus';
  readonly disabled?: boolean;
  readonly act: () => void;
}

function Act({ name, icon, disabled = false, act }: ActProps) {
  return (
    <ActionIcon size="sm" variant="subtle" color="gray" aria-label={name} disabled={disabled} onClick={act}>
      <Icon name={icon} size={14} />
    </ActionIcon>
  );
}

/** Groups as they would be, and which commands would fall together in them. */
function Preview({ preview }: { readonly preview: GroupPreview }) {
  const { runs, groups } = preview;
  // The rules hold for all that is kept here, also where the list shows the runs of one engine.
  const others = useContext(EngineNames).size > 0;
  if (groups.length === 0) return <p className="v-muted">There is no run to try them on yet.</p>;
  return (
    <>
      <p className="v-muted">
        Of the newest {runsText(runs, formatCount(runs))}
        {others ? ' of all engines' : ''}: {formatCount(groups.length)}
        {groups.length >= 100 ? ' and more' : ''} {groups.length === 1 ? 'group' : 'groups'}
      </p>
      <ul tabIndex={0} aria-label="Groups">
        {groups.map(({ group, runs: count, commands, different }) => (
          <li key={group}>
            <code>
              <bdi>{group || 'no command known'}</bdi>
            </code>{' '}
            <span className="v-muted">{runsText(count, formatCount(count))}</span>
            {different > 1 ? (
              <ul>
                {commands.map(({ command }) => (
                  <li key={command} className="v-muted">
                    <bdi>{command.slice(0, 300)}</bdi>
                  </li>
                ))}
                {different > commands.length ? (
                  <li className="v-muted">and {formatCount(different - commands.length)} other commands</li>
                ) : null}
              </ul>
            ) : null}
          </li>
        ))}
      </ul>
    </>
  );
}

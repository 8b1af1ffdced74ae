import { ActionIcon, Button, Menu, Textarea, Tooltip } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import { MAX_NOTE } from '../../../../shared/api/profiles.ts';
import type { ProfileMarks } from '../../../../shared/api/profiles.ts';
import type { Run } from '../../../../shared/api/runs.ts';
import { Icon } from '../../../components/Icon.tsx';
import { useEngine } from '../../../state/engine.ts';
import { useMayControl } from '../../../state/mayControl.ts';
import { compareLink } from '../compare/link.ts';
import { ExportDialog } from '../ExportDialog.tsx';
import { engineOfRun, groupLink, LIST, searchLink } from '../list/listQuery.ts';
import { readTags } from '../list/readTags.ts';
import { withTerm } from '../list/searchModel.ts';
import { SaveDialog } from '../SaveDialog.tsx';
import { tagColour } from '../tagColour.ts';
import { TagsField } from '../TagsField.tsx';
import { useProfileActions } from '../useProfileActions.ts';
import { regressionText, runTime } from '../words.ts';
import { useNeighbours } from './neighbours.ts';
import '../profiles.css';

const NONE: readonly string[] = [];

type Open = 'tags' | 'note' | 'export' | null;

/** The room of the bar, so that nothing moves when it comes. */
export function ProfileBarSpace() {
  return <div className="v-toolbar v-second v-profilebar" aria-hidden="true" />;
}

/** Below the head of a run that has ended: what people say of it, what it is compared with, and where it goes. */
export function ProfileBar({ run }: { readonly run: Run }) {
  const engine = useEngine();
  const { data: marks } = useQuery({
    queryKey: [engine.base, 'profiles', 'marks', run.id],
    queryFn: ({ signal }) => engine.api.profiles.marks(run.id, signal),
    // A run that has just ended is not stored in the same instant.
    retry: 5,
    retryDelay: 500,
    staleTime: 10_000,
  });
  const { refusal, known } = useMayControl();
  const actions = useProfileActions();
  const [open, setOpen] = useState<Open>(null);
  const [, navigate] = useLocation();
  const neighbours = useNeighbours(run, marks?.group ?? null);
  if (!marks) return <ProfileBarSpace />;
  const may = known && refusal === null;
  const remove = async (): Promise<void> => {
    if (await actions.remove([run.id]))
      navigate(marks.group === '' ? LIST : groupLink(marks.group, engineOfRun(run.id)));
  };
  return (
    <div className="v-toolbar v-second v-profilebar" role="group" aria-label="Profile">
      {marks.deleted === null ? null : (
        <span className="v-bad-text">
          in the trash{' '}
          <Button size="compact-xs" disabled={!may} onClick={() => void actions.restore([run.id])}>
            Restore
          </Button>
        </span>
      )}
      <TagList marks={marks} may={may} edit={() => setOpen('tags')} />
      <Button
        size="compact-xs"
        variant="subtle"
        leftSection={<Icon name="note" size={12} />}
        disabled={!may && marks.note === ''}
        onClick={() => setOpen('note')}
      >
        {marks.note === '' ? 'Add a note' : <bdi className="v-note-start">{marks.note.split('\n')[0]}</bdi>}
      </Button>
      <BaselineButton run={run} marks={marks} may={may} refusal={refusal} />
      {marks.regression === null ? null : (
        <span className="v-regression" data-testid="regression">
          <Icon name="warning" size={12} /> {regressionText(marks.regression)} ({runTime(marks.regression.duration)})
        </span>
      )}
      <div className="v-acts">
        <Walk run={run} marks={marks} before={neighbours?.before ?? null} after={neighbours?.after ?? null} />
        <CompareMenu
          run={run}
          baseline={neighbours?.baseline ?? null}
          before={neighbours?.before ?? null}
          group={marks.group}
        />
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<Icon name="download" size={12} />}
          onClick={() => setOpen('export')}
        >
          Export run…
        </Button>
        {marks.deleted === null ? (
          <Button
            size="compact-xs"
            variant="subtle"
            color="gray"
            disabled={!may}
            title={refusal ?? undefined}
            onClick={() => void remove()}
          >
            Delete
          </Button>
        ) : null}
      </div>
      {open === 'tags' ? (
        <TagsOfRun run={run} marks={marks} close={() => setOpen(null)} />
      ) : open === 'note' ? (
        <NoteOfRun run={run} marks={marks} may={may} close={() => setOpen(null)} />
      ) : open === 'export' ? (
        <ExportDialog runs={[run.id]} name={run.jobid} close={() => setOpen(null)} />
      ) : null}
    </div>
  );
}

interface TagListProps {
  readonly marks: ProfileMarks;
  readonly may: boolean;
  readonly edit: () => void;
}

/** Each tag leads to the runs that have it. */
function TagList({ marks, may, edit }: TagListProps) {
  return (
    <span className="v-tags">
      {marks.tags.map((tag) => (
        <Link
          key={tag}
          href={searchLink(withTerm('', 'tag', tag))}
          className={`v-tag v-tag-${tagColour(tag)}`}
          title={`Runs that are tagged ${tag}`}
        >
          <bdi>{tag}</bdi>
        </Link>
      ))}
      <Button size="compact-xs" variant="subtle" disabled={!may} onClick={edit}>
        {marks.tags.length === 0 ? 'Add tags' : 'Edit tags'}
      </Button>
    </span>
  );
}

interface BaselineProps {
  readonly run: Run;
  readonly marks: ProfileMarks;
  readonly may: boolean;
  readonly refusal: string | null;
}

function BaselineButton({ run, marks, may, refusal }: BaselineProps) {
  const actions = useProfileActions();
  const on = marks.baseline;
  const label = refusal ?? (on ? 'Runs of its command are held against it' : 'Hold runs of its command against it');
  return (
    <Tooltip label={label} withArrow multiline maw={320} openDelay={300}>
      <Button
        size="compact-xs"
        variant={on ? 'light' : 'subtle'}
        aria-pressed={on}
        disabled={!may || marks.group === ''}
        onClick={() =>
          void actions.mark(
            run.id,
            { baseline: !on },
            on ? `${run.jobid} is no baseline any more.` : `${run.jobid} is the baseline of its command.`,
          )
        }
      >
        {on ? 'Baseline' : 'Make baseline'}
      </Button>
    </Tooltip>
  );
}

interface WalkProps {
  readonly run: Run;
  readonly marks: ProfileMarks;
  readonly before: string | null;
  readonly after: string | null;
}

/** From run to run of the same command, staying on the tab. */
function Walk({ run, marks, before, after }: WalkProps) {
  const [, navigate] = useLocation();
  const go = (id: string | null): void => {
    if (id !== null) navigate(`/ui/jobs/${encodeURIComponent(id)}${window.location.search}`);
  };
  if (marks.group === '') return null;
  return (
    <span className="v-walk">
      <Step name="Previous run of this command" icon="earlier" disabled={before === null} act={() => go(before)} />
      <Link href={groupLink(marks.group, engineOfRun(run.id))} className="v-link" title={marks.group.slice(0, 2000)}>
        Runs of this command
      </Link>
      <Step name="Next run of this command" icon="later" disabled={after === null} act={() => go(after)} />
    </span>
  );
}

interface StepProps {
  readonly name: string;
  readonly icon: 'earlier' | 'later';
  readonly disabled: boolean;
  readonly act: () => void;
}

function Step({ name, icon, disabled, act }: StepProps) {
  return (
    <Tooltip label={name} withArrow openDelay={300}>
      <ActionIcon size="sm" variant="default" aria-label={name} disabled={disabled} onClick={act}>
        <Icon name={icon} size={12} />
      </ActionIcon>
    </Tooltip>
  );
}

interface CompareMenuProps {
  readonly run: Run;
  readonly baseline: string | null;
  readonly before: string | null;
  readonly group: string;
}

function CompareMenu({ run, baseline, before, group }: CompareMenuProps) {
  const [, navigate] = useLocation();
  const other = baseline === run.id ? null : baseline;
  const engine = engineOfRun(run.id);
  const of = engine === null ? {} : { engine };
  const pair = (id: string): void => navigate(compareLink({ kind: 'runs', ids: [id, run.id] }, id));
  return (
    <Menu position="bottom-end" withArrow withinPortal={false} withInitialFocusPlaceholder={false}>
      <Menu.Target>
        <Button size="compact-xs" variant="default" disabled={group === ''}>
          Compare
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item disabled={other === null} onClick={() => other && pair(other)}>
          With the baseline
        </Menu.Item>
        <Menu.Item disabled={before === null} onClick={() => before && pair(before)}>
          With the run before
        </Menu.Item>
        <Menu.Item onClick={() => navigate(compareLink({ kind: 'found', group, search: '', ...of }))}>
          All runs of this command
        </Menu.Item>
        {baseline === null ? <Menu.Label>No run of this command is marked as baseline</Menu.Label> : null}
      </Menu.Dropdown>
    </Menu>
  );
}

interface EditProps {
  readonly run: Run;
  readonly marks: ProfileMarks;
  readonly close: () => void;
}

function TagsOfRun({ run, marks, close }: EditProps) {
  const actions = useProfileActions();
  const [texts, setTexts] = useState<string[]>([...marks.tags]);
  const { tags, error } = readTags(texts);
  return (
    <SaveDialog
      title={`Tags of ${run.jobid}`}
      size="md"
      ready={error === null}
      save={() => actions.mark(run.id, { tags }, null)}
      close={close}
    >
      <TagsField
        label="Tags"
        description="Enter or a comma ends a tag"
        autofocus
        value={texts}
        error={error}
        offered={NONE}
        onChange={setTexts}
      />
    </SaveDialog>
  );
}

function NoteOfRun({ run, marks, may, close }: EditProps & { readonly may: boolean }) {
  const actions = useProfileActions();
  const [note, setNote] = useState(marks.note);
  return (
    <SaveDialog
      title={`Note on ${run.jobid}`}
      size="lg"
      ready={may}
      save={() => actions.mark(run.id, { note }, null)}
      close={close}
    >
      <Textarea
        size="xs"
        label="Note"
        description="Plain text, for whoever looks at this run later"
        data-autofocus
        autosize
        minRows={6}
        maxRows={20}
        maxLength={MAX_NOTE}
        readOnly={!may}
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
          event.preventDefault();
          event.currentTarget.form?.requestSubmit();
        }}
      />
    </SaveDialog>
  );
}

import { Button, NativeSelect, Tabs } from '@mantine/core';
import { useMemo, useState } from 'react';
import { Link } from 'wouter';
import type { Compared } from '../../../../shared/api/profile-compare.ts';
import { MAX_COMPARED } from '../../../../shared/api/profile-compare.ts';
import { Copy } from '../../../components/Copy.tsx';
import { Icon } from '../../../components/Icon.tsx';
import { PartSkeleton } from '../../../components/latePart.tsx';
import { Failure, Message, useTitle } from '../../../components/Message.tsx';
import { useKeys } from '../../../components/useKeys.ts';
import { formatCount } from '../../../format/units.ts';
import { useMayControl } from '../../../state/mayControl.ts';
import { useUrlQuery } from '../../../state/query.ts';
import { ExportDialog } from '../ExportDialog.tsx';
import { LIST } from '../list/listQuery.ts';
import { useProfileActions } from '../useProfileActions.ts';
import { runsText } from '../words.ts';
import { Descriptions } from './Descriptions.tsx';
import { compareLink, readSubject } from './link.ts';
import type { Subject } from './link.ts';
import { Overview } from './Overview.tsx';
import { SeriesTable } from './SeriesTable.tsx';
import { Timelines } from './Timelines.tsx';
import { useCompared } from './useCompared.ts';
import { useComparison } from './useComparison.ts';
import '../profiles.css';
import './compare.css';

const TABS = ['overview', 'timelines', 'series', 'descriptions'] as const;
type Tab = (typeof TABS)[number];
const NAMES: Readonly<Record<Tab, string>> = {
  overview: 'What changed',
  timelines: 'Timelines',
  series: 'All series',
  descriptions: 'Descriptions',
};

/** Several runs against one of them. */
export function Comparison() {
  useTitle('Compare');
  const [params] = useUrlQuery();
  // Only these of the address decide what is asked for: looking at another metric asks for nothing.
  const [runs, group, q, baseline] = ['runs', 'group', 'q', 'baseline'].map((name) => params.get(name));
  const subject = useMemo(() => {
    const named = Object.entries({ runs, group, q }).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, value]] : [],
    );
    return readSubject(new URLSearchParams(named));
  }, [runs, group, q]);
  const { compared, more, error, retry } = useCompared(subject, baseline ?? null);
  if (error && !compared) return <Failure error={error} retry={retry} />;
  if (!compared) return <PartSkeleton name="the comparison" />;
  if (compared.runs.length < 2) return <TooFew compared={compared} subject={subject} />;
  return <Shown compared={compared} subject={subject} more={more} />;
}

function TooFew({ compared, subject }: { readonly compared: Compared; readonly subject: Subject }) {
  const { missing } = compared;
  const gone =
    missing.length > 0
      ? ` ${runsText(missing.length)} of this address ${missing.length === 1 ? 'is' : 'are'} not here any more.`
      : '';
  return (
    <Message title="There is nothing to compare">
      <p>
        {subject.kind === 'runs' ? 'A comparison takes two runs or more.' : 'The search finds fewer than two runs.'}
        {gone}
      </p>
      <p>Select runs in the list with x or the boxes, and press c.</p>
      <Link href={`${LIST}?view=runs`} className="v-link">
        Go to the runs
      </Link>
    </Message>
  );
}

interface ShownProps {
  readonly compared: Compared;
  readonly subject: Subject;
  readonly more: boolean;
}

/** The job id says which run it is: that it differs is no news. */
const differ = ({ differences }: Compared): number => differences.filter(({ field }) => field !== 'jobid').length;

function Shown({ compared, subject, more }: ShownProps) {
  const [params] = useUrlQuery();
  const comparison = useComparison(compared);
  const [exporting, setExporting] = useState(false);
  const { set } = comparison;
  const asked = params.get('tab');
  const tab = TABS.find((one) => one === asked) ?? 'overview';
  const setTab = (next: string | null): void => set({ tab: next === 'overview' ? null : next });
  useKeys({
    '1': () => setTab('overview'),
    '2': () => setTab('timelines'),
    '3': () => setTab('series'),
    '4': () => setTab('descriptions'),
    e: () => setExporting(true),
  });
  const { runs, missing } = compared;
  return (
    <div className="v-fill v-profiles">
      <header className="v-jobhead">
        <div className="v-toolbar">
          <nav aria-label="Breadcrumb">
            <Link href={LIST} className="v-link">
              Profiles
            </Link>{' '}
            <span aria-hidden="true">/</span>
          </nav>
          <h1>Compare {runsText(runs.length, formatCount(runs.length))}</h1>
          <Commands compared={compared} />
          <div className="v-spacer" />
          <Baseline {...comparison} />
          <LinkCopy subject={subject} />
          <Button
            size="xs"
            variant="default"
            leftSection={<Icon name="download" size={14} />}
            onClick={() => setExporting(true)}
          >
            Export…
          </Button>
        </div>
        {missing.length === 0 ? null : <Missing compared={compared} subject={subject} />}
        {more ? (
          <p className="v-compare-note">The search finds more than {MAX_COMPARED} runs: these are the newest ones.</p>
        ) : null}
      </header>
      <Tabs value={tab} onChange={setTab} keepMounted={false} className="v-tabs">
        <Tabs.List>
          {TABS.map((one) => (
            <Tabs.Tab key={one} value={one}>
              {NAMES[one]}
              {one === 'descriptions' && differ(compared) > 0 ? ` (${differ(compared)} differ)` : ''}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="overview" className="v-tab" tabIndex={0}>
          <Overview {...comparison} />
        </Tabs.Panel>
        <Tabs.Panel value="timelines" className="v-tab" tabIndex={0}>
          <Timelines {...comparison} />
        </Tabs.Panel>
        <Tabs.Panel value="series" className="v-tab">
          <SeriesTable {...comparison} />
        </Tabs.Panel>
        <Tabs.Panel value="descriptions" className="v-tab" tabIndex={0}>
          <Descriptions {...comparison} />
        </Tabs.Panel>
      </Tabs>
      {exporting ? (
        <ExportDialog runs={runs.map(({ id }) => id)} name={null} close={() => setExporting(false)} />
      ) : null}
    </div>
  );
}

/** The command, where all have the same. */
function Commands({ compared }: { readonly compared: Compared }) {
  const groups = new Set(compared.runs.map(({ group }) => group));
  const [first = ''] = groups;
  return (
    <code className="v-ellipsis" title={first.slice(0, 2000)}>
      <bdi>{groups.size > 1 ? `${groups.size} commands` : first.slice(0, 400)}</bdi>
    </code>
  );
}

/** What the others are held against: chosen for this page, or marked for all. */
function Baseline({ compared, base, label, set }: ReturnType<typeof useComparison>) {
  const { refusal, known } = useMayControl();
  const actions = useProfileActions();
  const run = compared.runs[base];
  const marked = run?.baseline ?? false;
  return (
    <span className="v-baseline">
      <label htmlFor="baseline" className="v-muted">
        Baseline
      </label>
      <NativeSelect
        id="baseline"
        size="xs"
        value={compared.baseline ?? ''}
        onChange={(event) => set({ baseline: event.currentTarget.value })}
        data={compared.runs.map((one) => ({
          value: one.id,
          label: `${label(one)}${one.baseline ? ' (marked)' : ''}`,
        }))}
      />
      {run ? (
        <Button
          size="compact-xs"
          variant={marked ? 'light' : 'subtle'}
          aria-pressed={marked}
          disabled={!known || refusal !== null}
          title={refusal ?? 'Runs of its command are held against it, in lists too'}
          onClick={() =>
            void actions.mark(
              run.id,
              { baseline: !marked },
              marked ? `${label(run)} is no baseline any more.` : `${label(run)} is the baseline of its command.`,
            )
          }
        >
          {marked ? 'Marked' : 'Mark'}
        </Button>
      ) : null}
    </span>
  );
}

/** The address of this comparison as it is looked at. */
function LinkCopy({ subject }: { readonly subject: Subject }) {
  const long = subject.kind === 'runs' && subject.ids.length > 50;
  return (
    <span
      title={long ? 'For a short link, compare what a search finds: tag the runs and search for the tag' : undefined}
    >
      <Copy text={window.location.href} name="the link" />
    </span>
  );
}

/** Runs that were deleted meanwhile, and the way to an address without them. */
function Missing({ compared, subject }: { readonly compared: Compared; readonly subject: Subject }) {
  const { missing, runs } = compared;
  const [first, ...rest] = missing;
  if (!first) return null;
  const left = compareLink({ kind: 'runs', ids: runs.map(({ id }) => id) });
  return (
    <p role="alert" className="v-compare-note v-bad-text" data-testid="missing">
      <bdi>{first.id}</bdi>: {first.why}
      {rest.length > 0 ? `; and ${formatCount(rest.length)} more` : ''}.{' '}
      {subject.kind === 'runs' ? (
        <Link href={left} className="v-link">
          Compare the others without {missing.length === 1 ? 'it' : 'them'}
        </Link>
      ) : null}
    </p>
  );
}

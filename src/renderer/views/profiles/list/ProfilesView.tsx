import { Button, Skeleton } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { useEffect, useMemo, useRef, useState } from 'react';
import { Link, useLocation } from 'wouter';
import { parseSearch } from '../../../../shared/profiles/search.ts';
import { Icon } from '../../../components/Icon.tsx';
import { Failure, useTitle } from '../../../components/Message.tsx';
import { useKeys } from '../../../components/useKeys.ts';
import { formatCount } from '../../../format/units.ts';
import { engineNow } from '../../../state/connection.ts';
import { useMayControl } from '../../../state/mayControl.ts';
import { useUrlQuery } from '../../../state/query.ts';
import { compareLink } from '../compare/link.ts';
import { ExportDialog } from '../ExportDialog.tsx';
import { useProfileActions } from '../useProfileActions.ts';
import { runsText } from '../words.ts';
import { BulkBar } from './BulkBar.tsx';
import { EngineChoice, EngineNames, ShownEngine, useKeptEngines } from './engines.tsx';
import { GroupsTable } from './GroupsTable.tsx';
import { ImportDialog } from './ImportDialog.tsx';
import { groupsAsked, LIST, readListQuery, runsAsked } from './listQuery.ts';
import type { ListQuery } from './listQuery.ts';
import { NothingFound, NoProfiles } from './NoProfiles.tsx';
import { RulesDialog } from './RulesDialog.tsx';
import { RunsTable } from './RunsTable.tsx';
import { SearchBox, SearchTerms } from './SearchBox.tsx';
import type { KnownValues } from './searchModel.ts';
import { MOST_COMPARED } from './selection.ts';
import { TagDialog } from './TagDialog.tsx';
import { useGroupRules } from './useGroupRules.ts';
import { useGroupPages, useNews, useRunPages } from './useProfilePages.ts';
import type { Pages } from './useProfilePages.ts';
import { useSelection } from './useSelection.ts';
import '../profiles.css';

const TYPED_MS = 250;
const NOTHING: never[] = [];

type DialogKind = 'rules' | 'import' | 'tags' | 'export';

/** Finished runs: by command, one by one, and what was deleted. */
export function ProfilesView() {
  useTitle('Profiles');
  const [params, setParams] = useUrlQuery();
  const [, navigate] = useLocation();
  const query = useMemo(() => readListQuery(params), [params]);
  const { search, wrong } = useSearchText(query.search);
  const byCommand = query.view === 'commands';
  const groups = useGroupPages(byCommand ? groupsAsked(query, search) : null);
  const runs = useRunPages(byCommand ? null : runsAsked(query, search));
  const news = useNews();
  const engines = useKeptEngines();
  const regrouping = useGroupRules().data?.regrouping ?? null;
  const selection = useSelection();
  const { refusal, known: mayKnown } = useMayControl();
  const actions = useProfileActions();
  const [dialog, setDialog] = useState<DialogKind | null>(null);
  const [at, setAt] = useState<string | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const may = mayKnown && refusal === null;
  const pages: Pages<object> = byCommand ? groups : runs;
  const known = useKnown(groups.rows ?? NOTHING, runs.rows ?? NOTHING);
  const picked = useMemo(() => [...selection.picked.ids], [selection.picked]);
  /** The ticked ones, else the one under the cursor. */
  const meant = picked.length > 0 ? picked : at === null ? [] : [at];
  const asked = params.get('dialog');
  const open = dialog ?? (asked === 'import' || asked === 'rules' ? asked : null);

  const change = (act: () => void): void => {
    if (meant.length === 0) return;
    // Until it is known who this is, the engine decides.
    if (refusal === null) act();
    else notifications.show({ message: refusal });
  };
  const compare = (): void => {
    if (meant.length > MOST_COMPARED) {
      notifications.show({ message: `At most ${MOST_COMPARED} runs can be compared at once.` });
    } else if (meant.length > 1) navigate(compareLink({ kind: 'runs', ids: meant }));
    else notifications.show({ message: 'Select two runs or more to compare them: x selects the row.' });
  };
  const done = async (act: Promise<boolean>): Promise<void> => {
    if (await act) selection.clear();
  };
  const remove = (): void => change(() => void done(actions.remove(meant)));
  const restore = (): void => change(() => void done(actions.restore(meant)));
  const pin = (on: boolean): void =>
    change(
      () =>
        void actions.change(
          { ids: meant, pinned: on },
          on ? `${runsText(meant.length)} kept at full detail.` : `${runsText(meant.length)} kept as long as others.`,
        ),
    );
  useKeys({
    '/': () => field.current?.focus(),
    c: compare,
    t: () => change(() => setDialog('tags')),
    p: () => pin(true),
    e: () => (meant.length > 0 ? setDialog('export') : undefined),
    Delete: query.view === 'trash' ? () => undefined : remove,
    u: () => (refusal === null ? void actions.undo() : undefined),
    Escape: selection.clear,
  });
  const setSearch = (q: string): void => setParams({ q });
  const closeDialog = (): void => {
    setDialog(null);
    if (asked !== null) setParams({ dialog: null });
  };
  const sort = { id: query.sort, descending: query.descending };
  const onSort = (next: { id: string; descending: boolean }): void =>
    setParams({ sort: next.id, order: next.descending ? 'desc' : 'asc' });
  const empty =
    query.view === 'trash' ? (
      <p>The trash is empty.</p>
    ) : (
      <NothingFound query={query} onAll={() => setParams({ q: null, group: null, view: null })} />
    );

  if (pages.error && !pages.rows && wrong === null) return <Failure error={pages.error} retry={pages.retry} />;
  const isEmpty =
    pages.rows?.length === 0 &&
    query.search === '' &&
    query.engine === null &&
    query.group === null &&
    query.view !== 'trash';
  return (
    <EngineNames.Provider value={engines}>
      <div className="v-fill v-profiles">
        <div className="v-toolbar">
          <h1>{query.group === null ? 'Profiles' : 'Profiles of one command'}</h1>
          <Views query={query} />
          <EngineChoice engines={engines} value={query.engine} onChange={(engine) => setParams({ engine })} />
          <SearchBox ref={field} value={query.search} onChange={setSearch} known={known} />
          <div className="v-spacer" />
          {news.waiting ? (
            <Button size="compact-xs" variant="light" onClick={news.show}>
              Runs have ended: show
            </Button>
          ) : null}
          <Button size="xs" variant="default" onClick={() => setDialog('rules')}>
            Grouping…
          </Button>
          <Button
            size="xs"
            variant="default"
            disabled={!may}
            leftSection={<Icon name="plus" size={14} />}
            onClick={() => setDialog('import')}
          >
            Import
          </Button>
        </div>
        <div className="v-toolbar v-second v-profile-second">
          {picked.length > 0 ? (
            <BulkBar
              count={picked.length}
              may={may}
              inTrash={query.view === 'trash'}
              on={{
                compare,
                tags: () => setDialog('tags'),
                pin: () => pin(true),
                unpin: () => pin(false),
                export: () => setDialog('export'),
                remove,
                restore,
                clear: selection.clear,
              }}
            />
          ) : null}
          <SearchTerms value={query.search} onChange={setSearch} />
          {query.group === null ? null : <GroupCrumb group={query.group} />}
          <div className="v-spacer" />
          {picked.length === 0 &&
          !byCommand &&
          query.view !== 'trash' &&
          (runs.rows?.length ?? 0) > 1 &&
          wrong === null ? (
            <CompareFound query={query} search={search} />
          ) : null}
          {byCommand && regrouping ? (
            <span className="v-muted">
              grouping anew: {formatCount(regrouping.done)} of {formatCount(regrouping.total)}
            </span>
          ) : null}
          <span className="v-muted" role="status">
            {wrong !== null ? 'The search is not complete: the list is of the one before' : countText(query, pages)}
          </span>
        </div>
        {refusal === null ? null : <p className="v-view-only">{refusal}</p>}
        {!pages.rows ? (
          <div className="v-skeletons" role="status" aria-label="Loading the profiles">
            {Array.from({ length: 10 }, (_, i) => (
              <Skeleton key={i} height={34} />
            ))}
          </div>
        ) : isEmpty ? (
          <NoProfiles onImport={may ? () => setDialog('import') : null} />
        ) : byCommand ? (
          <ShownEngine.Provider value={query.engine}>
            <GroupsTable
              groups={groups.rows ?? NOTHING}
              search={search}
              engine={query.engine}
              sort={sort}
              onSort={onSort}
              selection={selection}
              onAt={setAt}
              onEnd={groups.more ?? undefined}
              empty={empty}
            />
          </ShownEngine.Provider>
        ) : (
          <RunsTable
            key={query.view}
            label={query.view === 'trash' ? 'Deleted profiles' : 'Profiles'}
            runs={runs.rows ?? NOTHING}
            inGroup={query.group !== null}
            sort={sort}
            onSort={onSort}
            selection={selection}
            onAt={setAt}
            onEnd={runs.more ?? undefined}
            empty={empty}
          />
        )}
        {open === 'rules' ? (
          <RulesDialog may={may} close={closeDialog} />
        ) : open === 'import' && may ? (
          <ImportDialog close={closeDialog} />
        ) : open === 'tags' ? (
          <TagDialog ids={meant} offered={known.tag ?? NOTHING} close={closeDialog} />
        ) : open === 'export' ? (
          <ExportDialog runs={meant} name={null} close={closeDialog} />
        ) : null}
      </div>
    </EngineNames.Provider>
  );
}

/** The search when it has rested, and the last one without errors while there are some. */
function useSearchText(typed: string): { search: string; wrong: string | null } {
  const [settled] = useDebouncedValue(typed, TYPED_MS);
  const [good, setGood] = useState('');
  const wrong = useMemo(() => parseSearch(settled, engineNow()).errors[0]?.message ?? null, [settled]);
  const text = settled.trim();
  useEffect(() => {
    if (wrong === null) setGood(text);
  }, [wrong, text]);
  return { search: wrong === null ? text : good, wrong };
}

/** What is on the screen, for completions. */
function useKnown(groups: readonly { readonly last: Named }[], runs: readonly Named[]): KnownValues {
  return useMemo(() => {
    const all = [...groups.map(({ last }) => last), ...runs.slice(0, 1000)];
    const few = (values: readonly string[]): string[] =>
      [...new Set(values.filter((value) => value !== ''))].slice(0, 200);
    return {
      tag: few(all.flatMap(({ tags }) => tags)),
      user: few(all.map(({ user }) => user)),
      cluster: few(all.map(({ cluster }) => cluster)),
      partition: few(all.map(({ partition }) => partition)),
      node: few(all.flatMap(({ nodes }) => nodes.slice(0, 4))),
    };
  }, [groups, runs]);
}

interface Named {
  readonly tags: readonly string[];
  readonly nodes: readonly string[];
  readonly user: string;
  readonly cluster: string;
  readonly partition: string;
}

function countText({ view, group }: ListQuery, { rows, total, more, old }: Pages<object>): string {
  if (!rows || old) return '';
  const count = total ?? rows.length;
  const shown = `${formatCount(count)}${total === null && more ? ' and more' : ''}`;
  if (view === 'commands') return `${shown} ${count === 1 ? 'command' : 'commands'}`;
  return `${runsText(count, shown)}${view === 'trash' ? ' in the trash' : group === null ? '' : ' of this command'}`;
}

const VIEWS = [
  ['commands', LIST, 'By command'],
  ['runs', `${LIST}?view=runs`, 'All runs'],
  ['trash', `${LIST}?view=trash`, 'Trash'],
] as const;

function Views({ query }: { readonly query: ListQuery }) {
  const more = query.search === '' ? '' : `q=${encodeURIComponent(query.search)}`;
  return (
    <nav className="v-subnav" aria-label="Profiles">
      {VIEWS.map(([view, path, name]) => (
        <Link
          key={view}
          href={more === '' ? path : `${path}${path.includes('?') ? '&' : '?'}${more}`}
          aria-current={query.view === view ? 'page' : undefined}
        >
          {name}
        </Link>
      ))}
    </nav>
  );
}

function GroupCrumb({ group }: { readonly group: string }) {
  return (
    <span className="v-group-crumb">
      <span className="v-muted">command</span>{' '}
      <code>
        <bdi>{group.slice(0, 500) || 'not known'}</bdi>
      </code>{' '}
      <Link href={`${LIST}?view=runs`} className="v-link">
        all commands
      </Link>
    </span>
  );
}

/** The comparison of all that is listed: its address says the search, not the runs, so that it stays short. */
function CompareFound({ query, search }: { readonly query: ListQuery; readonly search: string }) {
  if (query.group === null && search === '') return null;
  return (
    <Link
      href={compareLink({
        kind: 'found',
        group: query.group,
        search,
        ...(query.engine === null ? {} : { engine: query.engine }),
      })}
      className="v-link"
    >
      Compare them all
    </Link>
  );
}

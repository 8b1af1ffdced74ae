import { ActionIcon, Button, Menu, NativeSelect, Skeleton, Tooltip } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useDeferredValue, useMemo, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import { sayFailure } from '../../components/undo.tsx';
import { SearchField } from '../../components/SearchField.tsx';
import { StateFilter } from '../../components/StateFilter.tsx';
import type { ExportQuery, Target, TargetTypeName } from '../../../shared/api/targets.ts';
import { TargetTypeName as TypeNames } from '../../../shared/api/targets.ts';
import { DataTable } from '../../components/DataTable.tsx';
import { download, fileStamp } from '../../components/download.ts';
import { Icon } from '../../components/Icon.tsx';
import { useTitle } from '../../components/Message.tsx';
import { stepKeys, useKeys } from '../../components/useKeys.ts';
import { countStates, selectTargets, SHOWN_STATES, TARGET_SORTS } from '../../data/targets.ts';
import type { ShownState, TargetQuery, TargetSort } from '../../data/targets.ts';
import { formatCount } from '../../format/units.ts';
import { engineNow } from '../../state/connection.ts';
import { useEngine, useTargetsSnapshot } from '../../state/engine.ts';
import { useUrlQuery } from '../../state/query.ts';
import { useMayControl } from '../../state/mayControl.ts';
import { AddMany } from './AddMany.tsx';
import { AddTarget } from './AddTarget.tsx';
import { TARGET_COLUMNS, targetPath } from './columns.tsx';
import { Discoveries } from './Discoveries.tsx';
import { EditTarget } from './EditTarget.tsx';
import { ImportList } from './ImportList.tsx';
import { NoTargets } from './NoTargets.tsx';
import { RowActionsContext } from './TargetMenu.tsx';
import type { RowActions } from './TargetMenu.tsx';
import { SelectionContext, stillShown, toggled } from './selection.ts';
import './targets.css';
import { useTargetActions } from './useTargetActions.tsx';
import { fixedReason, STATE_HELP, STATE_TONES, targetsText, TYPE_NAMES } from './words.ts';

function readQuery(params: URLSearchParams): TargetQuery {
  const sort = params.get('sort') ?? 'url';
  const state = params.get('state') ?? 'all';
  const type = params.get('type') ?? 'all';
  return {
    search: (params.get('q') ?? '').slice(0, 256),
    state: (SHOWN_STATES as readonly string[]).includes(state) ? (state as ShownState) : 'all',
    type: (TypeNames.options as readonly string[]).includes(type) ? (type as TargetTypeName) : 'all',
    sort: (TARGET_SORTS as readonly string[]).includes(sort) ? (sort as TargetSort) : 'url',
    descending: params.get('order') === 'desc',
  };
}

type Dialog =
  | { readonly kind: 'add' }
  | { readonly kind: 'many'; readonly text: string }
  | { readonly kind: 'import' }
  | { readonly kind: 'edit'; readonly target: Target };

const NOTHING: ReadonlySet<string> = new Set();

function dialogOf(params: URLSearchParams): Dialog | null {
  const asked = params.get('dialog');
  return asked === 'add' ? { kind: 'add' } : asked === 'many' ? { kind: 'many', text: '' } : null;
}

/** What the engine pulls from: what works, why the rest does not, and every change to it. */
export function TargetsView() {
  useTitle('Targets');
  const engine = useEngine();
  const [params, setParams] = useUrlQuery();
  const [, navigate] = useLocation();
  const { rows, loaded } = useTargetsSnapshot();
  const { refusal, known: mayKnown } = useMayControl();
  const actions = useTargetActions();
  const [cursor, setCursor] = useState(-1);
  const [ticked, setTicked] = useState(NOTHING);
  const [opened, setDialog] = useState<Dialog | null>(null);
  const search = useRef<HTMLInputElement>(null);
  const query = useMemo(() => readQuery(params), [params]);
  const counts = useMemo(() => countStates(rows.values()), [rows]);
  const shown = useDeferredValue(useMemo(() => selectTargets(rows.values(), query), [rows, query]));
  const ids = useMemo(() => stillShown(ticked, shown), [ticked, shown]);
  const selected = shown.filter(({ id }) => ids.has(id));
  const at = shown[cursor];
  const may = mayKnown && refusal === null;
  // A link, such as the palette's, may open a dialog; the viewer's page has none.
  const dialog = opened ?? (may ? dialogOf(params) : null);
  /** The ticked ones, else the one under the cursor. */
  const meant = selected.length > 0 ? selected : at ? [at] : [];

  const selection = useMemo(
    () => ({
      ids,
      shown: shown.length,
      toggle: (id: string) => setTicked(toggled(ids, id)),
      toggleAll: () => setTicked(ids.size === shown.length ? NOTHING : new Set(shown.map(({ id }) => id))),
    }),
    [ids, shown],
  );
  const rowActions = useMemo(
    (): RowActions => ({
      refusal: may ? null : (refusal ?? ''),
      edit: (target) => setDialog({ kind: 'edit', target }),
      setPaused: (target, paused) => void actions.setPaused([target], paused),
      remove: (target) => void actions.remove([target]),
    }),
    [actions, may, refusal],
  );
  const change = (act: () => void): void => {
    if (may) act();
    else if (refusal !== null) notifications.show({ message: refusal });
  };
  const setPaused = (paused: boolean): void => change(() => void actions.setPaused(meant, paused));
  const remove = (): void =>
    change(() => {
      setTicked(NOTHING);
      if (meant.length > 0) void actions.remove(meant);
    });
  const move = (step: number): void => setCursor((i) => Math.max(0, Math.min(shown.length - 1, i + step)));
  const open = (index: number): void => {
    const target = shown[index];
    if (target) navigate(targetPath(target));
  };
  const filter = (name: string, value: string | null): void => {
    setCursor(-1);
    setParams({ [name]: value });
  };
  useKeys({
    ...stepKeys(move),
    Enter: () => open(cursor),
    '/': () => search.current?.focus(),
    a: () => change(() => setDialog({ kind: 'add' })),
    x: () => (at ? setTicked(toggled(ids, at.id)) : undefined),
    e: () => change(() => (at && fixedReason(at) === null ? setDialog({ kind: 'edit', target: at }) : undefined)),
    p: () => (meant.length > 0 ? setPaused(!meant.every((target) => target.paused)) : undefined),
    Delete: remove,
    u: () => change(() => void actions.undo()),
  });
  const onlyBuiltin = loaded && [...rows.values()].every(({ origin }) => origin.kind === 'builtin');
  const close = (): void => {
    setDialog(null);
    setParams({ dialog: null });
  };

  return (
    <div className={onlyBuiltin ? 'v-fill v-targets v-few' : 'v-fill v-targets'}>
      <div className="v-toolbar">
        <h1>Targets</h1>
        <SearchField
          ref={search}
          label="Search targets"
          placeholder="Address, label, reason"
          value={query.search}
          onChange={(q) => filter('q', q)}
          onEnter={() => open(Math.max(0, cursor))}
        />
        <NativeSelect
          size="xs"
          aria-label="Type"
          value={query.type}
          onChange={(event) => filter('type', event.currentTarget.value === 'all' ? null : event.currentTarget.value)}
          data={[
            { value: 'all', label: 'All types' },
            ...TypeNames.options.map((type) => ({ value: type, label: TYPE_NAMES[type] })),
          ]}
        />
        <div className="v-spacer" />
        <Transfer onImport={() => setDialog({ kind: 'import' })} may={may} />
        <Button size="xs" variant="default" disabled={!may} onClick={() => setDialog({ kind: 'many', text: '' })}>
          Add many
        </Button>
        <Button
          size="xs"
          leftSection={<Icon name="plus" size={14} />}
          disabled={!may}
          onClick={() => setDialog({ kind: 'add' })}
        >
          Add target
        </Button>
      </div>
      <div className="v-toolbar v-second">
        {selected.length > 0 ? (
          <div className="v-bulk" role="group" aria-label="Selected targets">
            <b>{formatCount(selected.length)} selected</b>
            <Button size="compact-xs" variant="default" disabled={!may} onClick={() => setPaused(true)}>
              Pause
            </Button>
            <Button size="compact-xs" variant="default" disabled={!may} onClick={() => setPaused(false)}>
              Resume
            </Button>
            <Button size="compact-xs" variant="default" disabled={!may} onClick={remove}>
              Remove
            </Button>
            <Button size="compact-xs" variant="subtle" color="gray" onClick={() => setTicked(NOTHING)}>
              Clear
            </Button>
          </div>
        ) : (
          <StateFilter
            states={SHOWN_STATES}
            counts={counts}
            value={query.state}
            help={STATE_HELP}
            tones={STATE_TONES}
            onChange={(state) => filter('state', state)}
          />
        )}
        <div className="v-spacer" />
        <Discoveries />
        <span className="v-muted" role="status">
          {loaded ? countText(shown.length, rows.size) : ''}
        </span>
      </div>
      {refusal === null ? null : <p className="v-view-only">{refusal}</p>}
      {!loaded ? (
        <div className="v-skeletons" role="status" aria-label="Loading the targets">
          {Array.from({ length: 10 }, (_, i) => (
            <Skeleton key={i} height={32} />
          ))}
        </div>
      ) : (
        <SelectionContext.Provider value={selection}>
          <RowActionsContext.Provider value={rowActions}>
            <DataTable
              label="Targets"
              testId="targets-table"
              rows={shown}
              rowId={(target) => target.id}
              columns={TARGET_COLUMNS}
              rowHeight={42}
              sort={{ id: query.sort, descending: query.descending }}
              onSort={({ id, descending }) =>
                setParams({ sort: id === 'url' ? null : id, order: descending ? 'desc' : null })
              }
              cursor={cursor}
              onCursor={setCursor}
              onOpen={(target) => navigate(targetPath(target))}
              empty={
                <>
                  <p>No target matches.</p>
                  <Button size="xs" variant="default" onClick={() => setParams({ q: null, state: null, type: null })}>
                    Show all targets
                  </Button>
                </>
              }
            />
            {onlyBuiltin ? (
              <NoTargets
                refusal={refusal}
                onAdd={() => setDialog({ kind: 'add' })}
                onMany={() => setDialog({ kind: 'many', text: '' })}
              />
            ) : null}
          </RowActionsContext.Provider>
        </SelectionContext.Provider>
      )}
      {dialog?.kind === 'add' ? (
        <AddTarget close={close} many={(text) => setDialog({ kind: 'many', text })} />
      ) : dialog?.kind === 'many' ? (
        <AddMany text={dialog.text} close={close} />
      ) : dialog?.kind === 'import' ? (
        <ImportList close={close} />
      ) : dialog?.kind === 'edit' ? (
        <EditTarget
          key={dialog.target.id}
          target={engine.targets.snapshot().rows.get(dialog.target.id) ?? dialog.target}
          close={close}
        />
      ) : null}
    </div>
  );
}

function countText(shown: number, all: number): string {
  return targetsText(all, shown === all ? formatCount(all) : `${formatCount(shown)} of ${formatCount(all)}`);
}

interface TransferProps {
  readonly may: boolean;
  readonly onImport: () => void;
}

/** The list as a text, out and in. */
function Transfer({ may, onImport }: TransferProps) {
  const engine = useEngine();
  const save = async (format: ExportQuery['format']): Promise<void> => {
    try {
      const text = await engine.api.targets.exportList(format);
      const name = `${format === 'yaml' ? 'vigie-targets' : 'prometheus-scrape-config'}-${fileStamp(engineNow())}.yml`;
      await download(text, 'application/yaml', name);
    } catch (error) {
      sayFailure('The export did not work', error);
    }
  };
  return (
    <Menu position="bottom-end" withArrow withinPortal={false} withInitialFocusPlaceholder={false}>
      <Menu.Target>
        <Tooltip label="Import and export the list" withArrow>
          <ActionIcon size="md" variant="default" aria-label="Import and export the list">
            <Icon name="download" size={14} />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item disabled={!may} onClick={onImport}>
          Import a list…
        </Menu.Item>
        <Menu.Item onClick={() => void save('yaml')}>Export as YAML</Menu.Item>
        <Menu.Item onClick={() => void save('prometheus')}>Export as Prometheus scrape_configs</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

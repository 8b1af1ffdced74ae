import { ActionIcon, Button, Menu, Skeleton, TextInput, Tooltip } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useMemo, useRef, useState } from 'react';
import { useLocation } from 'wouter';
import { DataTable } from '../../../components/DataTable.tsx';
import { download, fileStamp } from '../../../components/download.ts';
import { Icon } from '../../../components/Icon.tsx';
import { Failure, useTitle } from '../../../components/Message.tsx';
import { sayFailure } from '../../../components/undo.tsx';
import { stepKeys, useKeys } from '../../../components/useKeys.ts';
import { formatCount } from '../../../format/units.ts';
import { engineNow } from '../../../state/connection.ts';
import { useEngine } from '../../../state/engine.ts';
import { useMayControl } from '../../../state/mayControl.ts';
import { useUrlQuery } from '../../../state/query.ts';
import { AlarmTabs, Refusal } from '../parts.tsx';
import { useRules } from '../useAlarmData.ts';
import { rulesText } from '../words.ts';
import { RULE_COLUMNS, RuleActionsContext, rulePath } from './columns.tsx';
import { ImportRules } from './ImportRules.tsx';
import { Packs, PacksDialog } from './Packs.tsx';
import { RULE_SORTS, selectRules } from './settings.ts';
import type { RuleSort } from './settings.ts';
import { useRuleActions } from './useRuleActions.ts';

/** What is watched: all rules, how they are, and every way to add to them. */
export function RulesView() {
  useTitle('Alarm rules');
  const [params, setParams] = useUrlQuery();
  const [, navigate] = useLocation();
  const { rules, error, retry } = useRules();
  const { refusal, known } = useMayControl();
  const may = known && refusal === null;
  const actions = useRuleActions();
  const [cursor, setCursor] = useState(-1);
  const search = useRef<HTMLInputElement>(null);
  const text = (params.get('q') ?? '').slice(0, 256);
  const asked = params.get('sort') ?? 'state';
  const sort = (RULE_SORTS as readonly string[]).includes(asked) ? (asked as RuleSort) : 'state';
  const descending = params.get('order') === 'desc';
  const shown = useMemo(() => selectRules(rules ?? [], text, sort, descending), [rules, text, sort, descending]);
  const row = useMemo(() => ({ ...actions, may }), [actions, may]);
  const dialog = may ? params.get('dialog') : null;
  const ask = (name: string | null): void => setParams({ dialog: name });
  const at = shown[cursor];
  const move = (step: number): void => setCursor((i) => Math.max(0, Math.min(shown.length - 1, i + step)));
  const change = (act: () => void): void => {
    if (may) act();
    else if (refusal !== null) notifications.show({ message: refusal });
  };
  const open = (): void => (at ? navigate(rulePath(at)) : undefined);
  useKeys({
    ...stepKeys(move),
    Enter: open,
    e: open,
    '/': () => search.current?.focus(),
    n: () => change(() => navigate('/ui/alarms/rules/new')),
    o: () => change(() => (at ? void actions.setEnabled(at, !at.enabled) : undefined)),
    Delete: () => change(() => (at ? void actions.remove(at) : undefined)),
  });
  if (error && !rules) return <Failure error={error} retry={retry} />;
  return (
    <div className="v-fill v-alarms">
      <div className="v-toolbar">
        <h1>Alarm rules</h1>
        <AlarmTabs />
        <div className="v-spacer" />
        <Transfer may={may} onImport={() => ask('import')} />
        <Button size="xs" variant="default" disabled={!may} onClick={() => ask('packs')}>
          Ready-made rules
        </Button>
        <Button
          size="xs"
          leftSection={<Icon name="plus" size={14} />}
          disabled={!may}
          onClick={() => navigate('/ui/alarms/rules/new')}
        >
          New rule
        </Button>
      </div>
      <Refusal text={refusal} />
      {rules === undefined ? (
        <div className="v-skeletons" role="status" aria-label="Loading the rules">
          {Array.from({ length: 8 }, (_, i) => (
            <Skeleton key={i} height={32} />
          ))}
        </div>
      ) : rules.length === 0 ? (
        <NoRules may={may} refusal={refusal} />
      ) : (
        <>
          <div className="v-toolbar v-second">
            <TextInput
              ref={search}
              type="search"
              size="xs"
              className="v-search"
              leftSection={<Icon name="search" size={14} />}
              placeholder="Name, metric, words of it"
              aria-label="Search rules"
              value={text}
              onChange={(event) => {
                setCursor(-1);
                setParams({ q: event.currentTarget.value });
              }}
            />
            <div className="v-spacer" />
            <span className="v-muted" role="status">
              {shown.length === rules.length
                ? rulesText(rules.length)
                : `${formatCount(shown.length)} of ${rulesText(rules.length)}`}
            </span>
          </div>
          <RuleActionsContext.Provider value={row}>
            <DataTable
              label="Alarm rules"
              testId="rules-table"
              rows={shown}
              rowId={(rule) => rule.id}
              columns={RULE_COLUMNS}
              rowHeight={42}
              sort={{ id: sort, descending }}
              onSort={(next) =>
                setParams({ sort: next.id === 'state' ? null : next.id, order: next.descending ? 'desc' : null })
              }
              cursor={cursor}
              onCursor={setCursor}
              onOpen={(rule) => navigate(rulePath(rule))}
              empty={
                <>
                  <p>No rule matches.</p>
                  <Button size="xs" variant="default" onClick={() => setParams({ q: null })}>
                    Show all rules
                  </Button>
                </>
              }
            />
          </RuleActionsContext.Provider>
        </>
      )}
      {dialog === 'import' ? <ImportRules close={() => ask(null)} /> : null}
      {dialog === 'packs' ? <PacksDialog may={may} close={() => ask(null)} /> : null}
    </div>
  );
}

/** No rule yet: what a rule is, and the ready-made ones at once. */
function NoRules({ may, refusal }: { readonly may: boolean; readonly refusal: string | null }) {
  return (
    <section className="v-card v-first" aria-labelledby="no-rules">
      <h2 id="no-rules">No rule yet</h2>
      <p>
        A rule says which numbers are watched, when they are wrong, for how long, and how bad that is. Open a plot to
        set one there, make one here, or switch on ready-made ones:
      </p>
      {refusal === null ? null : <p>{refusal}</p>}
      <Packs may={may} />
    </section>
  );
}

interface TransferProps {
  readonly may: boolean;
  readonly onImport: () => void;
}

function Transfer({ may, onImport }: TransferProps) {
  const engine = useEngine();
  const save = async (): Promise<void> => {
    try {
      const yaml = await engine.api.alarms.exportRules();
      await download(yaml, 'application/yaml', `vigie-alarm-rules-${fileStamp(engineNow())}.yml`);
    } catch (error) {
      sayFailure('The export did not work', error);
    }
  };
  return (
    <Menu position="bottom-end" withArrow withinPortal={false} withInitialFocusPlaceholder={false}>
      <Menu.Target>
        <Tooltip label="Import and export rules" withArrow>
          <ActionIcon size="md" variant="default" aria-label="Import and export rules">
            <Icon name="download" size={14} />
          </ActionIcon>
        </Tooltip>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item disabled={!may} onClick={onImport}>
          Import rules…
        </Menu.Item>
        <Menu.Item onClick={() => void save()}>Export as YAML</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

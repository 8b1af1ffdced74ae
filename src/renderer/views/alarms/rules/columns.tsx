import { Menu, Switch } from '@mantine/core';
import { createContext, useContext } from 'react';
import { Link, useLocation } from 'wouter';
import type { Rule } from '../../../../shared/api/alarms.ts';
import type { Column } from '../../../components/DataTable.tsx';
import { RowMenu } from '../../../components/RowMenu.tsx';
import { formatDate } from '../../../format/time.ts';
import { formatCount } from '../../../format/units.ts';
import { AlarmStateMark, SeverityMark } from '../parts.tsx';
import type { RuleActions } from './useRuleActions.ts';

export interface RuleRowActions extends RuleActions {
  readonly may: boolean;
}
export const RuleActionsContext = createContext<RuleRowActions | null>(null);

export const rulePath = (rule: Pick<Rule, 'id'>): string => `/ui/alarms/rules/${encodeURIComponent(rule.id)}`;

function Enabled({ rule }: { readonly rule: Rule }) {
  const actions = useContext(RuleActionsContext);
  return (
    // What is seen of a switch is its label, whose clicks go up to the row, which would open.
    <div role="presentation" onClick={(event) => event.stopPropagation()}>
      <Switch
        size="xs"
        withThumbIndicator={false}
        tabIndex={-1}
        aria-label={`${rule.name} is on`}
        checked={rule.enabled}
        disabled={!actions?.may}
        onChange={(event) => void actions?.setEnabled(rule, event.currentTarget.checked)}
      />
    </div>
  );
}

function Name({ rule }: { readonly rule: Rule }) {
  return (
    <div className="v-two-lines">
      <Link href={rulePath(rule)} className="v-link" tabIndex={-1} onClick={(event) => event.stopPropagation()}>
        <bdi>{rule.name}</bdi>
      </Link>
      {rule.problem === null ? (
        <span className="v-muted" title={rule.sentence}>
          <bdi>{rule.sentence}</bdi>
        </span>
      ) : (
        <span className="v-bad-text" title={rule.problem}>
          {rule.problem}
        </span>
      )}
    </div>
  );
}

/** Of a rule that is off, or that nothing matches, there is no state to tell. */
function State({ rule }: { readonly rule: Rule }) {
  if (!rule.enabled) return <span className="v-muted">off</span>;
  if (rule.series === 0 && rule.state === 'inactive') return <span className="v-muted">waiting</span>;
  return <AlarmStateMark state={rule.state} />;
}

function Series({ rule }: { readonly rule: Rule }) {
  const { counts, series, enabled } = rule;
  if (!enabled) return <span className="v-muted">off</span>;
  const parts = [
    counts.firing > 0 ? `${formatCount(counts.firing)} firing` : '',
    counts.pending > 0 ? `${formatCount(counts.pending)} pending` : '',
    counts.no_data > 0 ? `${formatCount(counts.no_data)} no data` : '',
  ].filter((part) => part !== '');
  return (
    <div className="v-two-lines">
      <span title={series === 0 ? 'Nothing matches yet; it begins when something does' : undefined}>
        {series === 0 ? 'none yet' : formatCount(series)}
      </span>
      {parts.length > 0 ? <span className="v-muted">{parts.join(', ')}</span> : null}
    </div>
  );
}

const ORIGINS = { hand: 'made here', pack: 'from a pack', compat: 'by /alarms/add' } as const;

function RuleMenu({ rule }: { readonly rule: Rule }) {
  const actions = useContext(RuleActionsContext);
  const [, navigate] = useLocation();
  if (!actions?.may) return null;
  return (
    <RowMenu of={rule.name} width={200}>
      <Menu.Item onClick={() => navigate(rulePath(rule))}>Edit…</Menu.Item>
      <Menu.Item onClick={() => navigate(`/ui/alarms/rules/new?copy=${encodeURIComponent(rule.id)}`)}>Copy…</Menu.Item>
      <Menu.Item onClick={() => navigate(`/ui/alarms/history?rule=${encodeURIComponent(rule.id)}`)}>History</Menu.Item>
      <Menu.Item onClick={() => void actions.remove(rule)}>Delete</Menu.Item>
    </RowMenu>
  );
}

export const RULE_COLUMNS: readonly Column<Rule>[] = [
  { id: 'on', title: 'On', width: '38px', sortable: false, cell: (rule) => <Enabled rule={rule} /> },
  {
    id: 'state',
    title: 'State',
    width: '82px',
    cell: (rule) => <State rule={rule} />,
  },
  { id: 'name', title: 'Rule', width: 'minmax(240px, 1fr)', cell: (rule) => <Name rule={rule} /> },
  { id: 'severity', title: 'Severity', width: '78px', cell: ({ severity }) => <SeverityMark severity={severity} /> },
  { id: 'series', title: 'Series', width: '120px', numeric: true, cell: (rule) => <Series rule={rule} /> },
  {
    id: 'origin',
    title: 'Origin',
    width: '96px',
    sortable: false,
    cell: ({ origin }) => <span className="v-muted">{ORIGINS[origin]}</span>,
  },
  { id: 'changed', title: 'Changed', width: '86px', numeric: true, cell: ({ changed }) => formatDate(changed) },
  {
    id: 'menu',
    title: 'Change',
    head: <span className="v-hidden">Change</span>,
    width: '24px',
    sortable: false,
    cell: (rule) => <RuleMenu rule={rule} />,
  },
];

/** Small parts that several of the alarms' views have. */

import { UnstyledButton } from '@mantine/core';
import type { ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import type { AlarmState, Severity } from '../../../shared/api/alarms.ts';
import { SEVERITY_NAMES, STATE_HELP, STATE_NAMES, STATE_TONES } from './words.ts';
import './alarms.css';

const TABS = [
  ['/ui/alarms', 'Alarms'],
  ['/ui/alarms/rules', 'Rules'],
  ['/ui/alarms/silences', 'Silences'],
  ['/ui/alarms/channels', 'Channels'],
  ['/ui/alarms/history', 'History'],
] as const;

/** From one of the alarms' views to another. */
export function AlarmTabs() {
  const [path] = useLocation();
  return (
    <nav className="v-subnav" aria-label="Alarms">
      {TABS.map(([to, name]) => (
        <Link key={to} href={to} aria-current={path === to ? 'page' : undefined}>
          {name}
        </Link>
      ))}
    </nav>
  );
}

/** Dot and word; the dot's form differs too. */
export function AlarmStateMark({ state }: { readonly state: AlarmState }) {
  return (
    <span className="v-state" title={STATE_HELP[state]}>
      <span className={`v-dot v-${STATE_TONES[state]}`} aria-hidden="true" /> {STATE_NAMES[state]}
    </span>
  );
}

/** A word in a box; the more urgent the fuller. */
export function SeverityMark({ severity }: { readonly severity: Severity }) {
  return <span className={`v-severity v-${severity}`}>{SEVERITY_NAMES[severity]}</span>;
}

interface ChipProps {
  readonly pressed: boolean;
  readonly onClick: () => void;
  readonly title?: string | undefined;
  readonly children: ReactNode;
}

/** A filter that is on or off. */
export function Chip({ pressed, onClick, title, children }: ChipProps) {
  return (
    <UnstyledButton className="v-chip" aria-pressed={pressed} title={title} onClick={onClick}>
      {children}
    </UnstyledButton>
  );
}

export function Refusal({ text }: { readonly text: string | null }) {
  return text === null ? null : <p className="v-view-only">{text}</p>;
}

/** A red line that is read out; nothing when there is nothing wrong. */
export function Wrong({ error }: { readonly error: Error | null }) {
  return error === null ? null : (
    <p role="alert" className="v-bad-text">
      {error.message}
    </p>
  );
}

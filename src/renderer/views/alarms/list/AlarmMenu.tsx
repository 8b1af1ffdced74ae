import { ActionIcon, Menu } from '@mantine/core';
import { useLocation } from 'wouter';
import type { Alarm } from '../../../../shared/api/alarms.ts';
import { Icon } from '../../../components/Icon.tsx';
import { alarmPlot } from '../../../data/alarms.ts';
import { engineNow } from '../../../state/connection.ts';
import { SILENCE_SPANS } from '../silences/spans.ts';
import type { ListActions } from './selection.ts';

/** A row cuts off what reaches over it, and what stands outside the page's parts is not found by its landmarks. */
const IN_MAIN = { target: '#main' };

/** What can be done with one alarm. */
export function AlarmMenu({ alarm, list }: { readonly alarm: Alarm; readonly list: ListActions }) {
  const [, navigate] = useLocation();
  const plot = alarmPlot(alarm, engineNow());
  return (
    <Menu position="bottom-end" withArrow withInitialFocusPlaceholder={false} width={220} portalProps={IN_MAIN}>
      <Menu.Target>
        <ActionIcon
          size="sm"
          variant="subtle"
          color="gray"
          tabIndex={-1}
          aria-label={`Change ${alarm.name} of ${alarm.place}`}
        >
          <Icon name="more" />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {alarm.from !== null ? null : alarm.acknowledged === null ? (
          <Menu.Item disabled={alarm.state === 'resolved'} onClick={() => list.acknowledge([alarm])}>
            Acknowledge
          </Menu.Item>
        ) : (
          <Menu.Item onClick={() => list.takeBack([alarm])}>Acknowledge no more</Menu.Item>
        )}
        {SILENCE_SPANS.map(([label, ms]) => (
          <Menu.Item key={label} onClick={() => list.silence([alarm], ms)}>
            Silence for {label}
          </Menu.Item>
        ))}
        <Menu.Item onClick={() => list.askSilence([alarm])}>Silence…</Menu.Item>
        <Menu.Divider />
        <Menu.Item disabled={plot === null} onClick={() => (plot === null ? undefined : navigate(plot))}>
          Show the plot
        </Menu.Item>
        {alarm.from === null ? (
          <Menu.Item onClick={() => navigate(`/ui/alarms/rules/${encodeURIComponent(alarm.rule)}`)}>
            Edit the rule
          </Menu.Item>
        ) : null}
      </Menu.Dropdown>
    </Menu>
  );
}

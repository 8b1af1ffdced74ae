import { Menu } from '@mantine/core';
import { useLocation } from 'wouter';
import type { Alarm } from '../../../../shared/api/alarms.ts';
import { RowMenu } from '../../../components/RowMenu.tsx';
import { alarmPlot } from '../../../data/alarms.ts';
import { engineNow } from '../../../state/connection.ts';
import { SILENCE_SPANS } from '../silences/spans.ts';
import type { ListActions } from './selection.ts';

/** What can be done with one alarm. */
export function AlarmMenu({ alarm, list }: { readonly alarm: Alarm; readonly list: ListActions }) {
  const [, navigate] = useLocation();
  const plot = alarmPlot(alarm, engineNow());
  return (
    <RowMenu of={`${alarm.name} of ${alarm.place}`} width={220}>
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
    </RowMenu>
  );
}

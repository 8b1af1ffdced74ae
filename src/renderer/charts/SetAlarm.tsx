import { ActionIcon, Menu } from '@mantine/core';
import { memo } from 'react';
import { useLocation } from 'wouter';
import type { Series } from '../../shared/model/described-series.ts';
import { Icon } from '../components/Icon.tsx';
import { editorPath } from '../data/alarms.ts';
import { lineLabel } from './panels.ts';
import type { PanelSpec } from './panels.ts';

interface SetAlarmProps {
  readonly panel: PanelSpec;
  readonly lines: readonly Series[];
  readonly perSecond: boolean;
}

/** From a plot to a rule about one of its lines. */
export const SetAlarm = memo(function SetAlarm({ panel, lines, perSecond }: SetAlarmProps) {
  const [, navigate] = useLocation();
  const [first] = lines;
  if (!first) return null;
  const open = (series: Series): void => navigate(editorPath(panel.scope, series.key, perSecond));
  const label = `Set alarm on ${panel.title}`;
  const button = (onClick?: () => void) => (
    <ActionIcon
      size="xs"
      variant="subtle"
      color="gray"
      className="v-set-alarm"
      aria-label={label}
      title={label}
      onClick={onClick}
    >
      <Icon name="bell" size={13} />
    </ActionIcon>
  );
  if (lines.length === 1) return button(() => open(first));
  return (
    <Menu position="bottom-end" withArrow portalProps={{ target: '#main' }} withInitialFocusPlaceholder={false}>
      <Menu.Target>{button()}</Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>Set alarm on</Menu.Label>
        {lines.map((series) => (
          <Menu.Item key={series.key} onClick={() => open(series)}>
            <bdi>{lineLabel(series, panel)}</bdi>
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
});

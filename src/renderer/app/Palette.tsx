import { useMantineColorScheme } from '@mantine/core';
import { Spotlight } from '@mantine/spotlight';
import type { SpotlightActionGroupData } from '@mantine/spotlight';
import { useMemo, useState } from 'react';
import { useLocation } from 'wouter';
import type { Run } from '../../shared/api/runs.ts';
import { formatWhen } from '../format/time.ts';
import { engineNow } from '../state/connection.ts';
import { useEngine } from '../state/engine.ts';
import { openSwitcher } from './Switcher.tsx';

const MOST_JOBS = 500;

/** Ctrl+K: go to a view or a job, or change the theme. */
export function Palette({ onShortcuts }: { readonly onShortcuts: () => void }) {
  const [, navigate] = useLocation();
  const engine = useEngine();
  // Looked at when the palette opens: a list that follows every change would cost each second.
  const [runs, setRuns] = useState<readonly Run[]>([]);
  const { setColorScheme } = useMantineColorScheme();
  const actions = useMemo((): SpotlightActionGroupData[] => {
    return [
      {
        group: 'Views',
        actions: [
          { id: 'jobs', label: 'Jobs', description: 'Running and finished jobs', onClick: () => navigate('/ui/jobs') },
          {
            id: 'profiles',
            label: 'Profiles',
            description: 'Finished runs by command: how long they took, and which became slower',
            onClick: () => navigate('/ui/profiles'),
          },
          {
            id: 'profiles-runs',
            label: 'All profiles',
            description: 'Finished runs one by one; select some to compare, tag, export or delete',
            onClick: () => navigate('/ui/profiles?view=runs'),
          },
          {
            id: 'profiles-failed',
            label: 'Failed runs of the last week',
            description: 'Profiles with state:failed from:7d',
            onClick: () => navigate('/ui/profiles?view=runs&q=state%3Afailed+from%3A7d'),
          },
          {
            id: 'profiles-trash',
            label: 'Trash of profiles',
            description: 'What was deleted in the last 7 days; restore',
            onClick: () => navigate('/ui/profiles?view=trash'),
          },
          {
            id: 'import-profiles',
            label: 'Import profiles',
            description: 'Of another engine, or of the ADMIRE metric proxy',
            onClick: () => navigate('/ui/profiles?dialog=import'),
          },
          {
            id: 'grouping-rules',
            label: 'How commands are grouped',
            description: 'Which runs stand together; see, try and change the rules',
            onClick: () => navigate('/ui/profiles?dialog=rules'),
          },
          { id: 'node', label: 'Node', description: 'CPU, memory, network, load', onClick: () => navigate('/ui/node') },
          {
            id: 'nodes',
            label: 'Nodes',
            description: 'All nodes, by load, memory or name',
            onClick: () => navigate('/ui/nodes'),
          },
          {
            id: 'targets',
            label: 'Targets',
            description: 'What the engine pulls from; add, pause, remove',
            onClick: () => navigate('/ui/targets'),
          },
          {
            id: 'add-target',
            label: 'Add a target',
            description: 'A node exporter, a metric proxy, another engine',
            onClick: () => navigate('/ui/targets?dialog=add'),
          },
          {
            id: 'add-targets',
            label: 'Add many targets',
            description: 'By node set, such as node[001-128]:9100',
            onClick: () => navigate('/ui/targets?dialog=many'),
          },
          {
            id: 'down-targets',
            label: 'Targets that are down',
            description: 'What does not answer, and why',
            onClick: () => navigate('/ui/targets?state=down'),
          },
          {
            id: 'alarms',
            label: 'Alarms',
            description: 'What fires; acknowledge, silence',
            onClick: () => navigate('/ui/alarms'),
          },
          {
            id: 'alarm-rules',
            label: 'Alarm rules',
            description: 'What is watched; switch on and off, import, export',
            onClick: () => navigate('/ui/alarms/rules'),
          },
          {
            id: 'new-alarm-rule',
            label: 'New alarm rule',
            description: 'Watch a number of a job, a node or a target',
            onClick: () => navigate('/ui/alarms/rules/new'),
          },
          {
            id: 'alarm-packs',
            label: 'Ready-made alarm rules',
            description: 'Full disk, memory, dead target, idle job and others',
            onClick: () => navigate('/ui/alarms/rules?dialog=packs'),
          },
          {
            id: 'silences',
            label: 'Silences',
            description: 'What is kept quiet, and until when',
            onClick: () => navigate('/ui/alarms/silences'),
          },
          {
            id: 'new-silence',
            label: 'New silence',
            description: 'Keep alarms quiet for a while, or each night',
            onClick: () => navigate('/ui/alarms/silences?dialog=new'),
          },
          {
            id: 'channels',
            label: 'Alarm channels',
            description: 'Who is told, by e-mail, webhook, Slack or desktop',
            onClick: () => navigate('/ui/alarms/channels'),
          },
          {
            id: 'alarm-history',
            label: 'Alarm history',
            description: 'What fired before, and who was told',
            onClick: () => navigate('/ui/alarms/history'),
          },
          {
            id: 'connections',
            label: 'Connections',
            description: 'Hosts that are reached by SSH; connect, forward',
            onClick: () => navigate('/ui/connections'),
          },
          {
            id: 'add-connection',
            label: 'Add a connection',
            description: 'A host of your ssh configuration',
            onClick: () => navigate('/ui/connections?dialog=add'),
          },
          {
            id: 'clusters',
            label: 'All clusters',
            description: 'How each of them is, on one page',
            onClick: () => navigate('/ui/clusters'),
          },
          {
            id: 'switch',
            label: 'Switch to another cluster',
            description: 'All views of another engine · Ctrl Shift K',
            onClick: openSwitcher,
          },
          {
            id: 'diagnostics',
            label: 'Diagnostics',
            description: 'What is wrong, the engine’s own figures, support bundle',
            onClick: () => navigate('/ui/diagnostics'),
          },
          {
            id: 'settings',
            label: 'Settings',
            description: 'Engine, limits, tokens, retention, theme, audit log',
            onClick: () => navigate('/ui/settings'),
          },
        ],
      },
      {
        group: 'Interface',
        actions: [
          { id: 'light', label: 'Light theme', onClick: () => setColorScheme('light') },
          { id: 'dark', label: 'Dark theme', onClick: () => setColorScheme('dark') },
          { id: 'system', label: 'System theme', onClick: () => setColorScheme('auto') },
          { id: 'keys', label: 'Keyboard shortcuts', onClick: onShortcuts },
        ],
      },
      {
        group: 'Jobs',
        actions: runs.map((run) => ({
          id: `run-${run.id}`,
          label: run.jobid,
          description: describe(run),
          onClick: () => navigate(`/ui/jobs/${encodeURIComponent(run.id)}`),
        })),
      },
    ];
  }, [runs, navigate, setColorScheme, onShortcuts]);
  const look = (): void => {
    const all = [...engine.runs.snapshot().rows.values()].map((row) => row.run);
    setRuns(all.sort((a, b) => b.start_time - a.start_time).slice(0, MOST_JOBS));
  };
  return (
    <Spotlight
      onSpotlightOpen={look}
      actions={actions}
      shortcut="mod + K"
      // Also while a text field has the focus.
      tagsToIgnore={[]}
      triggerOnContentEditable
      limit={40}
      scrollable
      maxHeight={420}
      nothingFound="Nothing is called like that"
      attributes={{ content: { 'aria-label': 'Command palette' } }}
      searchProps={{
        placeholder: 'Go to a view, a job, or change the theme',
        'aria-label': 'Search the command palette',
      }}
    />
  );
}

/** State, local start and command: job ids come back, so the id alone does not tell one run from another. */
function describe(run: Run): string {
  const start = run.start_time > 0 ? `started ${formatWhen(run.start_time, engineNow())}` : '';
  return [run.state, start, run.command.slice(0, 120) || 'no command'].filter((part) => part !== '').join(' · ');
}

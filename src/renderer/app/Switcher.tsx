import { Tooltip, UnstyledButton } from '@mantine/core';
import { createSpotlight, Spotlight } from '@mantine/spotlight';
import type { SpotlightActionData } from '@mantine/spotlight';
import { useMemo } from 'react';
import type { KeyboardEvent } from 'react';
import { useLocation } from 'wouter';
import { Icon } from '../components/Icon.tsx';
import { lineOf, stateWords, toneOf } from '../data/clusterWords.ts';
import type { Tone } from '../data/clusterWords.ts';
import { useConnection } from '../state/connection.ts';
import { useEngines, useEnginesModel, useShown } from '../state/engines.ts';
import { engineHref, sameView } from '../state/place.ts';

const [store, actions] = createSpotlight();

export const openSwitcher = (): void => actions.open();

const PHASES = { connecting: 'warn', open: 'good', waiting: 'bad', refused: 'bad' } as const;

/** Whose views these are, in the header. */
export function ClusterButton() {
  const { name, listed, id } = useShown();
  const phase = useConnection((s) => s.state.phase);
  const away = useConnection((s) => s.away);
  const tone: Tone = away || !listed ? PHASES[phase] : toneOf(listed);
  const words = away ? 'not reached' : listed ? stateWords(listed) : 'this engine';
  return (
    <Tooltip label={`${words} · switch (Ctrl+Shift+K)`} withArrow>
      <UnstyledButton
        className="v-cluster"
        data-other={id !== null || undefined}
        aria-haspopup="dialog"
        aria-label={`Cluster ${name}, ${words}. Switch to another one`}
        onClick={openSwitcher}
      >
        <span className={`v-dot v-${tone}`} aria-hidden="true" />
        <span className="v-cluster-name">{name || 'connecting'}</span>
        <Icon name="down" size={12} />
      </UnstyledButton>
    </Tooltip>
  );
}

/** Enter takes the first one also where the list has changed after the last letter, so that none is selected. */
function takeFirst(event: KeyboardEvent<HTMLInputElement>): void {
  if (event.key !== 'Enter' || event.nativeEvent.isComposing || event.currentTarget.value === '') return;
  const dialog = event.currentTarget.closest('[role="dialog"]');
  if (dialog?.querySelector('[data-selected]')) return;
  dialog?.querySelector<HTMLElement>('[data-action]')?.click();
}

/** Ctrl+Shift+K: all views of another engine. */
export function Switcher() {
  const [path, navigate] = useLocation();
  const model = useEnginesModel();
  const { engines } = useEngines();
  const { id: shown } = useShown();
  const items = useMemo((): SpotlightActionData[] => {
    const clusters = engines.map((engine): SpotlightActionData => {
      const id = engine.connection === null ? null : engine.id;
      const here = id === shown;
      return {
        id: `cluster-${engine.id}`,
        group: 'Clusters',
        label: engine.name,
        description: here ? `looked at now · ${lineOf(engine)}` : lineOf(engine),
        keywords: [engine.host ?? '', engine.group],
        leftSection: <span className={`v-dot v-${toneOf(engine)}`} aria-hidden="true" />,
        onClick: () => (here ? undefined : navigate(engineHref(id, sameView(path)))),
      };
    });
    return [
      ...clusters,
      {
        id: 'all-clusters',
        group: 'More',
        label: 'All clusters',
        description: 'How each of them is, on one page',
        onClick: () => navigate('/ui/clusters'),
      },
      {
        id: 'connections',
        group: 'More',
        label: 'Connect to another cluster',
        description: 'Hosts of your ssh configuration, and what they ask',
        onClick: () => navigate('/ui/connections'),
      },
    ];
  }, [engines, shown, path, navigate]);
  return (
    <Spotlight
      store={store}
      actions={items}
      shortcut="mod + shift + K"
      // Also while a text field has the focus.
      tagsToIgnore={[]}
      triggerOnContentEditable
      onSpotlightOpen={() => void model.refresh()}
      scrollable
      maxHeight={420}
      limit={50}
      nothingFound="No cluster is called like that"
      attributes={{ content: { 'aria-label': 'Switch cluster' } }}
      searchProps={{
        placeholder: 'Switch to a cluster',
        'aria-label': 'Search the clusters',
        onKeyDown: takeFirst,
      }}
    />
  );
}

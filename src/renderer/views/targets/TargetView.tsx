import { Skeleton } from '@mantine/core';
import { useMemo } from 'react';
import type { Target } from '../../../shared/api/targets.ts';
import { NotFound, useTitle } from '../../components/Message.tsx';
import { shownState } from '../../data/targets.ts';
import { formatCount } from '../../format/units.ts';
import { useTarget } from '../../state/engine.ts';
import { BoardView } from '../board/BoardView.tsx';
import type { ExtraTab } from '../board/BoardView.tsx';
import type { BoardScope } from '../board/useBoard.ts';
import { useMayControl } from '../../state/mayControl.ts';
import { SettingsForm } from './EditTarget.tsx';
import { Failures } from './Failures.tsx';
import { TargetHeader } from './TargetHeader.tsx';
import './targets.css';
import { shortUrl, targetName } from './words.ts';

/** Scopes of another proxy or engine whose charts stand beside each other. */
const MOST_SCOPES = 8;

/** One target: how it is, its last failures, its settings, its numbers now and before. */
export function TargetView({ id }: { readonly id: string }) {
  const { target, loaded } = useTarget(id);
  useTitle(target ? targetName(target) : 'Target');
  if (target) return <Loaded target={target} />;
  if (loaded) {
    return (
      <NotFound
        title="There is no such target"
        detail="It is not on the engine’s list. What was removed within the last minute can be brought back: press u on the page of targets."
        to={{ path: '/ui/targets', name: 'Go to the targets' }}
      />
    );
  }
  return (
    <div className="v-skeletons" role="status" aria-label="Loading the target">
      <Skeleton height={28} width={320} />
      <Skeleton height={300} />
    </div>
  );
}

function Loaded({ target }: { readonly target: Target }) {
  const { refusal, known } = useMayControl();
  const scopes = useScopes(target);
  const failures = target.errors.length;
  const why = known ? refusal : 'Asking what this page may do…';
  const extras = useMemo(
    (): ExtraTab[] => [
      {
        id: 'settings',
        label: 'Settings',
        whole: true,
        body: (
          <div className="v-target-tab">
            <SettingsForm key={target.id} target={target} refusal={why} onSaved={() => undefined} />
          </div>
        ),
      },
      {
        id: 'failures',
        label: failures === 0 ? 'Failures' : `Failures (${formatCount(failures)})`,
        whole: true,
        body: <Failures target={target} />,
      },
    ],
    [target, why, failures],
  );
  return (
    <BoardView
      title={targetName(target)}
      header={<TargetHeader target={target} refusal={why} />}
      scopes={scopes}
      start={0}
      bounds={null}
      extras={extras}
      empty={<NoNumbers target={target} />}
    />
  );
}

function NoNumbers({ target }: { readonly target: Target }) {
  const state = shownState(target);
  const why =
    state === 'paused'
      ? 'It is paused: resume it to have its numbers.'
      : state === 'new'
        ? 'It has not been asked yet.'
        : (target.reason ?? 'Its first numbers are on their way.');
  return <p className="v-muted v-none">No numbers yet. {why}</p>;
}

/** Of a host or job, as it is written in its scope: encoded, and of a job perhaps with when it began. */
const partName = (text: string): string => {
  const name = text.replace(/@\d+(?:~\d+)?$/, '');
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
};

/** Its own scope, then nodes and runs of another proxy or engine. The same objects while nothing comes or goes. */
function useScopes({ id, url, scopes }: Target): BoardScope[] {
  const key = scopes.slice(0, MOST_SCOPES).join('\n');
  return useMemo(
    () =>
      (key === '' ? [] : key.split('\n')).map((scope) => {
        const below = scope.slice(`target/${id}`.length + 1);
        const [kind = '', ...name] = below.split('/');
        const label = below === '' ? shortUrl(url) : partName(name.join('/'));
        return { scope, label, live: true, series: [], ...(kind === 'run' ? { kind: 'Job' } : {}) };
      }),
    [id, url, key],
  );
}

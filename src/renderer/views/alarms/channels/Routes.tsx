import { ActionIcon, Button } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Channel, RouteInput } from '../../../../shared/api/channels.ts';
import { Icon } from '../../../components/Icon.tsx';
import { sayFailure, sayWithUndo } from '../../../components/undo.tsx';
import type { ShownRoute } from '../../../data/alarmsApi.ts';
import { useEngine } from '../../../state/engine.ts';
import { Wrong } from '../parts.tsx';
import { useForget } from '../useAlarmData.ts';
import { RouteForm } from './RouteForm.tsx';
import { howText, toInput as inputOf, whichText } from './routes.ts';

interface RoutesProps {
  readonly channels: readonly Channel[];
  readonly may: boolean;
}

/** Whom to tell of what, in the order in which it is looked at; every change is saved at once and can be taken back. */
export function Routes({ channels, may }: RoutesProps) {
  const engine = useEngine();
  const queries = useQueryClient();
  const forget = useForget();
  const [edited, setEdited] = useState<ShownRoute | 'new' | null>(null);
  const key = [engine.base, 'alarms', 'routes'];
  const { data, error } = useQuery({ queryKey: key, queryFn: ({ signal }) => engine.api.channels.routes(signal) });
  const routes = data?.routes ?? [];
  const toInput = (route: ShownRoute): RouteInput => inputOf(route, channels);
  const store = async (next: readonly RouteInput[]): Promise<boolean> => {
    try {
      queries.setQueryData(key, await engine.api.channels.setRoutes(next));
      return true;
    } catch (failure) {
      sayFailure('The routes were not changed', failure);
      return false;
    } finally {
      void forget();
    }
  };
  const set = async (next: readonly RouteInput[], said: string): Promise<void> => {
    const before = routes.map(toInput);
    if (await store(next)) sayWithUndo(said, async () => void (await store(before)));
  };
  const swap = (index: number, step: number): void => {
    const next = routes.map(toInput);
    const [moved] = next.splice(index, 1);
    if (moved) next.splice(index + step, 0, moved);
    void set(next, step < 0 ? 'The route is looked at earlier' : 'The route is looked at later');
  };
  const save = (route: RouteInput): void => {
    const next =
      edited === 'new' ? [...routes.map(toInput), route] : routes.map((one) => (one === edited ? route : toInput(one)));
    setEdited(null);
    void set(next, edited === 'new' ? 'The route is added' : 'The route is changed');
  };
  const names = new Map(channels.map(({ id, name }) => [id, name]));
  const told = (ids: readonly string[]): string =>
    ids.length === 0 ? 'nobody' : ids.map((id) => names.get(id) ?? 'a channel that was removed').join(', ');
  /** Somebody meant to be told, and nobody is. */
  const lost = ({ channels: ids }: ShownRoute): boolean => ids.length > 0 && !ids.some((id) => names.has(id));
  const last = routes.length - 1;
  return (
    <section className="v-card" aria-labelledby="routes">
      <div className="v-card-head">
        <h2 id="routes">Routes</h2>
        <span className="v-muted">the first that matches tells; the next ones only if it says so</span>
        <span className="v-spacer" />
        <Button
          size="compact-xs"
          variant="default"
          disabled={!may || channels.length === 0}
          leftSection={<Icon name="plus" size={12} />}
          onClick={() => setEdited('new')}
        >
          New route
        </Button>
      </div>
      <Wrong error={error} />
      {data && routes.length === 0 ? (
        <p>
          {channels.length === 0
            ? 'Add a channel first.'
            : 'There is no route: every channel is told of every alarm. With the first one, only those that it names.'}
        </p>
      ) : null}
      <ol className="v-routes" aria-label="Routes in order">
        {routes.map((route, index) => (
          <li key={route.id || index}>
            <div className="v-route-text">
              <p>
                {whichText(route)} → <b>{told(route.channels)}</b>
              </p>
              <p className="v-muted">
                {howText(route)}
                {route.more && index < last ? '; then those below as well' : ''}
              </p>
              {route.channels.length === 0 ? (
                <p className="v-warn-text">Nobody is told by this route.</p>
              ) : lost(route) ? (
                <p className="v-bad-text">Nobody is told by this route: choose another channel.</p>
              ) : null}
            </div>
            {may ? (
              <div className="v-row-actions">
                <ActionIcon
                  size="sm"
                  variant="subtle"
                  color="gray"
                  disabled={index === 0}
                  aria-label={`Route ${index + 1} earlier`}
                  onClick={() => swap(index, -1)}
                >
                  <Icon name="up" />
                </ActionIcon>
                <ActionIcon
                  size="sm"
                  variant="subtle"
                  color="gray"
                  disabled={index === last}
                  aria-label={`Route ${index + 1} later`}
                  onClick={() => swap(index, 1)}
                >
                  <Icon name="down" />
                </ActionIcon>
                <Button
                  size="compact-xs"
                  variant="default"
                  aria-label={`Edit route ${index + 1}`}
                  onClick={() => setEdited(route)}
                >
                  Edit…
                </Button>
                <Button
                  size="compact-xs"
                  variant="default"
                  aria-label={`Remove route ${index + 1}`}
                  onClick={() => void set(routes.filter((one) => one !== route).map(toInput), 'The route is removed')}
                >
                  Remove
                </Button>
              </div>
            ) : null}
          </li>
        ))}
      </ol>
      {edited ? (
        <RouteForm
          route={edited === 'new' ? null : edited}
          channels={channels}
          close={() => setEdited(null)}
          onSave={save}
        />
      ) : null}
    </section>
  );
}

import { NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { z } from 'zod';
import type { Channel, Delivery, DeliveryState } from '../../../../shared/api/channels.ts';
import { formatWhen } from '../../../format/time.ts';
import { formatCount } from '../../../format/units.ts';
import { useSecond } from '../../../state/clock.ts';
import { useEngine } from '../../../state/engine.ts';
import { Wrong } from '../parts.tsx';
import { useFresh } from '../useAlarmData.ts';
import { alarmsText } from '../words.ts';

const MOST = 100;

type State = z.infer<typeof DeliveryState>;
const TONES: Readonly<Record<State, string>> = {
  sent: 'good',
  waiting: 'calm',
  retrying: 'warn',
  failed: 'bad',
  dropped: 'stop',
};

const KINDS: Readonly<Record<Delivery['kind'], string>> = {
  firing: 'began',
  resolved: 'resolved',
  repeat: 'again',
  test: 'test',
};

/** Messages and what became of them, newest first. */
export function Deliveries({ channels }: { readonly channels: readonly Channel[] }) {
  const engine = useEngine();
  const [channel, setChannel] = useState('');
  useFresh('deliveries');
  const { data, error } = useQuery({
    queryKey: [engine.base, 'alarms', 'deliveries', channel],
    queryFn: ({ signal }) => engine.api.channels.deliveries(channel === '' ? null : channel, MOST, signal),
    refetchInterval: 5000,
  });
  const names = new Map(channels.map(({ id, name }) => [id, name]));
  const list = data?.deliveries ?? [];
  return (
    <section className="v-card" aria-labelledby="deliveries">
      <div className="v-card-head">
        <h2 id="deliveries">Messages</h2>
        <span className="v-muted">the last {MOST}</span>
        <span className="v-spacer" />
        <NativeSelect
          size="xs"
          aria-label="Messages of"
          value={channel}
          onChange={(event) => setChannel(event.currentTarget.value)}
          data={[{ value: '', label: 'All channels' }, ...channels.map(({ id, name }) => ({ value: id, label: name }))]}
        />
      </div>
      <Wrong error={error} />
      {data && list.length === 0 ? <p className="v-muted">No message was sent yet.</p> : null}
      {list.length === 0 ? null : (
        <div className="v-plain-scroll">
          <table className="v-plain" aria-label="Messages">
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">Outcome</th>
                <th scope="col">Channel</th>
                <th scope="col">Of what</th>
                <th scope="col" className="v-num">
                  Tries
                </th>
                <th scope="col">Answer</th>
              </tr>
            </thead>
            <tbody>
              {list.map((one) => (
                <tr key={one.id}>
                  <td className="v-fit">
                    <When delivery={one} />
                  </td>
                  <td className="v-fit">
                    <DeliveryMark state={one.state} />
                  </td>
                  <td>
                    <bdi>{names.get(one.channel) ?? 'a channel that was removed'}</bdi>
                  </td>
                  <td>
                    <bdi>{one.title}</bdi>{' '}
                    <span className="v-muted">
                      {KINDS[one.kind]}
                      {one.kind === 'test' ? '' : `, ${alarmsText(one.alarms)}`}
                    </span>
                  </td>
                  <td className="v-num">{formatCount(one.attempts)}</td>
                  <td className="v-wide">
                    <bdi>{one.answer}</bdi>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

export function DeliveryMark({ state }: { readonly state: State }) {
  return (
    <span className="v-state">
      <span className={`v-dot v-${TONES[state]}`} aria-hidden="true" /> {state}
    </span>
  );
}

function When({ delivery }: { readonly delivery: Delivery }) {
  const now = useSecond();
  const next = delivery.next === null || delivery.next <= now ? '' : `next try ${formatWhen(delivery.next, now)}`;
  return <span title={next}>{formatWhen(delivery.tried ?? delivery.created, now)}</span>;
}

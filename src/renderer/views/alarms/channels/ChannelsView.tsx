import { Button, Skeleton, Switch } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { z } from 'zod';
import type { Channel, ChannelList } from '../../../../shared/api/channels.ts';
import { Icon } from '../../../components/Icon.tsx';
import { Failure, useTitle } from '../../../components/Message.tsx';
import { sayFailure } from '../../../components/undo.tsx';
import { useKeys } from '../../../components/useKeys.ts';
import { formatWhen } from '../../../format/time.ts';
import { useSecond } from '../../../state/clock.ts';
import { useEngine } from '../../../state/engine.ts';
import { useMayControl } from '../../../state/mayControl.ts';
import { useUrlQuery } from '../../../state/query.ts';
import { AlarmTabs, Refusal } from '../parts.tsx';
import { useForget, useFresh } from '../useAlarmData.ts';
import { CHANNEL_NAMES, channelPlace } from '../words.ts';
import { AllowNotifications } from './AllowNotifications.tsx';
import { ChannelForm } from './ChannelForm.tsx';
import { Deliveries, DeliveryMark } from './Deliveries.tsx';
import { RemoveChannel } from './RemoveChannel.tsx';
import { Routes } from './Routes.tsx';
import { TestAnswer, useTest } from './TestAnswer.tsx';

/** How people are told of alarms, which of them are told what, and what became of each message. */
export function ChannelsView() {
  useTitle('Alarm channels');
  const engine = useEngine();
  const [params, setParams] = useUrlQuery();
  const { refusal, known } = useMayControl();
  const may = known && refusal === null;
  const [edited, setEdited] = useState<Channel | null>(null);
  const [removing, setRemoving] = useState<Channel | null>(null);
  useFresh('deliveries');
  const { data, error, refetch } = useQuery({
    queryKey: [engine.base, 'alarms', 'channels'],
    queryFn: ({ signal }) => engine.api.channels.list(signal),
    refetchInterval: 5000,
  });
  const ask = (): void => (may ? setParams({ dialog: 'new' }) : undefined);
  useKeys({ n: ask });
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  const channels = data?.channels ?? [];
  return (
    <div className="v-fill v-alarms">
      <div className="v-toolbar">
        <h1>Alarm channels</h1>
        <AlarmTabs />
        <div className="v-spacer" />
        <Button size="xs" leftSection={<Icon name="plus" size={14} />} disabled={!may} onClick={ask}>
          New channel
        </Button>
      </div>
      <Refusal text={refusal} />
      {data === undefined ? (
        <div className="v-skeletons" role="status" aria-label="Loading the channels">
          <Skeleton height={90} />
          <Skeleton height={90} />
        </div>
      ) : channels.length === 0 ? (
        <NoChannels may={may} refusal={refusal} onNew={ask} />
      ) : (
        <div className="v-cards">
          <section aria-label="Channels" className="v-channels">
            {channels.map((channel) => (
              <ChannelCard
                key={channel.id}
                channel={channel}
                may={may}
                onEdit={() => setEdited(channel)}
                onRemove={() => setRemoving(channel)}
              />
            ))}
          </section>
          <Routes channels={channels} may={may} />
          <Deliveries channels={channels} />
        </div>
      )}
      {may && params.get('dialog') === 'new' ? (
        <ChannelForm channel={null} channels={channels} close={() => setParams({ dialog: null })} />
      ) : null}
      {edited ? (
        <ChannelForm key={edited.id} channel={edited} channels={channels} close={() => setEdited(null)} />
      ) : null}
      {removing ? <RemoveChannel channel={removing} close={() => setRemoving(null)} /> : null}
    </div>
  );
}

interface CardProps {
  readonly channel: Channel;
  readonly may: boolean;
  readonly onEdit: () => void;
  readonly onRemove: () => void;
}

function ChannelCard({ channel, may, onEdit, onRemove }: CardProps) {
  const engine = useEngine();
  const queries = useQueryClient();
  const forget = useForget();
  const test = useTest();
  const now = useSecond();
  const { last } = channel;
  const place = channelPlace(channel.kind, channel.settings);
  const setEnabled = async (enabled: boolean): Promise<void> => {
    queries.setQueryData<z.infer<typeof ChannelList>>([engine.base, 'alarms', 'channels'], (old) =>
      old ? { channels: old.channels.map((one) => (one.id === channel.id ? { ...one, enabled } : one)) } : old,
    );
    try {
      await engine.api.channels.patch(channel.id, { enabled });
    } catch (error) {
      sayFailure(`“${channel.name}” was not switched ${enabled ? 'on' : 'off'}`, error);
    }
    await forget();
  };
  return (
    <article className="v-card" aria-label={`Channel ${channel.name}`}>
      <div className="v-card-head">
        <Switch
          size="xs"
          withThumbIndicator={false}
          aria-label={`${channel.name} is on`}
          checked={channel.enabled}
          disabled={!may}
          onChange={(event) => void setEnabled(event.currentTarget.checked)}
        />
        <h2>
          <bdi>{channel.name}</bdi>
        </h2>
        <span className="v-muted">
          {CHANNEL_NAMES[channel.kind]}
          <bdi>{place === '' ? '' : ` · ${place}`}</bdi>
        </span>
        <span className="v-spacer" />
        {may ? (
          <>
            <Button
              size="compact-xs"
              variant="default"
              loading={test.asking}
              aria-label={`Test ${channel.name}`}
              onClick={() => test.run({ id: channel.id })}
            >
              Test
            </Button>
            <Button size="compact-xs" variant="default" aria-label={`Edit ${channel.name}`} onClick={onEdit}>
              Edit…
            </Button>
            <Button size="compact-xs" variant="default" aria-label={`Remove ${channel.name}`} onClick={onRemove}>
              Remove…
            </Button>
          </>
        ) : null}
      </div>
      {channel.problem === null ? null : <p className="v-bad-text">{channel.problem}</p>}
      {channel.kind === 'desktop' ? <AllowNotifications /> : null}
      <p className="v-muted">
        {last === null ? (
          'Nothing was sent yet'
        ) : (
          <>
            <DeliveryMark state={last.state} /> {formatWhen(last.tried ?? last.created, now)}: <bdi>{last.title}</bdi>
          </>
        )}
        {channel.waiting > 0 ? ` · ${channel.waiting} waiting` : ''} · at most {channel.per_minute} a minute
      </p>
      <TestAnswer test={test} />
    </article>
  );
}

interface NoChannelsProps {
  readonly may: boolean;
  readonly refusal: string | null;
  readonly onNew: () => void;
}

function NoChannels({ may, refusal, onNew }: NoChannelsProps) {
  return (
    <section className="v-card v-first" aria-labelledby="no-channels">
      <h2 id="no-channels">Nobody is told yet</h2>
      <p>
        Alarms are shown in this console all the same. A channel tells people elsewhere: a notification on the desktop,
        e-mail, Slack or Mattermost, a webhook, an Alertmanager.
      </p>
      {may ? (
        <Button size="xs" className="v-start" onClick={onNew}>
          Add a channel
        </Button>
      ) : (
        <p>{refusal}</p>
      )}
    </section>
  );
}

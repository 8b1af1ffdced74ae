import { Button, Group, Modal, NativeSelect, TextInput } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { notifications } from '@mantine/notifications';
import { useState } from 'react';
import { ChannelKind } from '../../../../shared/api/channels.ts';
import type { Channel, NewChannelInput } from '../../../../shared/api/channels.ts';
import { RequestError } from '../../../data/api.ts';
import { useEngine } from '../../../state/engine.ts';
import { Wrong } from '../parts.tsx';
import { useForget } from '../useAlarmData.ts';
import { CHANNEL_NAMES } from '../words.ts';
import { AllowNotifications } from './AllowNotifications.tsx';
import { ChannelFields } from './ChannelFields.tsx';
import { emptyChannel, formOf, readChannel } from './form.ts';
import type { ChannelForm as Form } from './form.ts';
import { TestAnswer, useTest } from './TestAnswer.tsx';
import { routesWith, TELLS, toInput } from './routes.ts';
import type { Tells } from './routes.ts';

const HELP: Readonly<Record<ChannelKind, string>> = {
  desktop: 'Shown by the pages of this engine that are open, in the desktop program or in a browser that allows it.',
  email: 'One message for each group of alarms, with what fires and what does no more.',
  webhook: 'A POST with JSON to an address of yours, signed if you set a key.',
  slack: 'A message in a channel, through an incoming webhook.',
  alertmanager: 'Alarms as alerts of Prometheus’ Alertmanager, which tells whom it knows.',
};

const TELLS_NAMES: Readonly<Record<Tells, string>> = {
  all: 'every alarm',
  warning: 'warnings and critical ones',
  critical: 'critical ones only',
  none: 'nothing yet: I set a route below',
};

interface ChannelFormProps {
  /** Null: a new one. */
  readonly channel: Channel | null;
  /** All that there are. */
  readonly channels: readonly Channel[];
  readonly close: () => void;
}

/** Adds a channel or changes one; what is typed can be tried before it is saved. */
export function ChannelForm({ channel, channels, close }: ChannelFormProps) {
  const engine = useEngine();
  const forget = useForget();
  const [form, setForm] = useState<Form>(() => (channel ? formOf(channel) : emptyChannel('desktop')));
  const [tells, setTells] = useState<Tells>('all');
  const { request, errors } = readChannel(form, channel);
  const test = useTest();
  const save = useMutation({
    mutationFn: async (body: NewChannelInput) => {
      if (channel) return engine.api.channels.patch(channel.id, body);
      const made = await engine.api.channels.add(body);
      const others = channels.map(({ id }) => id);
      const { routes } = await engine.api.channels.routes();
      const next = routesWith(
        routes.map((route) => toInput(route, channels)),
        others,
        made.id,
        tells,
      );
      if (next) await engine.api.channels.setRoutes(next);
      return made;
    },
    onSuccess: (made) => {
      notifications.show({ message: channel ? `Saved: ${made.name}` : `Added: ${made.name}` });
      close();
    },
    // Also when only the route failed: the channel is there then.
    onSettled: () => void forget(),
  });
  const change = (part: Partial<Form>): void => {
    save.reset();
    test.reset();
    setForm((old) => ({ ...old, ...part }));
  };
  const taken = save.error instanceof RequestError && save.error.code === 'channel_exists' ? save.error : null;
  const title = channel ? `Edit ${channel.name}` : 'New channel';
  return (
    <Modal
      opened
      onClose={close}
      title={title}
      size="lg"
      attributes={{ header: { role: 'presentation' } }}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <form
        className="v-fields"
        aria-label={title}
        onSubmit={(event) => {
          event.preventDefault();
          if (request && !save.isPending && !save.isSuccess) save.mutate(request);
        }}
      >
        {channel ? null : (
          <NativeSelect
            size="xs"
            label="How to tell"
            data-autofocus
            value={form.kind}
            data={ChannelKind.options.map((value) => ({ value, label: CHANNEL_NAMES[value] }))}
            onChange={({ currentTarget: { value } }) => change({ kind: value as ChannelKind })}
          />
        )}
        <p className="v-muted">{HELP[form.kind]}</p>
        {form.kind === 'desktop' ? <AllowNotifications /> : null}
        <TextInput
          size="xs"
          label="Name"
          placeholder={CHANNEL_NAMES[form.kind]}
          maxLength={200}
          value={form.name}
          error={errors.name ?? taken?.message ?? null}
          onChange={(event) => change({ name: event.currentTarget.value })}
        />
        <ChannelFields form={form} errors={errors} onChange={change} channel={channel} />
        <div className="v-pair">
          <TextInput
            size="xs"
            label="Most messages in a minute"
            description="what is over waits and is told together"
            inputMode="numeric"
            value={form.perMinute}
            error={errors.perMinute ?? null}
            onChange={(event) => change({ perMinute: event.currentTarget.value })}
          />
          {channel ? null : (
            <NativeSelect
              size="xs"
              label="Tell it of"
              description="can be changed with the routes"
              value={tells}
              data={TELLS.map((value) => ({ value, label: TELLS_NAMES[value] }))}
              onChange={({ currentTarget: { value } }) => setTells(value as Tells)}
            />
          )}
        </div>
        <TestAnswer test={test} />
        <Wrong error={taken ? null : save.error} />
        <Group justify="flex-end" gap="xs">
          <Button
            size="xs"
            variant="default"
            disabled={request === null}
            loading={test.asking}
            onClick={() =>
              request ? test.run({ settings: request.settings, ...(channel ? { id: channel.id } : {}) }) : undefined
            }
          >
            Send a test
          </Button>
          <span className="v-spacer" />
          <Button size="xs" variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" size="xs" disabled={request === null} loading={save.isPending}>
            {channel ? 'Save' : 'Add channel'}
          </Button>
        </Group>
      </form>
    </Modal>
  );
}

import { Button, Checkbox, Radio } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { Link } from 'wouter';
import type { Channel } from '../../../../shared/api/channels.ts';
import { useEngine } from '../../../state/engine.ts';
import { useForget } from '../useAlarmData.ts';
import { CHANNEL_NAMES } from '../words.ts';
import type { Told } from './tell.ts';

interface TellProps {
  /** Undefined: not known yet. */
  readonly channels: readonly Channel[] | undefined;
  /** There are routes: without any everybody is told everything. */
  readonly routed: boolean;
  readonly told: Told;
  readonly may: boolean;
  readonly onChange: (told: Told) => void;
}

/** Whom to tell of this rule's alarms. */
export function Tell({ channels, routed, told, may, onChange }: TellProps) {
  if (channels === undefined) return null;
  if (channels.length === 0) return <FirstChannel may={may} />;
  const names = channels.map(({ name }) => name).join(', ');
  return (
    <Radio.Group
      size="xs"
      label="Tell"
      value={told === null ? 'routes' : 'these'}
      onChange={(value) => onChange(value === 'these' ? channels.map(({ id }) => id) : null)}
    >
      <div className="v-tell">
        <Radio
          size="xs"
          value="routes"
          disabled={!may}
          label={routed ? 'as the routes of the channels say' : `all channels: ${names}`}
        />
        <Radio size="xs" value="these" disabled={!may} label="only these:" />
        <div className="v-tell-channels" role="group" aria-label="Channels that are told">
          {channels.map((channel) => (
            <Checkbox
              key={channel.id}
              size="xs"
              label={
                channel.name === CHANNEL_NAMES[channel.kind]
                  ? channel.name
                  : `${channel.name} (${CHANNEL_NAMES[channel.kind].toLowerCase()})`
              }
              disabled={!may || told === null}
              checked={told?.includes(channel.id) ?? false}
              onChange={(event) => {
                const rest = (told ?? []).filter((id) => id !== channel.id);
                onChange(event.currentTarget.checked ? [...rest, channel.id] : rest);
              }}
            />
          ))}
          {told?.length === 0 ? <p className="v-muted">Nobody is told; the alarm is seen here only.</p> : null}
        </div>
        <Link href="/ui/alarms/channels" className="v-link">
          Channels and routes
        </Link>
      </div>
    </Radio.Group>
  );
}

/** There is no channel yet: the simplest one, which needs no account, at once. */
function FirstChannel({ may }: { readonly may: boolean }) {
  const engine = useEngine();
  const forget = useForget();
  const add = useMutation({
    mutationFn: () => engine.api.channels.add({ name: CHANNEL_NAMES.desktop, settings: { kind: 'desktop' } }),
    onSettled: () => forget(),
  });
  return (
    <div className="v-tell" role="group" aria-label="Tell">
      <p>
        <b>Nobody is told yet.</b> The alarm is seen in this console. To be told elsewhere:
      </p>
      <Button size="xs" variant="default" disabled={!may} loading={add.isPending} onClick={() => add.mutate()}>
        Tell me on this desktop
      </Button>
      <Link href="/ui/alarms/channels" className="v-link">
        Add e-mail, Slack, Alertmanager, a webhook …
      </Link>
      {add.error ? (
        <p role="alert" className="v-bad-text">
          {add.error.message}
        </p>
      ) : null}
    </div>
  );
}

import { Button, Checkbox, Group, Modal, MultiSelect, TagsInput, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Channel, RouteInput } from '../../../../shared/api/channels.ts';
import type { ShownRoute } from '../../../data/alarmsApi.ts';
import { SEVERITIES } from '../../../data/alarms.ts';
import { useEngine } from '../../../state/engine.ts';
import { Matchers } from '../Matchers.tsx';
import { Chip } from '../parts.tsx';
import { SEVERITY_NAMES } from '../words.ts';
import { EMPTY_ROUTE, readRoute, routeForm } from './routes.ts';
import type { RouteForm as Form } from './routes.ts';

interface RouteFormProps {
  /** Null: a new one. */
  readonly route: ShownRoute | null;
  readonly channels: readonly Channel[];
  readonly close: () => void;
  readonly onSave: (route: RouteInput) => void;
}

/** Which alarms, to which channels, and how often. */
export function RouteForm({ route, channels, close, onSave }: RouteFormProps) {
  const engine = useEngine();
  const [form, setForm] = useState<Form>(() => (route ? routeForm(route) : EMPTY_ROUTE));
  const { request, errors } = readRoute(form, route?.id ?? '');
  const { data } = useQuery({
    queryKey: [engine.base, 'alarms', 'hits', '[]'],
    queryFn: ({ signal }) => engine.api.silences.preview([], signal),
    staleTime: 10_000,
  });
  const labels = data?.labels ?? {};
  const change = (part: Partial<Form>): void => setForm((old) => ({ ...old, ...part }));
  const title = route ? 'Edit the route' : 'New route';
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
          if (request) onSave(request);
        }}
      >
        <div className="v-chips" role="group" aria-label="Severity">
          <span className="v-muted">Only</span>
          {SEVERITIES.map((severity) => (
            <Chip
              key={severity}
              pressed={form.severities.includes(severity)}
              onClick={() =>
                change({
                  severities: form.severities.includes(severity)
                    ? form.severities.filter((one) => one !== severity)
                    : [...form.severities, severity],
                })
              }
            >
              {SEVERITY_NAMES[severity]}
            </Chip>
          ))}
          <span className="v-muted">{form.severities.length === 0 ? 'none chosen: all of them' : ''}</span>
        </div>
        <Matchers
          matchers={form.matchers}
          labels={labels}
          error={errors.matchers ?? null}
          optional
          onChange={(matchers) => change({ matchers })}
        />
        <MultiSelect
          size="xs"
          label="Tell"
          placeholder={form.channels.length === 0 ? 'nobody' : ''}
          data={channels.map(({ id, name }) => ({ value: id, label: name }))}
          value={[...form.channels]}
          error={errors.channels ?? null}
          comboboxProps={{ withinPortal: false }}
          onChange={(value) => change({ channels: value })}
        />
        <TagsInput
          size="xs"
          label="Told together: alarms that have the same"
          description="labels; none: all in one message"
          data={[...new Set(['alarmname', 'severity', 'scope', ...Object.keys(labels)])]}
          value={[...form.groupBy]}
          error={errors.groupBy ?? null}
          comboboxProps={{ withinPortal: false }}
          onChange={(groupBy) => change({ groupBy })}
        />
        <div className="v-three">
          <TextInput
            size="xs"
            label="First message after"
            description="0s: at once"
            value={form.groupWait}
            error={errors.groupWait ?? null}
            onChange={(event) => change({ groupWait: event.currentTarget.value })}
          />
          <TextInput
            size="xs"
            label="Changes at most every"
            description="of one group"
            value={form.groupInterval}
            error={errors.groupInterval ?? null}
            onChange={(event) => change({ groupInterval: event.currentTarget.value })}
          />
          <TextInput
            size="xs"
            label="Again after"
            description="0s: never"
            value={form.repeat}
            error={errors.repeat ?? null}
            onChange={(event) => change({ repeat: event.currentTarget.value })}
          />
        </div>
        <Checkbox
          size="xs"
          label="Also when they do not fire any more"
          checked={form.resolved}
          onChange={(event) => change({ resolved: event.currentTarget.checked })}
        />
        <Checkbox
          size="xs"
          label="Look at the routes below as well"
          checked={form.more}
          onChange={(event) => change({ more: event.currentTarget.checked })}
        />
        <Group justify="flex-end" gap="xs">
          <Button size="xs" variant="default" onClick={close}>
            Cancel
          </Button>
          <Button type="submit" size="xs" disabled={request === null}>
            {route ? 'Save' : 'Add route'}
          </Button>
        </Group>
      </form>
    </Modal>
  );
}

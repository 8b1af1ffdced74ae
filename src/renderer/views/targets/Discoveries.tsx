import { Popover, UnstyledButton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { DiscoveryStatus } from '../../../shared/api/targets.ts';
import { formatCount } from '../../format/units.ts';
import { formatDateTime } from '../../format/time.ts';
import { useEngine } from '../../state/engine.ts';
import { targetsText } from './words.ts';

const KINDS: Readonly<Record<DiscoveryStatus['kind'], string>> = {
  static: 'node set',
  prometheus: 'Prometheus configuration',
  file_sd: 'file_sd',
  dns_srv: 'DNS SRV',
};

/** Where the configuration has targets from, and what is wrong there. */
export function Discoveries() {
  const engine = useEngine();
  const { data } = useQuery({
    queryKey: [engine.base, 'targets', 'overview'],
    queryFn: ({ signal }) => engine.api.targets.overview(signal),
    refetchInterval: 15_000,
  });
  const list = data?.discoveries ?? [];
  if (list.length === 0) return null;
  const wrong = list.filter(({ error }) => error !== null).length;
  return (
    <Popover position="bottom-end" withArrow shadow="md" width={460} withinPortal={false}>
      <Popover.Target>
        <UnstyledButton className="v-chip">
          {wrong > 0 ? <span className="v-dot v-bad" aria-hidden="true" /> : null}
          {wrong > 0
            ? `${wrong} of ${list.length} discoveries ${wrong === 1 ? 'fails' : 'fail'}`
            : `${list.length} ${list.length === 1 ? 'discovery' : 'discoveries'}`}
        </UnstyledButton>
      </Popover.Target>
      <Popover.Dropdown aria-label="Discoveries" className="v-discoveries">
        {list.map((one) => (
          <section key={`${one.kind} ${one.name}`}>
            <h2>
              {KINDS[one.kind]} <bdi>{one.name}</bdi>
            </h2>
            <p className="v-muted">
              {targetsText(one.targets, formatCount(one.targets))}
              {one.last_read === null ? ', not read yet' : `, read ${formatDateTime(one.last_read)}`}
            </p>
            {one.error === null ? null : <p className="v-bad-text">{one.error}</p>}
            {one.notes.map((note) => (
              <p key={note} className="v-muted">
                {note}
              </p>
            ))}
          </section>
        ))}
      </Popover.Dropdown>
    </Popover>
  );
}

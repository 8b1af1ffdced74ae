import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { NewTargetInput, ProbeResult } from '../../../shared/api/targets.ts';
import { formatCount } from '../../format/units.ts';
import { useEngine } from '../../state/engine.ts';
import { shortUrl } from './words.ts';

/** What is often on an engine's own host, by its usual port. */
const USUAL = [
  ['node exporter', 'http://localhost:9100/metrics'],
  ['Prometheus', 'http://localhost:9090/metrics'],
  ['Pushgateway', 'http://localhost:9091/metrics'],
  ['Alertmanager', 'http://localhost:9093/metrics'],
] as const;

interface NearbyProps {
  readonly onAdd: (target: NewTargetInput) => void;
  readonly busy: boolean;
}

/** Exporters that answer on the engine's own host and are not on the list: one click each. */
export function Nearby({ onAdd, busy }: NearbyProps) {
  const engine = useEngine();
  const look = useQuery({
    queryKey: [engine.base, 'targets', 'nearby'],
    staleTime: 60_000,
    retry: false,
    queryFn: async ({ signal }) => {
      const answers = await Promise.all(
        USUAL.map(async ([name, url]) => {
          const result = await engine.api.targets
            .probe({ url, type: 'prometheus', timeout: '1s' }, signal)
            .catch(() => null);
          return { name, url, result };
        }),
      );
      return answers.filter(
        (one): one is typeof one & { result: ProbeResult } => one.result?.reason === null && one.result.known === null,
      );
    },
  });
  if (!look.data || look.data.length === 0) {
    return (
      <div className="v-probe">
        <p className="v-muted">What is there is shown here while you type.</p>
      </div>
    );
  }
  return (
    <section className="v-nearby" aria-label="Found on the engine’s host">
      <h3>Found on the engine’s host</h3>
      <ul>
        {look.data.map(({ name, url, result }) => (
          <li key={url}>
            <span>
              <b>{name}</b> <span className="v-muted">{`${shortUrl(url)} · ${formatCount(result.series)} series`}</span>
            </span>
            <Button
              size="compact-xs"
              disabled={busy}
              aria-label={`Add ${name} at ${shortUrl(url)}`}
              onClick={() => onAdd({ url, type: 'prometheus' })}
            >
              Add
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

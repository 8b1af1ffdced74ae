import { Button } from '@mantine/core';
import { Command } from '../../components/Copy.tsx';

interface NoTargetsProps {
  /** Why nothing can be added; null: it can. */
  readonly refusal: string | null;
  readonly onAdd: () => void;
  readonly onMany: () => void;
}

/** Nothing but the engine's own node yet: how to join the first one. */
export function NoTargets({ refusal, onAdd, onMany }: NoTargetsProps) {
  return (
    <section className="v-card v-first-target" aria-labelledby="no-targets">
      <h2 id="no-targets">Nothing is joined yet</h2>
      <p>
        A target is what this engine fetches numbers from: a node exporter or anything else that speaks Prometheus’
        text, another metric proxy, another Vigie.
      </p>
      {refusal === null ? (
        <div className="v-toolbar v-flush">
          <Button size="xs" onClick={onAdd}>
            Add the first target
          </Button>
          <Button size="xs" variant="default" onClick={onMany}>
            Add many by node set
          </Button>
        </div>
      ) : (
        <p>{refusal}</p>
      )}
      <p className="v-muted">A node without an exporter gets one from its distribution; on Debian:</p>
      <Command name="the command" text="apt install prometheus-node-exporter" />
    </section>
  );
}

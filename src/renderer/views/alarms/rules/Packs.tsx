import { Button, Modal, Skeleton, Switch } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { z } from 'zod';
import type { AlarmPack, AlarmPacks } from '../../../../shared/api/alarms.ts';
import { sayFailure } from '../../../components/undo.tsx';
import { useEngine } from '../../../state/engine.ts';
import { Wrong } from '../parts.tsx';
import { useForget } from '../useAlarmData.ts';

interface PacksProps {
  readonly may: boolean;
}

/** The rules that come with Vigie, each with a switch. */
export function Packs({ may }: PacksProps) {
  const engine = useEngine();
  const queries = useQueryClient();
  const forget = useForget();
  const [busy, setBusy] = useState(false);
  const key = [engine.base, 'alarms', 'packs'];
  const { data, error } = useQuery({ queryKey: key, queryFn: ({ signal }) => engine.api.alarms.packs(signal) });
  const turn = async (pack: AlarmPack, rules: readonly string[], on: boolean): Promise<void> => {
    setBusy(true);
    const moved = pack.rules.map((rule) => (rules.includes(rule.id) ? { ...rule, on } : rule));
    queries.setQueryData<z.infer<typeof AlarmPacks>>(key, (old) =>
      old ? { packs: old.packs.map((one) => (one.id === pack.id ? { ...one, rules: moved } : one)) } : old,
    );
    try {
      await engine.api.alarms.switchPack(pack.id, rules, on);
    } catch (failure) {
      sayFailure('This was not switched', failure);
    }
    await forget();
    setBusy(false);
  };
  if (error) return <Wrong error={error} />;
  if (!data) return <Skeleton height={160} />;
  return (
    <>
      {data.packs.map((pack) => {
        const off = pack.rules.filter(({ on }) => !on).map(({ id }) => id);
        return (
          <section key={pack.id} className="v-pack" aria-labelledby={`pack-${pack.id}`}>
            <div className="v-card-head">
              <h3 id={`pack-${pack.id}`}>{pack.name}</h3>
              <span className="v-muted">
                {pack.rules.length - off.length} of {pack.rules.length} on
              </span>
              <span className="v-spacer" />
              <Button
                size="compact-xs"
                variant="default"
                disabled={!may || busy || off.length === 0}
                onClick={() => void turn(pack, off, true)}
              >
                Switch all on
              </Button>
            </div>
            {pack.description === '' ? null : <p className="v-muted">{pack.description}</p>}
            <ul className="v-pack-rules">
              {pack.rules.map((rule) => (
                <li key={rule.id}>
                  <Switch
                    size="xs"
                    withThumbIndicator={false}
                    checked={rule.on}
                    disabled={!may || busy}
                    label={rule.name}
                    description={rule.sentence}
                    styles={{ description: { fontSize: '0.75rem' } }}
                    onChange={(event) => void turn(pack, [rule.id], event.currentTarget.checked)}
                  />
                </li>
              ))}
            </ul>
          </section>
        );
      })}
    </>
  );
}

export function PacksDialog({ may, close }: PacksProps & { readonly close: () => void }) {
  return (
    <Modal
      opened
      onClose={close}
      title="Ready-made rules"
      size="lg"
      attributes={{ header: { role: 'presentation' } }}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Packs may={may} />
    </Modal>
  );
}

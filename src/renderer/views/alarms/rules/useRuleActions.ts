import { useMemo } from 'react';
import { useQueryClient } from '@tanstack/react-query';
import type { Rule, RuleList } from '../../../../shared/api/alarms.ts';
import { sayFailure, sayWithUndo } from '../../../components/undo.tsx';
import type { Engine } from '../../../data/engine.ts';
import { useEngine } from '../../../state/engine.ts';
import { settingsOf } from './settings.ts';

export interface RuleActions {
  setEnabled(rule: Rule, enabled: boolean): Promise<void>;
  remove(rule: Rule): Promise<void>;
}

/** Makes a rule again that was deleted; one of a pack is switched on there, so that the pack knows it. */
async function makeAgain({ api }: Engine, rule: Rule): Promise<void> {
  if (rule.origin === 'pack') {
    const { packs } = await api.alarms.packs();
    for (const pack of packs) {
      const here = pack.rules.find(({ name, on }) => name === rule.name && !on);
      if (!here) continue;
      await api.alarms.switchPack(pack.id, [here.id], true);
      const made = (await api.alarms.rules()).rules.find(({ name }) => name === rule.name);
      if (made) await api.alarms.patchRule(made.id, settingsOf(rule));
      return;
    }
  }
  await api.alarms.addRule(settingsOf(rule));
}

/** Changes to a rule that need no form. */
export function useRuleActions(): RuleActions {
  const engine = useEngine();
  const queries = useQueryClient();
  return useMemo((): RuleActions => {
    const key = [engine.base, 'alarms', 'rules'];
    const settled = async (): Promise<void> => {
      void queries.invalidateQueries({ queryKey: [engine.base, 'audit'] });
      await queries.invalidateQueries({ queryKey: [engine.base, 'alarms'] });
    };
    const change = (next: (rules: Rule[]) => Rule[]): void => {
      queries.setQueryData<RuleList>(key, (old) => (old ? { rules: next(old.rules) } : old));
    };
    return {
      async setEnabled(rule, enabled) {
        try {
          // The switch moves at once; what the engine says decides.
          change((rules) => rules.map((one) => (one.id === rule.id ? { ...one, enabled } : one)));
          await engine.api.alarms.patchRule(rule.id, { enabled });
        } catch (error) {
          sayFailure(`“${rule.name}” was not switched ${enabled ? 'on' : 'off'}`, error);
        }
        await settled();
      },
      async remove(rule) {
        try {
          await engine.api.alarms.removeRule(rule.id);
          change((rules) => rules.filter(({ id }) => id !== rule.id));
        } catch (error) {
          sayFailure(`“${rule.name}” was not deleted`, error);
          await settled();
          return;
        }
        await settled();
        sayWithUndo(`Deleted: “${rule.name}”. Its history stays.`, async () => {
          try {
            await makeAgain(engine, rule);
          } catch (error) {
            sayFailure('It could not be brought back', error);
          }
          await settled();
        });
      },
    };
  }, [engine, queries]);
}

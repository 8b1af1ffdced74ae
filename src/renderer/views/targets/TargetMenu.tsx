import { Menu } from '@mantine/core';
import { createContext, useContext } from 'react';
import type { Target } from '../../../shared/api/targets.ts';
import { RowMenu } from '../../components/RowMenu.tsx';
import { fixedReason } from './words.ts';

export interface RowActions {
  /** Why nothing may be changed; null: it may. */
  readonly refusal: string | null;
  edit(target: Target): void;
  setPaused(target: Target, paused: boolean): void;
  remove(target: Target): void;
}

export const RowActionsContext = createContext<RowActions | null>(null);

/** What can be done with one target. */
export function TargetMenu({ target }: { readonly target: Target }) {
  const actions = useContext(RowActionsContext);
  if (!actions || actions.refusal !== null) return null;
  const fixed = fixedReason(target);
  return (
    <RowMenu of={target.url} width={220}>
      <Menu.Item onClick={() => actions.setPaused(target, !target.paused)}>
        {target.paused ? 'Resume' : 'Pause'}
      </Menu.Item>
      <Menu.Item disabled={fixed !== null} onClick={() => actions.edit(target)}>
        Edit…
      </Menu.Item>
      <Menu.Item disabled={fixed !== null} onClick={() => actions.remove(target)}>
        Remove
      </Menu.Item>
      {fixed === null ? null : <Menu.Label>{fixed}</Menu.Label>}
    </RowMenu>
  );
}

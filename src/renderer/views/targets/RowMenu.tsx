import { ActionIcon, Menu } from '@mantine/core';
import { createContext, useContext } from 'react';
import type { Target } from '../../../shared/api/targets.ts';
import { Icon } from '../../components/Icon.tsx';
import { fixedReason } from './words.ts';

export interface RowActions {
  /** Why nothing may be changed; null: it may. */
  readonly refusal: string | null;
  edit(target: Target): void;
  setPaused(target: Target, paused: boolean): void;
  remove(target: Target): void;
}

export const RowActionsContext = createContext<RowActions | null>(null);

/** A row cuts off what reaches over it, and what stands outside the page's parts is not found by its landmarks. */
const IN_MAIN = { target: '#main' };

/** What can be done with one target. */
export function RowMenu({ target }: { readonly target: Target }) {
  const actions = useContext(RowActionsContext);
  if (!actions || actions.refusal !== null) return null;
  const fixed = fixedReason(target);
  return (
    <Menu position="bottom-end" withArrow withInitialFocusPlaceholder={false} width={220} portalProps={IN_MAIN}>
      <Menu.Target>
        <ActionIcon
          size="sm"
          variant="subtle"
          color="gray"
          tabIndex={-1}
          aria-label={`Change ${target.url}`}
          onClick={(event) => event.stopPropagation()}
        >
          <Icon name="more" />
        </ActionIcon>
      </Menu.Target>
      {/* Events of a menu go up to the row that it belongs to, which would open. */}
      <Menu.Dropdown onClick={(event) => event.stopPropagation()}>
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
      </Menu.Dropdown>
    </Menu>
  );
}

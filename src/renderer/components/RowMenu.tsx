import { ActionIcon, Menu } from '@mantine/core';
import type { ReactNode } from 'react';
import { Icon } from './Icon.tsx';

interface RowMenuProps {
  /** Of what it is the menu, for those who do not see its row. */
  readonly of: string;
  /** CSS pixels. */
  readonly width: number;
  /** Items. */
  readonly children: ReactNode;
}

/** A row cuts off what reaches over it, and what stands outside the page's parts is not found by its landmarks. */
const IN_MAIN = { target: '#main' };

/** What can be done with one row of a table. */
export function RowMenu({ of, width, children }: RowMenuProps) {
  return (
    <Menu position="bottom-end" withArrow withInitialFocusPlaceholder={false} width={width} portalProps={IN_MAIN}>
      <Menu.Target>
        <ActionIcon
          size="sm"
          variant="subtle"
          color="gray"
          tabIndex={-1}
          aria-label={`Change ${of}`}
          onClick={(event) => event.stopPropagation()}
        >
          <Icon name="more" />
        </ActionIcon>
      </Menu.Target>
      {/* Events of a menu go up to the row that it belongs to, which would open. */}
      <Menu.Dropdown onClick={(event) => event.stopPropagation()}>{children}</Menu.Dropdown>
    </Menu>
  );
}

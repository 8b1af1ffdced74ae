import { ActionIcon, Button, Tooltip, useMantineColorScheme } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { spotlight } from '@mantine/spotlight';
import type { ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import { Icon } from '../components/Icon.tsx';
import { useKeys } from '../components/useKeys.ts';
import { PutOffPrompts } from '../views/connections/prompts/Prompts.tsx';
import { AlarmCount, AlarmSigns } from './AlarmSigns.tsx';
import { Banner } from './Banner.tsx';
import { Palette } from './Palette.tsx';
import { Shortcuts } from './Shortcuts.tsx';
import { ClusterButton, Switcher } from './Switcher.tsx';
import { StatusBar } from './StatusBar.tsx';

const VIEWS = [
  { path: '/ui/jobs', name: 'Jobs' },
  { path: '/ui/profiles', name: 'Profiles' },
  { path: '/ui/node', name: 'Node' },
  { path: '/ui/nodes', name: 'Nodes' },
  { path: '/ui/targets', name: 'Targets' },
  { path: '/ui/alarms', name: 'Alarms' },
  { path: '/ui/connections', name: 'Connections' },
  { path: '/ui/settings', name: 'Settings' },
] as const;

/** What stands around every view. */
export function Shell({ children }: { readonly children: ReactNode }) {
  const [help, { open, close }] = useDisclosure(false);
  const [path] = useLocation();
  useKeys({ '?': open });
  return (
    <div className="v-shell">
      <a className="v-skip" href="#main">
        Skip to content
      </a>
      <header className="v-header">
        <Link href="/ui/jobs" className="v-brand">
          Vigie
        </Link>
        <ClusterButton />
        <nav aria-label="Views">
          {VIEWS.map((view) => {
            const here = path === view.path || path.startsWith(`${view.path}/`);
            return (
              <Link key={view.path} href={view.path} className="v-nav" aria-current={here ? 'page' : undefined}>
                {view.name}
                {view.path === '/ui/alarms' ? <AlarmCount /> : null}
              </Link>
            );
          })}
        </nav>
        <div className="v-spacer" />
        <PutOffPrompts />
        <Button
          size="xs"
          variant="default"
          leftSection={<Icon name="search" size={14} />}
          rightSection={<kbd className="v-kbd">Ctrl K</kbd>}
          onClick={spotlight.open}
        >
          Go to…
        </Button>
        <ThemeSwitch />
        <Tooltip label="Keyboard shortcuts (?)" withArrow>
          <ActionIcon variant="subtle" color="gray" aria-label="Keyboard shortcuts" onClick={open}>
            <Icon name="keyboard" />
          </ActionIcon>
        </Tooltip>
      </header>
      <Banner />
      <main id="main" className="v-main" tabIndex={-1}>
        {children}
      </main>
      <StatusBar />
      <AlarmSigns />
      <Palette onShortcuts={open} />
      <Switcher />
      <Shortcuts opened={help} onClose={close} />
    </div>
  );
}

const SCHEMES = ['auto', 'light', 'dark'] as const;
const SCHEME_ICONS = { auto: 'screen', light: 'sun', dark: 'moon' } as const;
const SCHEME_NAMES = { auto: 'system', light: 'light', dark: 'dark' } as const;

function ThemeSwitch() {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const next = SCHEMES[(SCHEMES.indexOf(colorScheme) + 1) % SCHEMES.length]!;
  const name = `Theme: ${SCHEME_NAMES[colorScheme]}. Change to ${SCHEME_NAMES[next]}`;
  return (
    <Tooltip label={name} withArrow>
      <ActionIcon variant="subtle" color="gray" aria-label={name} onClick={() => setColorScheme(next)}>
        <Icon name={SCHEME_ICONS[colorScheme]} />
      </ActionIcon>
    </Tooltip>
  );
}

import { MantineProvider, useMantineColorScheme } from '@mantine/core';
import { Notifications, notifications } from '@mantine/notifications';
import { useEffect } from 'react';
import type { Bridge } from '../../shared/bridge.ts';
import { desktop, noticeFromHash } from '../data/desktop.ts';
import { useSession } from '../state/session.ts';
import { TokenView } from '../views/token/TokenView.tsx';
import { Home } from './Home.tsx';
import { cssVariables, theme } from './theme.ts';

export function App() {
  return (
    <MantineProvider theme={theme} cssVariablesResolver={cssVariables} defaultColorScheme="auto">
      <Notifications position="bottom-right" autoClose={4000} />
      {desktop ? <DesktopTheme desktop={desktop} /> : null}
      <Notices />
      <Gate />
    </MantineProvider>
  );
}

/** The window's own parts have the theme of the page. */
function DesktopTheme({ desktop: bridge }: { readonly desktop: Bridge }) {
  const { colorScheme } = useMantineColorScheme();
  useEffect(() => {
    // A window whose frame has the other theme is not worth a message.
    void bridge.setTheme(colorScheme === 'auto' ? 'system' : colorScheme).catch(() => undefined);
  }, [bridge, colorScheme]);
  return null;
}

/** Says once why the page was loaded anew. */
function Notices() {
  useEffect(() => {
    const message = noticeFromHash(window.location.hash);
    if (message === null) return;
    window.history.replaceState(null, '', `${window.location.pathname}${window.location.search}`);
    notifications.show({ message, autoClose: 15_000, withBorder: true });
  }, []);
  return null;
}

/** Asks for a token, or shows the engine that the page came from. */
function Gate() {
  const token = useSession((s) => s.token);
  return token === null ? <TokenView /> : <Home key={token} />;
}

import { create } from 'zustand';
import type { LiveNotification } from '../../shared/api/live.ts';
import { desktop } from '../data/desktop.ts';
import type { LiveClient } from '../data/live.ts';

/** Through the desktop program; through the browser as far as the person allows it; not at all. */
export type HowNotified = 'desktop' | NotificationPermission | 'none';

interface Notifying {
  readonly how: HowNotified;
  /** Asks the person. */
  allow(): void;
}

const MOST_TITLE = 200;
const MOST_TEXT = 1000;

const now = (): HowNotified => {
  if (desktop) return 'desktop';
  return 'Notification' in window && window.isSecureContext ? Notification.permission : 'none';
};

export const useNotifying = create<Notifying>((set) => ({
  how: now(),
  allow: () => void Notification.requestPermission().then(() => set({ how: now() })),
}));

const shows = (how: HowNotified): boolean => how === 'desktop' || how === 'granted';

/** Shows what the engine asks for, as long as this page can. The engine counts only on pages that can. */
export function followNotifications(live: LiveClient, open: (alarm: string | null) => void): () => void {
  let stop: (() => void) | null = null;
  const follow = ({ how }: Notifying): void => {
    if (shows(how)) stop ??= live.onNotification((notification) => show(notification, open));
    else {
      stop?.();
      stop = null;
    }
  };
  follow(useNotifying.getState());
  const leave = useNotifying.subscribe(follow);
  return () => {
    leave();
    stop?.();
  };
}

function show({ id, title, text, alarms }: LiveNotification, open: (alarm: string | null) => void): void {
  const head = title.slice(0, MOST_TITLE) || 'Vigie';
  const body = text.slice(0, MOST_TEXT);
  if (desktop) {
    // The desktop shows none, or had too many: they are in the list of alarms all the same.
    void desktop.notify(head, body).catch(() => undefined);
    return;
  }
  // The same tag replaces: several pages of one browser show one notification.
  const shown = new Notification(head, { body, tag: id });
  shown.addEventListener('click', () => {
    window.focus();
    open(alarms.length === 1 ? alarms[0]! : null);
    shown.close();
  });
}

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

export const useCanNotify = (): boolean => useNotifying(({ how }) => shows(how));

/** An engine elsewhere shows at most so many in so many ms: the desktop's patience is there for all engines. */
const MOST_OF_OTHER = 3;
const MOST_WITHIN = 10_000;

/**
 * Shows what the engine asks for, as long as this page can. The engine counts only on pages that can. `from`: another
 * engine than the page's own, whose name stands before whatever it says.
 */
export function followNotifications(
  live: LiveClient,
  from: { readonly id: string; readonly name: string } | null,
  open: (alarm: string | null) => void,
): () => void {
  let stop: (() => void) | null = null;
  const shown: number[] = [];
  const take = (notification: LiveNotification): void => {
    if (from === null) return show(notification, open);
    while (shown.length > 0 && shown[0]! <= Date.now() - MOST_WITHIN) shown.shift();
    if (shown.length >= MOST_OF_OTHER) return;
    shown.push(Date.now());
    const { id, title } = notification;
    show({ ...notification, id: `${from.id} ${id}`, title: `${from.name}: ${title}` }, open);
  };
  const follow = ({ how }: Notifying): void => {
    if (shows(how)) stop ??= live.onNotification(take);
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

/** Something that a person is wanted for, shown where the page itself is not looked at. The same `tag` replaces. */
export function notifyHidden(title: string, text: string, tag: string): void {
  const { how } = useNotifying.getState();
  if (!document.hidden || !shows(how)) return;
  const head = title.slice(0, MOST_TITLE);
  const body = text.slice(0, MOST_TEXT);
  if (desktop) {
    // The desktop shows none: the dialog is there all the same when the page is looked at.
    void desktop.notify(head, body).catch(() => undefined);
    return;
  }
  const shown = new Notification(head, { body, tag });
  shown.addEventListener('click', () => {
    window.focus();
    shown.close();
  });
}

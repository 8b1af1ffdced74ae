import { create } from 'zustand';
import { desktop } from '../data/desktop.ts';
import { dropToken, keepToken, takeToken } from '../data/session.ts';

interface Session {
  /** Empty in the desktop program, which adds it to the requests itself: no script has it. */
  readonly token: string | null;
  /** The engine refused the token that the page had. */
  readonly refused: boolean;
  enter(token: string): void;
  refuse(): void;
}

export const useSession = create<Session>((set, get) => ({
  token: desktop
    ? ''
    : takeToken(window.location, window.sessionStorage, (url) => window.history.replaceState(null, '', url)),
  refused: false,
  enter(token) {
    keepToken(window.sessionStorage, token);
    set({ token, refused: false });
  },
  refuse() {
    if (get().token === null) return;
    dropToken(window.sessionStorage);
    set({ token: null, refused: true });
  },
}));

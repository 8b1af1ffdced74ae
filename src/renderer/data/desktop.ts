/** The desktop program around this page; null in a browser. */

import { BRIDGE_NAME, NOTICES, type Bridge, type Notice } from '../../shared/bridge.ts';

declare global {
  interface Window {
    readonly [BRIDGE_NAME]?: Bridge;
  }
}

export const desktop: Bridge | null = window[BRIDGE_NAME] ?? null;

/** Why the page was loaded anew, from a fragment `#notice=…`; null where there is nothing to say. */
export function noticeFromHash(hash: string): string | null {
  const name = new URLSearchParams(hash.replace(/^#/, '')).get('notice');
  return name !== null && Object.hasOwn(NOTICES, name) ? NOTICES[name as Notice] : null;
}

/** The link that a click asks for, if it leads out of the interface. */
function outside(event: MouseEvent): string | null {
  const link = event.target instanceof Element ? event.target.closest('a[href]') : null;
  if (!(link instanceof HTMLAnchorElement) || link.origin === window.location.origin) return null;
  return link.protocol === 'https:' ? link.href : null;
}

/** Links to elsewhere open in the person's browser, after a question; in this window they would not open at all. */
export function followLinks(bridge: Bridge): void {
  const follow = (event: MouseEvent): void => {
    const url = outside(event);
    if (url === null) return;
    event.preventDefault();
    // Declined, or there is no browser: the person has seen it.
    void bridge.openExternal(url).catch(() => undefined);
  };
  document.addEventListener('click', follow);
  document.addEventListener('auxclick', follow);
}

/** A file that is dropped on the page would replace it. */
export function refuseDrops(): void {
  const refuse = (event: DragEvent): void => {
    if (event.dataTransfer?.types.includes('Files') !== true) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'none';
  };
  window.addEventListener('dragover', refuse);
  window.addEventListener('drop', refuse);
}

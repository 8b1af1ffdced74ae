/**
 * What a page in the window may do: be the interface of one engine, and nothing else. The token is added here to requests
 * for exactly that engine, so that no script ever sees it.
 */

import { app, type Session, type WebContents } from 'electron';
import type { ConsoleTarget } from './console-target.ts';
import { actionOf, type Action } from './status-page.ts';

export interface Guarded {
  /** The engine that is shown now. */
  target(): ConsoleTarget | null;
  /** The window's own page; requests and messages of any other are refused. */
  contents(): WebContents | null;
  /** A link of the status page. */
  act(action: Action): void;
}

/** Everything that leaves the process; `data:`, `blob:` and the developer tools do not. */
const NETWORK = ['http://*/*', 'https://*/*', 'ws://*/*', 'wss://*/*', 'ftp://*/*', 'file://*/*'];

/** Copying to the clipboard after a click. */
const ALLOWED = 'clipboard-sanitized-write';

/** The session in which the window lives. */
export function guardSession(session: Session, guarded: Guarded): void {
  const isOurs = (contents: WebContents | null): boolean => contents !== null && contents === guarded.contents();
  const mayCopy = (contents: WebContents | null, permission: string, url: string): boolean =>
    permission === ALLOWED && isOurs(contents) && (guarded.target()?.isPage(url) ?? false);

  session.setPermissionRequestHandler((contents, permission, answer, details) =>
    answer(mayCopy(contents, permission, details.requestingUrl)),
  );
  session.setPermissionCheckHandler((contents, permission, origin) =>
    mayCopy(contents, permission, `${origin.replace(/\/$/, '')}/`),
  );
  session.setDevicePermissionHandler(() => false);
  session.on('will-download', (event) => event.preventDefault());

  session.webRequest.onBeforeRequest({ urls: NETWORK }, ({ url }, answer) =>
    answer({ cancel: !(guarded.target()?.isOwn(url) ?? false) }),
  );
  session.webRequest.onBeforeSendHeaders({ urls: ['http://*/*', 'ws://*/*'] }, (details, answer) => {
    const { requestHeaders, url, webContentsId } = details;
    const target = guarded.target();
    // Whatever a page sends in its place never leaves.
    for (const name of Object.keys(requestHeaders)) {
      if (name.toLowerCase() === 'authorization') delete requestHeaders[name];
    }
    const ours = webContentsId !== undefined && webContentsId === guarded.contents()?.id;
    if (ours && target !== null && target.needsToken(url)) {
      requestHeaders['Authorization'] = `Bearer ${target.engine.token}`;
    }
    answer({ requestHeaders });
  });
}

/** Every page there ever is, also ones that nothing of ours opens. */
export function guardContents(guarded: Guarded): void {
  app.on('web-contents-created', (_event, contents) => {
    contents.setWindowOpenHandler(() => ({ action: 'deny' }));
    contents.on('will-attach-webview', (event) => event.preventDefault());
    // A frame or a server must not lead the window elsewhere either.
    const stay = (event: { preventDefault(): void }, url: string): void => {
      const action = contents === guarded.contents() && contents.getURL().startsWith('data:') ? actionOf(url) : null;
      if (action === null && guarded.target()?.isPage(url)) return;
      event.preventDefault();
      if (action !== null) guarded.act(action);
    };
    contents.on('will-navigate', stay);
    contents.on('will-redirect', stay);
  });
}

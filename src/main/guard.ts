/**
 * What a page in the window may do: be the interface of one engine, and nothing else. The token is added here to requests
 * for exactly that engine, so that no script ever sees it.
 */

import { app, type OnBeforeSendHeadersListenerDetails, type Session, type WebContents } from 'electron';
import type { ConsoleTarget } from './console-target.ts';
import { actionOf, type Action } from './status-page.ts';

export interface Guarded {
  /** The engine that is shown now. */
  target(): ConsoleTarget | null;
  /** That engine died and is being started again: whoever answers at its address now is somebody else. */
  away(): boolean;
  /** The window's own page; requests and messages of any other are refused. */
  contents(): WebContents | null;
  /** A link of the status page. */
  act(action: Action): void;
}

/** Everything that leaves the process; `data:`, `blob:` and the developer tools do not. */
const NETWORK = ['http://*/*', 'https://*/*', 'ws://*/*', 'wss://*/*', 'ftp://*/*', 'file://*/*'];

/** Copying to the clipboard after a click. */
const ALLOWED = 'clipboard-sanitized-write';

/** It comes from the interface itself, not from a frame in it nor from another window. */
function isPage(
  { frame }: OnBeforeSendHeadersListenerDetails,
  contents: WebContents | null,
  target: ConsoleTarget,
): boolean {
  return (
    contents !== null &&
    frame !== undefined &&
    frame !== null &&
    frame === contents.mainFrame &&
    target.isPage(frame.url)
  );
}

/**
 * Before Electron is ready: names of hosts are not even looked up, which would tell them, and no address is reached but
 * those of this machine.
 */
export function guardProcess(): void {
  const own = ['127.0.0.1', 'localhost', '[::1]'].map((host) => `EXCLUDE ${host}`);
  app.commandLine.appendSwitch('host-resolver-rules', ['MAP * ~NOTFOUND', ...own].join(', '));
}

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
  session.on('will-download', (event, item, contents) => {
    // Of what passes, Electron asks where to put it.
    if (!isOurs(contents) || !(guarded.target()?.isExport(item.getURL()) ?? false)) event.preventDefault();
  });

  session.webRequest.onBeforeRequest({ urls: NETWORK }, ({ url }, answer) =>
    answer({ cancel: guarded.away() || !(guarded.target()?.isOwn(url) ?? false) }),
  );
  session.webRequest.onBeforeSendHeaders({ urls: ['http://*/*', 'ws://*/*'] }, (details, answer) => {
    const { requestHeaders, url } = details;
    const target = guarded.target();
    // Whatever a page sends in its place never leaves.
    for (const name of Object.keys(requestHeaders)) {
      if (name.toLowerCase() === 'authorization') delete requestHeaders[name];
    }
    if (target !== null && isPage(details, guarded.contents(), target) && target.needsToken(url)) {
      requestHeaders['Authorization'] = `Bearer ${target.engine.token}`;
    }
    answer({ requestHeaders });
  });
}

/** Every page there ever is, also ones that nothing of ours opens. */
export function guardContents(guarded: Guarded): void {
  app.on('web-contents-created', (_event, contents) => {
    contents.setWindowOpenHandler(() => ({ action: 'deny' }));
    // A peer connection would go around everything that is refused above.
    contents.setWebRTCIPHandlingPolicy('disable_non_proxied_udp');
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

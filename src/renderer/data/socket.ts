/** What the live client needs of a WebSocket; a test gives its own. */
export interface LiveSocket {
  onOpen: (() => void) | null;
  onMessage: ((data: string | Uint8Array) => void) | null;
  /** Called once, also when the connection could not be made. */
  onClose: (() => void) | null;
  send(text: string): void;
  close(): void;
}

export type OpenSocket = () => LiveSocket;

/** A socket of the browser to a path of the page's own origin. */
export function openBrowserSocket(path: string): LiveSocket {
  const url = new URL(path, window.location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  const ws = new WebSocket(url);
  ws.binaryType = 'arraybuffer';
  const socket: LiveSocket = {
    onOpen: null,
    onMessage: null,
    onClose: null,
    send: (text) => ws.send(text),
    close: () => ws.close(),
  };
  ws.onopen = () => socket.onOpen?.();
  ws.onmessage = (event: MessageEvent<string | ArrayBuffer>) =>
    socket.onMessage?.(typeof event.data === 'string' ? event.data : new Uint8Array(event.data));
  ws.onclose = () => socket.onClose?.();
  return socket;
}

/** The DevTools protocol by itself, for programs that Playwright cannot attach to. */

import { once } from 'node:events';
import { WebSocket } from 'ws';

export interface CdpPage {
  /** The value of an expression in the page, as JSON carries it. */
  evaluate(expression: string): Promise<unknown>;
  send(method: string, params?: object): Promise<Record<string, unknown>>;
  close(): void;
}

/** @param url `webSocketDebuggerUrl` of a page in `/json/list`. */
export async function connectCdp(url: string): Promise<CdpPage> {
  const socket = new WebSocket(url);
  await once(socket, 'open');
  let last = 0;
  const waiting = new Map<number, (answer: Record<string, unknown>) => void>();
  socket.on('close', () => {
    for (const answer of waiting.values()) answer({ error: 'the page is gone' });
  });
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString('utf8')) as { id?: number } & Record<string, unknown>;
    if (message.id !== undefined) waiting.get(message.id)?.(message);
  });
  const send = async (method: string, params: object = {}): Promise<Record<string, unknown>> => {
    const id = ++last;
    const answer = await new Promise<Record<string, unknown>>((resolve) => {
      waiting.set(id, resolve);
      socket.send(JSON.stringify({ id, method, params }));
    });
    waiting.delete(id);
    if (answer['error'] !== undefined) throw new Error(`${method}: ${JSON.stringify(answer['error'])}`);
    return answer['result'] as Record<string, unknown>;
  };
  return {
    send,
    async evaluate(expression) {
      const answer = await send('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true });
      return (answer['result'] as { value?: unknown }).value;
    },
    close: () => socket.close(),
  };
}

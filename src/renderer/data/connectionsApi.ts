import { z } from 'zod';
import {
  ConfigHostList,
  Connection,
  ConnectionList,
  ConnectionLog,
  Forward,
  PromptList,
} from '../../shared/api/connections.ts';
import type {
  ConnectionPatch,
  EngineAction,
  EngineStart,
  NewConnectionInput,
  NewForward,
  PromptAnswer,
} from '../../shared/api/connections.ts';
import type { Requests } from './api.ts';

/** What is left out is as the engine has it. */
export type EngineStartInput = z.input<typeof EngineStart>;

const path = (id: string): string => `/connections/${encodeURIComponent(id)}`;

/** Answer to what has nothing to tell. */
const Nothing = z.null();

/** Requests about hosts that the engine logs in to. Always to the engine that served the page: it is the one that logs in. */
export function connectionsApi({ get, change }: Requests) {
  return {
    /** The connections come over the live socket; this one tells what keeps the engine from connecting at all. */
    list: (signal?: AbortSignal): Promise<ConnectionList> => get('/connections', ConnectionList, signal),
    /** Hosts of the ssh configuration of whoever runs the engine. */
    hosts: (signal?: AbortSignal): Promise<ConfigHostList> => get('/connections/hosts', ConfigHostList, signal),
    add: (body: NewConnectionInput): Promise<Connection> =>
      change('/connections', Connection, { method: 'POST', body }),
    patch: (id: string, body: ConnectionPatch): Promise<Connection> =>
      change(path(id), Connection, { method: 'PATCH', body }),
    remove: (id: string): Promise<Connection> => change(path(id), Connection, { method: 'DELETE' }),
    connect: (id: string): Promise<Connection> => change(`${path(id)}/connect`, Connection, { method: 'POST' }),
    disconnect: (id: string): Promise<Connection> => change(`${path(id)}/disconnect`, Connection, { method: 'POST' }),
    log: (id: string, signal?: AbortSignal): Promise<ConnectionLog> => get(`${path(id)}/log`, ConnectionLog, signal),
    addForward: (id: string, body: NewForward): Promise<Forward> =>
      change(`${path(id)}/forwards`, Forward, { method: 'POST', body }),
    removeForward: (id: string, forward: string): Promise<null> =>
      change(`${path(id)}/forwards/${encodeURIComponent(forward)}`, Nothing, { method: 'DELETE' }),
    /** Begins it; what becomes of it is told with the connection. */
    engine: (id: string, action: EngineAction, body: EngineStartInput): Promise<Connection> =>
      change(`${path(id)}/engine/${action}`, Connection, { method: 'POST', body }),
    cancelEngine: (id: string): Promise<Connection> =>
      change(`${path(id)}/engine/cancel`, Connection, { method: 'POST' }),
    /** Forgets kept passwords and passphrases. */
    forget: (id: string): Promise<Connection> => change(`${path(id)}/secrets`, Connection, { method: 'DELETE' }),
    prompts: (signal?: AbortSignal): Promise<PromptList> => get('/connections/prompts', PromptList, signal),
    answer: (id: string, body: PromptAnswer): Promise<null> =>
      change(`/connections/prompts/${encodeURIComponent(id)}`, Nothing, { method: 'POST', body }),
  };
}

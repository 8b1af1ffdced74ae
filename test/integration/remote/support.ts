/** Connections in a real engine, over its API. */

import {
  Connection,
  EngineList,
  type ListedEngine,
  type NewConnectionInput,
} from '../../../src/shared/api/connections.ts';
import { eventually } from '../../support/wait.ts';
import type { Here } from '../http/here.ts';
import { send } from '../targets/support.ts';

export async function addConnection(here: Here, given: NewConnectionInput): Promise<Connection> {
  const answer = await send(here, 'POST', '/connections', given);
  if (answer.status !== 201) throw new Error(`${answer.status}: ${answer.body}`);
  return Connection.parse(answer.json());
}

export async function connectionOf(here: Here, id: string): Promise<Connection> {
  return Connection.parse((await send(here, 'GET', `/connections/${id}`)).json());
}

/** Waits until a connection is as wanted. */
export async function until(here: Here, id: string, wanted: (connection: Connection) => boolean): Promise<Connection> {
  let last: Connection | null = null;
  try {
    return await eventually(async () => {
      last = await connectionOf(here, id);
      return wanted(last) ? last : undefined;
    });
  } catch (error) {
    throw new Error(`the connection stays ${JSON.stringify(last)}`, { cause: error });
  }
}

export const isUp = ({ engine }: Connection): boolean => engine?.state === 'up';

/** Id of the engine that a new connection leads to. */
export async function reach(here: Here, given: NewConnectionInput): Promise<{ connection: string; engine: string }> {
  const { id } = await addConnection(here, given);
  const { engine } = await until(here, id, isUp);
  return { connection: id, engine: engine?.id ?? '' };
}

export async function engines(here: Here): Promise<readonly ListedEngine[]> {
  return EngineList.parse((await send(here, 'GET', '/engines')).json()).engines;
}

import { notifications } from '@mantine/notifications';
import { useMemo } from 'react';
import type { Connection, Forward, NewConnectionInput } from '../../../shared/api/connections.ts';
import { sayFailure, sayWithUndo } from '../../components/undo.tsx';
import { farOf } from '../../data/connections.ts';
import { useHome } from '../../state/engine.ts';
import { isBegun, listenText } from './words.ts';

export interface ConnectionActions {
  connect(connection: Connection): Promise<void>;
  disconnect(connection: Connection): Promise<void>;
  /** Ends it and begins anew. */
  reconnect(connection: Connection): Promise<void>;
  /** True: it is gone. */
  remove(connection: Connection): Promise<boolean>;
  removeForward(connection: Connection, forward: Forward): Promise<void>;
}

/** What it takes to have it again. */
const again = ({ host, name, group, auto, sync, address, ...rest }: Connection): NewConnectionInput => ({
  ...{ host, name: name === host ? '' : name, group, auto, sync, engine: address },
  connect: isBegun(rest),
});

/** Changes that need no form, each told when it is done. */
export function useConnectionActions(): ConnectionActions {
  const { api, connections: model } = useHome();
  return useMemo((): ConnectionActions => {
    const act = async (what: string, work: () => Promise<void>): Promise<boolean> => {
      try {
        await work();
        return true;
      } catch (error) {
        sayFailure(what, error);
        return false;
      }
    };
    const restore = (gone: Connection): Promise<unknown> =>
      act('It could not be brought back', async () => {
        const back = await api.connections.add(again(gone));
        model.put(back);
        for (const forward of gone.forwards) {
          const to = farOf(forward.to);
          if (to !== null) await api.connections.addForward(back.id, { port: forward.listen.port, to });
        }
        notifications.show({ message: `Back on the list: ${back.name}` });
      });
    return {
      connect: async ({ id, name }) => {
        await act(`${name} was not connected`, async () => model.put(await api.connections.connect(id)));
      },
      disconnect: async ({ id, name }) => {
        await act(`${name} was not disconnected`, async () => model.put(await api.connections.disconnect(id)));
      },
      reconnect: async ({ id, name }) => {
        await act(`${name} was not connected again`, async () => {
          await api.connections.disconnect(id);
          model.put(await api.connections.connect(id));
        });
      },
      remove: (connection) =>
        act(`${connection.name} was not removed`, async () => {
          await api.connections.remove(connection.id);
          model.drop(connection.id);
          sayWithUndo(`Removed: ${connection.name}`, async () => void (await restore(connection)));
        }),
      removeForward: async ({ id, name }, forward) => {
        await act('The forward was not closed', async () => {
          await api.connections.removeForward(id, forward.id);
          sayWithUndo(`Closed: ${listenText(forward)} to ${forward.to}`, async () => {
            const to = farOf(forward.to);
            if (to === null) return;
            await act(`The forward to ${name} was not opened again`, async () => {
              await api.connections.addForward(id, { port: forward.listen.port, to });
            });
          });
        });
      },
    };
  }, [api, model]);
}

import { Command } from 'commander';
import type { EngineClient } from '../../client/http.ts';
import { Connection, ConnectionList, type EngineAction } from '../../shared/api/connections.ts';
import { addSearchOptions, requireEngine, type SearchFlags } from '../engine-search.ts';
import { Watch } from '../remote-watch.ts';
import { oneLine } from '../terminal-prompts.ts';

interface RemoteFlags extends SearchFlags {
  readonly json?: boolean;
  readonly folder?: string;
  readonly elsewhere?: boolean;
}

/** By host, by the name that it was given, or by id. */
async function findConnection(client: EngineClient, host: string): Promise<Connection | undefined> {
  const { connections } = ConnectionList.parse(await client.json('/connections'));
  return (
    connections.find((one) => one.host === host) ?? connections.find((one) => one.name === host || one.id === host)
  );
}

async function needConnection(client: EngineClient, host: string): Promise<Connection> {
  const found = await findConnection(client, host);
  if (found) return found;
  throw new Error(`${host} is not on the list of connections: \`vigie remote start ${host}\` puts it there`);
}

async function run(action: EngineAction, host: string, flags: RemoteFlags): Promise<void> {
  const { client } = await requireEngine(flags);
  const known = action === 'start' ? await findConnection(client, host) : await needConnection(client, host);
  const { id } = known ?? Connection.parse(await client.post('/connections', { host, connect: false }));
  const given = {
    ...(flags.folder === undefined ? {} : { folder: flags.folder }),
    ...(flags.elsewhere ? { elsewhere: true } : {}),
  };
  await client.post(`/connections/${id}/engine/${action}`, given);
  const work = await new Watch(client, id).untilOver();
  if (flags.json) console.log(JSON.stringify(work));
  else if (work.state === 'done') console.log(oneLine(work.reason ?? 'done'));
  if (work.state === 'done') return;
  // A name that was mistyped is not to stay on the list: it is there only because of this.
  if (!known && work.steps[0]?.state !== 'done') await client.delete(`/connections/${id}`).catch(() => undefined);
  if (!flags.json) console.error(`vigie: ${oneLine(work.reason ?? work.state)}`);
  process.exitCode = work.state === 'cancelled' ? 130 : 1;
}

const timeOf = (ms: number): string => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');

function statusText({ host, state, reason, engine, placed, work }: Connection): string {
  const because = (words: string | null | undefined): string => (words ? `: ${words}` : '');
  return [
    `${host}: ${state}${because(reason)}`,
    engine === null
      ? 'engine: none is looked for'
      : `engine: ${engine.state}${engine.version === null ? '' : `, vigie ${engine.version}`}${
          engine.host === null ? '' : ` on ${engine.host}`
        }${because(engine.reason)}`,
    placed === null
      ? 'put there by this engine: none'
      : `put there by this engine: vigie ${placed.version} in ${placed.folder} on ${placed.host}, ${timeOf(placed.since)} UTC`,
    ...(work === null ? [] : [`last: ${work.action} ${work.state}${because(work.reason)}`]),
  ]
    .map(oneLine)
    .join('\n');
}

async function status(host: string, flags: RemoteFlags): Promise<void> {
  const { client } = await requireEngine(flags);
  const connection = await needConnection(client, host);
  console.log(flags.json ? JSON.stringify(connection) : statusText(connection));
}

/** `vigie remote`: an engine of its own on a host that is reached by SSH. */
export function remoteCommand(): Command {
  const command = new Command('remote').description('start an engine on a host that is reached by SSH, and end it');
  const add = (
    name: string,
    description: string,
    act: (host: string, flags: RemoteFlags) => Promise<void>,
  ): Command => {
    const own = addSearchOptions(new Command(name).description(description))
      .argument('<HOST>', 'as for ssh: a name of ~/.ssh/config, or user@host')
      .option('--json', 'as JSON; times in ms since the epoch')
      .action(act);
    command.addCommand(own);
    return own;
  };
  const bring = (action: 'start' | 'upgrade', description: string): void => {
    add(action, description, (host, flags) => run(action, host, flags))
      .option(
        '--folder <dir>',
        'a folder over there, on a disk of that node, to put it in (default: below /tmp, /var/tmp, …)',
      )
      .option('--elsewhere', 'also where another host of a round-robin name answers than the one that it was put on');
  };
  bring('start', 'send the engine there and start it, without a port, apart from the login');
  bring('upgrade', "put this engine's version in the place of the one over there");
  add('stop', 'stop it; its files stay', (host, flags) => run('stop', host, flags));
  add('remove', 'stop it and remove all that was put there; its history stays', (host, flags) =>
    run('remove', host, flags),
  );
  add('status', 'tell how it is', status);
  return command;
}

import { Command, InvalidArgumentError, Option } from 'commander';
import { resolveConfig, type SettingsInput } from '../../engine/config.ts';
import { addToken, readTokens, revokeToken, tokensPath, type StoredToken } from '../../engine/tokens/tokens-file.ts';
import { NewToken } from '../../shared/api/tokens.ts';
import { OWNER, Role } from '../../shared/model/role.ts';

/** Where the tokens are, told as to `vigie serve`. */
interface PlaceFlags {
  data?: string;
  memory?: boolean;
  socket?: string;
  tokenFile?: string;
  config?: string;
}

const withPlace = (command: Command): Command =>
  command
    .addOption(
      new Option('--data <dir>', 'data directory of the engine (default $XDG_DATA_HOME/vigie/HOST)').conflicts(
        'memory',
      ),
    )
    .option('--memory', 'of an engine that keeps everything in memory: the tokens are beside its socket')
    .option('--socket <path>', 'its socket, with --memory (default /tmp/vigie-UID/engine.socket, or $VIGIE_SOCKET)')
    .option('--token-file <path>', "the owner's token: the others are kept beside it (default DATA/token)")
    .option('--config <path>', 'configuration file of the engine');

async function pathOf(flags: PlaceFlags): Promise<string> {
  const given: SettingsInput = {
    ...(flags.data === undefined ? {} : { data: flags.data }),
    ...(flags.memory === undefined ? {} : { memory: flags.memory }),
    ...(flags.socket === undefined ? {} : { socket: flags.socket }),
    ...(flags.tokenFile === undefined ? {} : { token_file: flags.tokenFile }),
  };
  const { tokenFile } = await resolveConfig(given, process.env, flags.config ?? null);
  return tokensPath(tokenFile);
}

function parseName(text: string): string {
  const parsed = NewToken.shape.name.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError(parsed.error.issues[0]!.message);
}

async function add(name: string, flags: PlaceFlags & { role: Role }): Promise<void> {
  const path = await pathOf(flags);
  const { token } = await addToken(path, { name, role: flags.role }, Date.now());
  // Alone on stdout: $(vigie token add NAME) is the token.
  console.log(token);
  console.error(
    `This is the token "${name}" (role ${flags.role}); only its hash is kept, so it is not shown again. A running engine takes it at once.`,
  );
}

const timeOf = (ms: number): string => (ms === 0 ? 'never' : new Date(ms).toISOString().slice(0, 19).replace('T', ' '));

async function list(flags: PlaceFlags & { json?: boolean }): Promise<void> {
  const path = await pathOf(flags);
  const tokens = readTokens(path).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  if (flags.json) {
    const shown = tokens.map(({ name, role, created, last_used }) => ({ name, role, created, last_used }));
    console.log(JSON.stringify({ tokens: shown }));
  } else if (tokens.length === 0) {
    console.log(`No tokens were added, there is only the owner's; add one with: vigie token add NAME --role view`);
  } else console.log(tableOf(tokens));
}

function tableOf(tokens: readonly StoredToken[]): string {
  const rows = [
    ['NAME', 'ROLE', 'CREATED (UTC)', 'LAST USED (UTC)'],
    ...tokens.map(({ name, role, created, last_used }) => [name, role, timeOf(created), timeOf(last_used)]),
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) => row.map((text, i) => text.padEnd(widths[i] ?? 0)).join('  ')).join('\n');
}

async function revoke(name: string, flags: PlaceFlags): Promise<void> {
  if (name === OWNER) {
    throw new Error('the token in the token file cannot be revoked: remove that file and restart the engine');
  }
  const path = await pathOf(flags);
  await revokeToken(path, name);
  console.log(`Revoked "${name}". A running engine takes it no longer, within a second.`);
}

/** `vigie token`: tokens beside the owner's, each with a name and a role. */
export function tokenCommand(): Command {
  const command = new Command('token').description('manage access tokens: who may look, and who may change something');
  command.addCommand(
    withPlace(new Command('add').description('add a token and print it, once'))
      .argument('<NAME>', 'letters, digits or . _ @ -', parseName)
      .addOption(
        new Option('--role <role>', 'view: look only; control: everything').choices(Role.options).default('view'),
      )
      .action(add),
  );
  command.addCommand(
    withPlace(new Command('list').description('list added tokens, without their text'))
      .option('--json', 'as JSON, times in ms since the epoch')
      .action(list),
  );
  command.addCommand(
    withPlace(new Command('revoke').description('refuse a token from now on')).argument('<NAME>').action(revoke),
  );
  return command;
}

/** The text as one word of a POSIX shell, quoted only where it must be. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Where `vigie push` looks by itself. */
const USUAL_SOCKET = /^\/tmp\/vigie-\d+\/engine\.socket$/;

/**
 * A `vigie push` command line that reaches the engine at this socket.
 * @param socket the engine's socket, null while it is not known
 * @param rest the arguments, as they are typed
 */
export function pushCommand(socket: string | null, rest: string): string {
  const where = socket === null || USUAL_SOCKET.test(socket) ? '' : `--socket ${shellWord(socket)} `;
  return `./bin/vigie push ${where}${rest}`;
}

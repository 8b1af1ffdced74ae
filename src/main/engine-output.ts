/** The log of the engine's process, line by line, to its end. */

/** Bytes of a line; the rest of a longer one is left out. */
const MAX_LINE = 4096;

/** Calls `line` for each line of a stream; an endless one is cut. Resolves when nothing more comes. */
export function readLines(stream: NodeJS.ReadableStream, line: (text: string) => void): Promise<void> {
  // Electron takes all listeners away once it has told of the exit: what is still in the pipe would be lost.
  stream.removeAllListeners = () => stream;
  return new Promise((resolve) => {
    let rest = '';
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      const lines = `${rest}${text}`.split('\n');
      rest = (lines.pop() ?? '').slice(0, MAX_LINE);
      for (const one of lines) line(one.slice(0, MAX_LINE));
    });
    const end = (): void => {
      if (rest !== '') line(rest);
      rest = '';
      resolve();
    };
    for (const event of ['end', 'error', 'close']) stream.on(event, end);
  });
}

/** Calls `then` when all of it is read, at the latest after `within` ms: a process below may hold the pipes open. */
export function afterOutput(read: readonly Promise<void>[], within: number, then: () => void): void {
  let late: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve) => (late = setTimeout(resolve, within)));
  void Promise.race([Promise.all(read), enough]).then(() => {
    clearTimeout(late);
    then();
  });
}

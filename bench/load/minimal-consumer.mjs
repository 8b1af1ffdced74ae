// The simplest consumer of the same messages that one would write: split at NUL, JSON.parse, add to a Map. It is what
// the engine is compared with. Usage: minimal-consumer.mjs SOCKET; prints a line when it listens, and on any input line
// answers with the sums.
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

const sums = new Map();
const server = createServer((socket) => {
  let rest = '';
  socket.setEncoding('utf8');
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    const messages = (rest + chunk).split('\0');
    rest = messages.pop() ?? '';
    for (const text of messages) {
      const { Value } = JSON.parse(text);
      if (Value?.value.Counter) sums.set(Value.name, (sums.get(Value.name) ?? 0) + Value.value.Counter.value);
    }
  });
});
server.listen(process.argv[2], () => console.log(JSON.stringify({ event: 'ready', pid: process.pid })));
const input = createInterface({ input: process.stdin });
input.on('line', () => console.log(JSON.stringify(Object.fromEntries(sums))));
input.on('close', () => process.exit());

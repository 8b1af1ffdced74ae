import { createConnection } from 'node:net';
import { describe, expect, test } from 'vitest';
import { messagesOf, readRecording, sumsOf } from '../../support/recording.ts';
import { eventually } from '../../support/wait.ts';
import { startHere } from '../http/here.ts';

/** Writes pieces of bytes so that each is a write of its own. */
async function write(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  const socket = createConnection(path);
  socket.setNoDelay(true);
  for (const piece of pieces)
    await new Promise<void>((resolve, reject) => socket.write(piece, (error) => (error ? reject(error) : resolve())));
  await new Promise<void>((resolve) => socket.end(resolve));
}

describe.each(['wire-capi-0', 'wire-mpi-0'] as const)('the recording %s', (name) => {
  const recording = readRecording(name);
  const messages = messagesOf(recording);
  const { counters, gauges } = sumsOf(messages);
  const described = messages.flatMap((m) => ('Desc' in m ? [m.Desc] : []));
  const job = messages.flatMap((m) => ('JobDesc' in m ? [m.JobDesc] : []))[0]!;
  const pieces = recording.chunks.map((c) => recording.bytes.subarray(c.offset, c.offset + c.length));

  test.each(['socket', 'legacy_socket'] as const)(
    'replayed into the %s gives exactly its sums, in the profile and in the node’s total',
    async (which) => {
      const { engine, client } = await startHere({ node: false, period: '1s' });
      await write(engine.ready[which]!, pieces);
      const profile = await eventually(async () => client.profile((await client.runs({ state: 'ended' })).runs[0]!.id));

      const { ingest } = await client.status();
      expect(ingest).toMatchObject({
        messages: messages.length,
        bytes: recording.bytes.length,
        rejected: {},
        connections: 0,
      });
      const { start_time: start } = job;
      expect(profile.run).toMatchObject({
        ...job,
        start_time: start,
        end_time: expect.any(Number),
        state: 'finished',
        ranks: 1,
      });
      expect(profile.run.end_time).toBeGreaterThan(Number(start));
      expect(profile.series).toHaveLength(described.length);
      const values = new Map(profile.series.map((s) => [s.name, s]));
      for (const { name: metric, doc, ctype } of described) {
        const value =
          'Counter' in ctype ? { value: counters.get(metric) ?? 0, gauge: null } : { gauge: gauges.get(metric) };
        expect(values.get(metric)).toMatchObject({ name: metric, doc, ...value });
      }
      const main = JSON.parse((await client.raw('/job?job=main')).body) as {
        counters: { name: string; ctype: { Counter?: { value: number } } }[];
      };
      for (const [metric, sum] of counters) {
        expect(main.counters.find((c) => c.name === metric)).toMatchObject({ ctype: { Counter: { value: sum } } });
      }
    },
  );
});

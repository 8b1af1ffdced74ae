import { availableParallelism } from 'node:os';

import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // A worker of its own for each file, and a process rather than a thread: tests open sockets, databases and children.
    pool: 'forks',
    // Set where the run is unattended: a forgotten `.only` would pass by leaving out the rest.
    allowOnly: process.env['CI'] !== 'true',
    // One kind after the other (groupOrder): engines and a browser beside each other would only share two cores.
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.{ts,tsx}'],
          testTimeout: 20_000,
          maxWorkers: Math.max(2, availableParallelism()),
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'integration',
          globalSetup: 'test/support/run-cache.ts',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'desktop',
          include: ['test/e2e/desktop/**/*.test.ts'],
          testTimeout: 180_000,
          // The first one may have to fetch the runtime.
          hookTimeout: 600_000,
          // One window at a time: two want more than a small machine has.
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: 'e2e',
          globalSetup: 'test/support/run-cache.ts',
          include: ['test/e2e/**/*.test.ts'],
          exclude: ['test/e2e/desktop/**'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          // One browser at a time: two on a small machine make each other's waits too short.
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});

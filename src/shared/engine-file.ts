/** `engine.json` in the data directory: where the engine that has it can be reached. What its readers take from it. */

import { z } from 'zod';

export const ENGINE_FILE = 'engine.json';

export const EngineFile = z.object({
  socket: z.string().min(1),
  url: z.string().nullable().catch(null),
  pid: z.number().catch(0),
});
export type EngineFile = z.infer<typeof EngineFile>;

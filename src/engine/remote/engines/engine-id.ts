/** Ids of engines, and of what is kept of other engines here. */

/** 128 random bits that an engine makes at its first start. */
export const ENGINE_ID = /^[0-9a-f]{32}$/;

/** Run ids as engines make them: what is anything else is not taken from over there. */
const RUN_ID = /^[A-Za-z0-9_-]{1,128}$/;

export const isRunId = (text: string): boolean => RUN_ID.test(text);

/** A run of another engine, as this engine's store has it. Its own ids have no dot. */
export const storedRunId = (engine: string, run: string): string => `${engine}.${run}`;

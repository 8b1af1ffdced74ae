import type { PlacedEngine } from '../../../shared/api/connections.ts';

/** Behind a round-robin name another host answers than the one that has the engine. */
export const whyElsewhere = (answers: string, { host }: Pick<PlacedEngine, 'host'>): string =>
  `${answers} answered, and the engine was put on ${host}: connect to ${host} by its own name to reach it`;

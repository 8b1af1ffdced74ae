import type { Run } from '../../../shared/api/runs.ts';

/** One that was cut off says nothing about how its metrics grow with its size. */
export const isMeasured = ({ state, size }: Pick<Run, 'state' | 'size'>): boolean => state === 'finished' && size > 0;

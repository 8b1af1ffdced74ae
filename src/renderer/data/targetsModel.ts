import type { Target } from '../../shared/api/targets.ts';
import type { TargetsEvent } from './live.ts';
import { RowsModel } from './rowsModel.ts';
import type { RowsSnapshot } from './rowsModel.ts';
import { mergeTargets } from './targets.ts';

export type TargetsSnapshot = RowsSnapshot<Target>;

interface TargetsSource {
  onTargets(listener: (change: TargetsEvent) => void): () => void;
}

/** All targets of an engine. */
export class TargetsModel extends RowsModel<Target, TargetsEvent> {
  constructor(source: TargetsSource) {
    super((take) => source.onTargets(take), mergeTargets);
  }
}

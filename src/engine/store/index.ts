import { openWorkerStore, type WorkerStoreOptions } from './client.ts';
import { openMemoryStore, type MemoryStoreOptions } from './memory.ts';
import type { OpenedStore } from './store.ts';

export { StoreOpenError } from './open-error.ts';

export interface StoreConfig {
  /** Directory of the store; null keeps everything in memory. */
  readonly data: string | null;
  readonly memory?: MemoryStoreOptions;
  readonly worker?: Omit<WorkerStoreOptions, 'dataDir'>;
}

/** Throws StoreOpenError. */
export async function openStore(config: StoreConfig): Promise<OpenedStore> {
  if (config.data === null) return openMemoryStore(config.memory);
  return openWorkerStore({ ...config.worker, dataDir: config.data });
}

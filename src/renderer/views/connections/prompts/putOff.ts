import { create } from 'zustand';

interface PutOff {
  /** Prompts that the person at this page wants to answer later. */
  readonly ids: ReadonlySet<string>;
  putOff(id: string): void;
  bringBack(): void;
}

const NOTHING: ReadonlySet<string> = new Set();

export const usePutOff = create<PutOff>((set) => ({
  ids: NOTHING,
  putOff: (id) => set(({ ids }) => ({ ids: new Set(ids).add(id) })),
  bringBack: () => set({ ids: NOTHING }),
}));

/** How long silences usually last. */
export const SILENCE_SPANS: readonly (readonly [label: string, ms: number])[] = [
  ['1 h', 3_600_000],
  ['4 h', 14_400_000],
  ['1 day', 86_400_000],
  ['1 week', 604_800_000],
];

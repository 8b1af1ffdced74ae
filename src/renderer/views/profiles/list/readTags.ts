import { Tag } from '../../../../shared/api/profiles.ts';

/** Tags as the engine takes them, and the first that it does not. */
export function readTags(texts: readonly string[]): { tags: string[]; error: string | null } {
  const read = texts.map((text) => Tag.safeParse(text));
  const bad = read.findIndex(({ success }) => !success);
  const tags = [...new Set(read.flatMap((one) => (one.success ? [one.data] : [])))];
  const why = bad < 0 ? null : (read[bad]?.error?.issues[0]?.message ?? 'not a tag');
  return { tags, error: why === null ? null : `“${texts[bad]}”: ${why}` };
}

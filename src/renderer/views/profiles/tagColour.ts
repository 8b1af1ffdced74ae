/** Grounds for tags; what a tag says is its text, the colour only helps to find it again. */
const COLOURS = 8;

/** The same for the same text, on every page. */
export function tagColour(tag: string): number {
  let hash = 0;
  for (let i = 0; i < tag.length; i++) hash = (Math.imul(hash, 31) + tag.charCodeAt(i)) | 0;
  return (hash >>> 0) % COLOURS;
}

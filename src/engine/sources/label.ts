/** Longest label value kept, in UTF-16 code units: four of them, all escaped, still make a valid metric name. */
const MAX_VALUE = 100;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const latin1 = new TextDecoder('latin1');

const hex = (c: string): string => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`;

/**
 * A label value out of bytes of the kernel, which allows nearly any byte in the name of an interface. UTF-8 is kept;
 * control characters, and every byte above 127 of what is not UTF-8, are written as `\x1b`, so that the name stays
 * readable and valid. Quotes and backslashes are escaped later, by formatMetric.
 */
export function labelValue(bytes: Uint8Array): string {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    text = latin1.decode(bytes).replace(/[\u0080-\u00ff]/g, (c) => hex(c));
  }
  return text
    .trim()
    .replace(/\p{Cc}/gu, hex)
    .slice(0, MAX_VALUE)
    .toWellFormed();
}

/** The text of a small file of one line, such as /proc/sys/kernel/hostname. Null when absent or empty. */
export function labelOf(bytes: Uint8Array | null): string | null {
  if (bytes === null) return null;
  const end = bytes.indexOf(0x0a);
  return labelValue(end < 0 ? bytes : bytes.subarray(0, end)) || null;
}

/** Saves a text as a file of the browser's user. */
export function download(text: string, type: string, name: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** A time as a part of a file's name, UTC: `2026-11-21T081503`. */
export const fileStamp = (time: number): string => new Date(time).toISOString().slice(0, 19).replaceAll(':', '');

/** Says what went wrong in one line on stderr and ends with status 1. A stack helps nobody who did not write this. */
export function fail(error: unknown): never {
  console.error(`vigie: ${error instanceof Error ? error.message : String(error)}`);
  if (process.env['VIGIE_DEBUG']) console.error(error);
  process.exit(1);
}

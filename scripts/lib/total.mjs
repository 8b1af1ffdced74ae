/** Adding up what a test run gave, without trusting that it came to its end. */

/** @typedef {{ name: string, reason: string }} Skipped */
/** @typedef {{ passed: number, failed: number, skipped: Skipped[] }} Total */

/**
 * @param {number} code Exit status of vitest.
 * @param {string | undefined} summary What scripts/vitest-reporter.mjs wrote; undefined when it did not come to that.
 * @param {(line: string) => void} [tell] Hears why something is a failure that no test reported.
 * @returns {Total}
 */
export function addUp(code, summary, tell = console.log) {
  /** @type {Total} */
  const total = { passed: 0, failed: 0, skipped: [] };
  if (summary === undefined) {
    tell(`vitest ended with status ${code} before it could report.`);
    return { ...total, failed: 1 };
  }
  const { passed, failed, skipped, outside } = JSON.parse(summary);
  total.passed = passed;
  total.skipped = skipped;
  // Errors outside of tests: a file that does not load, a rejection nobody handled.
  total.failed = failed + outside;
  if (total.failed === 0 && code !== 0) {
    tell(`vitest ended with status ${code} although no test failed.`);
    total.failed = 1;
  }
  if (total.failed === 0 && total.passed === 0) {
    tell('No test ran.');
    total.failed = 1;
  }
  return total;
}

/** @param {Total} total */
export function totalLine({ passed, failed, skipped }) {
  const tail = skipped.length > 0 ? `, ${skipped.length} skipped` : '';
  return `total: ${passed} passed, ${failed} failed${tail}`;
}

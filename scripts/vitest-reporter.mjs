/** Counts the results of a vitest run into the file named by $VIGIE_TEST_SUMMARY, for scripts/test.mjs. */

import { writeFileSync } from 'node:fs';

/** @typedef {import('vitest/node').TestModule} TestModule */

// Vitest loads a reporter given by its path from the default export.
export default class SummaryReporter {
  /**
   * @param {readonly TestModule[]} modules
   * @param {readonly unknown[]} unhandled
   */
  onTestRunEnd(modules, unhandled) {
    const summary = { passed: 0, failed: 0, outside: unhandled.length, skipped: /** @type {object[]} */ ([]) };
    for (const module of modules) {
      summary.outside += module.errors().length;
      for (const suite of module.children.allSuites()) summary.outside += suite.errors().length;
      for (const test of module.children.allTests()) {
        const result = test.result();
        if (result.state === 'passed') summary.passed += 1;
        else if (result.state === 'skipped') {
          const reason = result.note ?? (test.options.mode === 'todo' ? 'to do' : 'no reason given');
          summary.skipped.push({ name: `${module.relativeModuleId} > ${test.fullName}`, reason });
        }
        // `pending` is a test that never came to its end.
        else summary.failed += 1;
      }
    }
    const file = process.env['VIGIE_TEST_SUMMARY'];
    if (file !== undefined) writeFileSync(file, JSON.stringify(summary));
  }
}

import { expect, test } from 'vitest';
import { ApiError, ERROR_CODES, errorEntry, Problem } from '../../../src/shared/errors.ts';

test.each(ERROR_CODES)('%s becomes a valid problem with its own status and title', (code) => {
  const error = new ApiError(code, 'what to do next');
  const problem = Problem.parse(error.toProblem());
  expect(problem).toEqual({ type: 'about:blank', code, detail: 'what to do next', ...errorEntry(code) });
  expect(error.status).toBe(problem.status);
  expect(problem.status).toBeGreaterThanOrEqual(400);
  expect(problem.status).toBeLessThan(600);
});

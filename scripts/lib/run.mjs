/** Starting programs and waiting for them. Plain JavaScript for Node 20. */

import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/**
 * @typedef {object} Outcome
 * @property {number} code Exit status; 128 + the signal's number when a signal ended it, 127 when it could not be started.
 * @property {string} output What it wrote on both streams, in order of arrival; empty when the streams were inherited.
 * @property {string} error The system's error code when it could not be started (`ENOENT`), else empty.
 */

/**
 * Runs a program to its end. Never throws: the caller decides what a failure means.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, inherit?: boolean }} [options] `inherit`: the program writes to our
 *   own streams instead of into `output`.
 * @returns {Promise<Outcome>}
 */
export function run(command, args, options = {}) {
  const { cwd, env = process.env, inherit = false } = options;
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env, stdio: inherit ? 'inherit' : ['ignore', 'pipe', 'pipe'] });
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (text) => (output += text));
    child.stderr?.setEncoding('utf8').on('data', (text) => (output += text));
    // A signal to us alone (not from a terminal, which reaches the whole group) must not leave the child behind.
    /** @param {NodeJS.Signals} signal */
    const pass = (signal) => void child.kill(signal);
    process.on('SIGTERM', pass).on('SIGINT', pass);
    /** @param {Outcome} outcome */
    const done = (outcome) => {
      process.off('SIGTERM', pass).off('SIGINT', pass);
      resolve(outcome);
    };
    child.once('error', (error) => {
      done({ code: 127, output: error.message, error: 'code' in error ? String(error.code) : 'unknown' });
    });
    child.once('close', (code, signal) => {
      done({ code: code ?? 128 + (signal === null ? 0 : constants.signals[signal]), output, error: '' });
    });
  });
}

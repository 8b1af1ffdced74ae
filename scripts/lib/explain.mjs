/** From the output of a failed program to what a person can do about it. */

/** @type {readonly (readonly [RegExp, string, string])[]} */
const causes = [
  [
    /ENOSPC|no space left/i,
    'the disk is full',
    'Free some space (about 600 MB are needed, and npm keeps a cache in ~/.npm), then run the same command again.',
  ],
  [
    /EROFS|read-only file system/i,
    'the folder is on a read-only file system',
    'Clone into a folder that can be written, then run the same command there.',
  ],
  [
    /EACCES|EPERM|permission denied/i,
    'there is no permission to write',
    'Run as the owner of this folder and of ~/.npm (see `ls -ld . ~/.npm`), or clone into a folder of your own.',
  ],
  [
    /ENOTFOUND|EAI_AGAIN|ENETUNREACH|EHOSTUNREACH|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ERR_SOCKET_TIMEOUT|network/i,
    'the package registry could not be reached',
    'Check the network and the proxy settings (`npm config get registry`, HTTPS_PROXY), then run the same command again.',
  ],
  [
    /EUSAGE|can only install packages when your package\.json and package-lock\.json/i,
    'package.json and package-lock.json do not agree',
    'Run `npm install` to bring the lock file up to date, and commit it.',
  ],
  [
    /EINTEGRITY/i,
    'a downloaded package is not the one recorded in package-lock.json',
    'Run `npm cache verify` and try again; if it stays, the registry or a proxy on the way changes packages.',
  ],
];

/**
 * @param {string} output What the program wrote.
 * @returns {{ cause: string, next: string }}
 */
export function explain(output) {
  for (const [pattern, cause, next] of causes) {
    if (pattern.test(output)) return { cause, next };
  }
  return { cause: 'see its output above', next: 'Mend what it names, then run the same command again.' };
}

/**
 * npm's output without what is expected: the Node that installs may be older than what packages ask for, since the
 * project brings its own Node.
 *
 * @param {string} output
 */
export function withoutNoise(output) {
  return (
    output
      .split('\n')
      .filter((line) => !/EBADENGINE/.test(line))
      .join('\n')
      // The manual page that follows a usage error would push its reason off the screen.
      .replace(/^npm error Clean install a project$[^]*?(?=^npm error A complete log)/m, '')
  );
}

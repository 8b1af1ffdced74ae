/** Addresses of targets: what is taken means the same when it is written down and read again, and logs in nowhere else. */

import { placesOf } from '../../src/engine/targets/find-type.ts';
import { TargetError, type TargetUrl } from '../../src/engine/targets/type.ts';
import { parseTargetUrl, withPath } from '../../src/engine/targets/url.ts';
import { readSshHost, sshHostOf } from '../../src/shared/target-address.ts';
import type { FuzzTarget } from './target.ts';

const placeOf = ({ ssh, protocol, hostname, port, path, socketPath }: TargetUrl): string =>
  JSON.stringify([ssh, protocol, hostname, port, path, socketPath]);

function parsed(text: string): TargetUrl | null {
  try {
    return parseTargetUrl(text);
  } catch (error) {
    if (error instanceof TargetError) return null;
    throw error;
  }
}

export const address: FuzzTarget = {
  name: 'address',
  words: [
    ...[
      'ssh://',
      'ssh:',
      'http://',
      'https://',
      'unix:',
      'login',
      'me@',
      'node7',
      ':9100',
      ':22',
      '/metrics',
      '?a=b',
      '#',
    ],
    ...[
      '[fe80::1]',
      '::1',
      '127.0.0.1',
      '/',
      '//',
      '@',
      ':',
      '-o',
      '%',
      '%2f',
      ' ',
      '\n',
      '\0',
      'é',
      '/run/x.sock',
      '..',
    ],
    'ssh://me@[fe80::1]:22/https://node7:9100/metrics?a=b',
  ],
  check(input) {
    const text = Buffer.from(input).toString('utf8');
    const host = sshHostOf(text);
    const url = parsed(text);
    if (url === null) return 'refused';
    if (url.ssh !== host) throw new Error(`${text} is behind ${String(host)} and ${String(url.ssh)}`);
    if (/["'`$;&|<>\\(){}*?!\s]/.test(url.ssh ?? '')) throw new Error(`${url.ssh ?? ''} is no name for a shell`);
    if (url.ssh !== null && readSshHost(url.ssh).name.startsWith('-')) throw new Error('an option as a host');
    const again = parseTargetUrl(url.href);
    if (placeOf(again) !== placeOf(url)) throw new Error(`${url.href} is ${placeOf(again)}, not ${placeOf(url)}`);
    const other = withPath(url, '/other');
    if (placeOf({ ...other, path: url.path }) !== placeOf(url)) throw new Error(`${other.href} is another place`);
    for (const place of placesOf(text)) {
      if (place.ssh !== url.ssh || place.hostname !== url.hostname) throw new Error(`${place.href} is another host`);
    }
    return `${url.protocol} ${url.ssh !== null} ${url.socketPath !== null} ${url.portGiven}`;
  },
};

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressOf, engineHref, placeOf, sameView } from '../../../../src/renderer/state/place.ts';

const ID = '0123456789abcdef0123456789abcdef';

test.each([
  ['/ui/jobs', { engine: null, path: '/ui/jobs' }],
  [`/ui/@${ID}/jobs/abc`, { engine: ID, path: '/ui/jobs/abc' }],
  [`/ui/@${ID}`, { engine: ID, path: '/ui' }],
  ['/ui/@/jobs', { engine: null, path: '/ui/jobs' }],
  [`/ui/@${ID}/clusters`, { engine: null, path: '/ui/clusters' }],
  [`/ui/@${ID}/connections/c1`, { engine: null, path: '/ui/connections/c1' }],
  [`/ui/@${ID}/connectionsx`, { engine: ID, path: '/ui/connectionsx' }],
  ['/', { engine: null, path: '/' }],
])('%s', (pathname, place) => {
  expect(placeOf(pathname)).toEqual(place);
});

test.each([
  [null, '/ui/jobs?q=x', '/ui/jobs?q=x'],
  [ID, '/ui/jobs?q=x', `/ui/@${ID}/jobs?q=x`],
  [ID, '/ui/connections/c1', '/ui/connections/c1'],
  [ID, '/ui/clusters', '/ui/clusters'],
  [ID, '/ui/@/jobs', '/ui/jobs'],
  [ID, '/ui/@other/jobs', '/ui/@other/jobs'],
  [null, '/ui/@other/jobs', '/ui/@other/jobs'],
])('while %s is looked at, %s leads to %s', (engine, href, address) => {
  expect(addressOf(engine, href)).toBe(address);
});

test.each([
  ['/ui/jobs/abc', '/ui/jobs'],
  ['/ui/alarms/rules/17', '/ui/alarms/rules'],
  ['/ui/alarms/alarm/x', '/ui/alarms'],
  ['/ui/clusters', '/ui/jobs'],
  ['/ui/settings', '/ui/settings'],
  ['/ui', '/ui/jobs'],
])('another cluster’s view of %s is %s', (path, same) => {
  expect(sameView(path)).toBe(same);
});

test('whatever is linked, from wherever, is of the engine that was meant', () => {
  const ids = fc.option(fc.stringMatching(/^[0-9a-f]{32}$/));
  fc.assert(
    fc.property(ids, ids, fc.webPath(), (here, meant, rest) => {
      const path = `/ui/jobs${rest.startsWith('/') ? rest : ''}`;
      expect(placeOf(addressOf(here, engineHref(meant, path)))).toEqual({ engine: meant, path });
      expect(placeOf(addressOf(here, path))).toEqual({ engine: here, path });
    }),
  );
});

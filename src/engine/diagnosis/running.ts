/** What the engine says of itself. */

import type { Check } from '../../shared/api/diagnosis.ts';
import type { Status } from '../../shared/api/status.ts';
import { parseDuration } from '../../shared/duration.ts';
import { ok, problem, warning } from './check.ts';
import type { Patient } from './patient.ts';

/** A limit of which more than this share is used is told before it is reached. */
const NEAR = 0.9;
/** Ticks are late now and then on a busy machine; more than this share of them is too much. */
const LATE = 0.02;
/** The store is always a little behind: more than this many ms or periods is a lag. */
const BEHIND_MS = 15_000;
const BEHIND_PERIODS = 15;

export function checkRunning({ status, tried }: Pick<Patient, 'status' | 'tried'>): Check[] {
  if (status === null) {
    const where = tried.length > 0 ? ` (looked at ${tried.join(', ')})` : '';
    const advice = 'start one with `vigie serve`, or name its socket with --socket or $VIGIE_SOCKET';
    return [warning('engine', 'engine', `no engine answers${where}`, advice)];
  }
  const { host, pid } = status.engine;
  return [
    ok('engine', 'engine', `an engine answers: pid ${pid} on ${host}`),
    ...checkStore(status),
    ...checkRemoteWrite(status),
    ...checkTicks(status),
    ...checkUse(status),
    ...checkRefused(status),
    ...status.warnings.map((text) => warning('engine', 'warning', text, 'see what the warning says')),
  ];
}

function checkStore({ store, time, period }: Status): Check[] {
  const checks: Check[] = [];
  if (store.error !== null) {
    const advice =
      'make room on the disk, or mend it; live values go on meanwhile, history is lost as long as it lasts';
    checks.push(problem('engine', 'store', `history is not written: ${store.error}`, advice));
  } else if (store.kind === 'memory') {
    checks.push(ok('engine', 'store', 'history is kept in memory only, as asked with --memory'));
  } else {
    const behind = store.durable_until > 0 ? time - store.durable_until : 0;
    const text = `history is on disk up to ${(behind / 1000).toFixed(1)} s ago`;
    const late = behind > Math.max(BEHIND_MS, BEHIND_PERIODS * (parseDuration(period) ?? 0));
    const advice = 'the disk is slow: look at what else writes to it, or use another --data';
    checks.push(late ? warning('engine', 'store', text, advice) : ok('engine', 'store', text));
  }
  if (store.dropped > 0) {
    const text = `${store.dropped} tick(s) are missing in the history: the disk did not take them in time`;
    checks.push(warning('engine', 'store_dropped', text, 'use a faster disk for --data'));
  }
  return checks;
}

function checkRemoteWrite({ remote_write }: Status): Check[] {
  return remote_write.map(({ name, sent, dropped, lag_ms, error }) => {
    const lost = Object.values(dropped).reduce((sum, samples) => sum + samples, 0);
    const text = `${name} has ${sent} samples, ${lost} were dropped, the oldest that waits is ${(lag_ms / 1000).toFixed(0)} s old`;
    const id = `remote_write_${name}`;
    if (error === null && lost === 0) return ok('engine', id, text);
    const advice =
      'docs/remote-write.md says what each reason means; what waits is sent as soon as the destination takes it';
    return warning('engine', id, error === null ? text : `${text}: ${error}`, advice);
  });
}

function checkTicks({ sampler: { ticks, late } }: Status): Check[] {
  if (late <= Math.max(3, LATE * ticks)) return [ok('engine', 'ticks', `${late} of ${ticks} samples were taken late`)];
  const advice = 'the machine is busy, or the engine has too much to do: see the event loop on the page Diagnostics';
  return [warning('engine', 'ticks', `${late} of ${ticks} samples were taken late`, advice)];
}

function checkUse({ limits, memory_full }: Status): Check[] {
  const checks = Object.entries(limits).flatMap(([name, { used, limit }]) => {
    if (used < NEAR * limit) return [];
    const text = `${used} of ${limit} are used of the limit ${name}`;
    return [warning('engine', `limit_${name}`, text, `raise it in the configuration file (docs/limits.md)`)];
  });
  if (memory_full) {
    const text = 'there is no memory for new series and runs: they are refused';
    checks.push(problem('engine', 'memory_full', text, 'raise limits.memory, or end jobs with very many series'));
  }
  return checks.length > 0 ? checks : [ok('engine', 'limits', 'no limit is near')];
}

const listed = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .filter(([, count]) => count > 0)
    .sort(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ');

function checkRefused({ ingest, refused }: Status): Check[] {
  const rejected = listed(ingest.rejected);
  const turnedAway = listed(refused);
  const checks: Check[] = [];
  if (rejected !== '') {
    const advice = 'docs/protocol.md says what each reason means; the programs that push can be mended';
    checks.push(warning('engine', 'rejected', `messages were not taken: ${rejected}`, advice));
  }
  if (turnedAway !== '') {
    const advice = 'docs/limits.md says what each reason means, and which limit can be raised';
    checks.push(warning('engine', 'refused', `connections or requests were turned away: ${turnedAway}`, advice));
  }
  return checks.length > 0 ? checks : [ok('engine', 'rejected', 'every message and request was taken')];
}

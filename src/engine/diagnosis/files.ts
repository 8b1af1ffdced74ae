/** The data directory and the token: there, ours, and nobody else's to read. */

import { constants } from 'node:fs';
import { access, lstat, readdir, readFile, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import type { Check } from '../../shared/api/diagnosis.ts';
import { messageOf, ok, problem, warning } from './check.ts';
import { isAlive, ownUid, userName } from './owners.ts';
import type { Patient } from './patient.ts';

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

export async function checkFiles(patient: Patient): Promise<Check[]> {
  const { data, status, tokenFile } = patient;
  const checks =
    data === null
      ? [ok('files', 'data', 'everything is kept in memory, nothing on disk')]
      : [...(await checkData(data)), ...(await checkHolder(patient, data))];
  if (tokenFile !== null) checks.push(await checkToken(tokenFile, status !== null));
  return checks;
}

async function checkData(data: string): Promise<Check[]> {
  let found;
  try {
    found = await stat(data);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') {
      return [ok('files', 'data', `the data directory ${data} is not there yet: the engine makes it`)];
    }
    return [
      problem('files', 'data', `the data directory cannot be reached: ${messageOf(error)}`, 'use another --data'),
    ];
  }
  if (!found.isDirectory()) {
    return [problem('files', 'data', `${data} is not a directory`, 'remove it, or use another --data')];
  }
  const checks: Check[] = [];
  if (found.uid !== ownUid()) {
    const text = `the data directory ${data} belongs to ${userName(found.uid)}`;
    checks.push(problem('files', 'data_owner', text, 'use another --data'));
  }
  try {
    await access(data, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    const text = `the data directory cannot be written: ${messageOf(error)}`;
    checks.push(problem('files', 'data_writable', text, `chmod u+rwx ${data}, or use another --data`));
  }
  if ((found.mode & 0o077) !== 0) {
    const text = `the data directory ${data} can be entered by others (mode ${(found.mode & 0o777).toString(8)})`;
    checks.push(warning('files', 'data_mode', text, `chmod 700 ${data}`));
  }
  if (checks.length === 0) checks.push(ok('files', 'data', `the data directory ${data} is yours alone`));
  return [...checks, ...(await checkDamaged(data))];
}

async function checkDamaged(data: string): Promise<Check[]> {
  const names = await readdir(data).catch((): string[] => []);
  const damaged = names.filter((name) => /^vigie\.sqlite\.damaged-\d+$/.test(name));
  if (damaged.length === 0) return [];
  const text = `${damaged.length} damaged database(s) were set aside: ${damaged.join(', ')}`;
  return [warning('files', 'damaged', text, `look after the disk; remove them from ${data} when nobody needs them`)];
}

const Holder = z.object({ pid: z.number().int().positive(), host: z.string() });

/** Somebody uses the directory whom the socket does not lead to. */
async function checkHolder({ status }: Patient, data: string): Promise<Check[]> {
  let holder: z.output<typeof Holder>;
  try {
    holder = Holder.parse(JSON.parse(await readFile(join(data, 'lock.json'), 'utf8')));
  } catch {
    return [];
  }
  if (status?.engine.pid === holder.pid) return [];
  const text = `an engine (pid ${holder.pid} on ${holder.host}) uses ${data}`;
  if (holder.host !== hostname()) {
    const advice = 'one directory is for one engine: use another --data here';
    return [warning('files', 'data_holder', `${text}, or did when that machine went down`, advice)];
  }
  if (!isAlive(holder.pid)) return [];
  const advice = 'name its socket with --socket; when it hangs, end it';
  return [warning('files', 'data_holder', `${text} and was not found on its socket`, advice)];
}

/** The same rule as the engine's, which refuses any other token file. */
const TOKEN = /^[\x21-\x7e]{16,1024}\n?$/;

async function checkToken(path: string, running: boolean): Promise<Check> {
  const anew = 'chmod 600 it, or remove it to get a new token at the next start';
  try {
    const found = await lstat(path);
    if (!found.isFile() || found.uid !== ownUid() || (found.mode & 0o077) !== 0) {
      const text = `the token file ${path} must be a file that only you can read`;
      return problem('files', 'token', text, anew);
    }
    if (TOKEN.test(await readFile(path, 'utf8'))) return ok('files', 'token', `the token file ${path} is yours alone`);
    return problem('files', 'token', `the token file ${path} holds no usable token`, anew);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') {
      return problem('files', 'token', `the token file cannot be read: ${messageOf(error)}`, anew);
    }
    if (!running) return ok('files', 'token', `the token file ${path} is not there yet: the engine makes it`);
    const text = `the token file ${path} is gone, the engine still asks for its token`;
    return problem('files', 'token', text, 'start the engine again: it makes a new one');
  }
}

/** Targets in a real engine, over its API. */

import { Target, TargetList, type NewTargetInput } from '../../../src/shared/api/targets.ts';
import { ask, withToken, type Answer, type Here } from '../http/here.ts';
import { eventually } from '../../support/wait.ts';

export async function send(here: Here, method: string, path: string, body?: unknown): Promise<Answer> {
  return ask(here, `/api/v1${path}`, {
    method,
    headers: { ...withToken(here), ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

export async function listed(here: Here, query = ''): Promise<TargetList> {
  return TargetList.parse((await send(here, 'GET', `/targets${query}`)).json());
}

export async function targetOf(here: Here, id: string): Promise<Target> {
  return Target.parse((await send(here, 'GET', `/targets/${id}`)).json());
}

export async function addTarget(here: Here, target: NewTargetInput): Promise<Target> {
  const answer = await send(here, 'POST', '/targets', target);
  if (answer.status !== 201) throw new Error(`${answer.status}: ${answer.body}`);
  return Target.parse(answer.json());
}

/** Waits until a target is as wanted. */
export async function until(here: Here, id: string, wanted: (target: Target) => boolean): Promise<Target> {
  let last: Target | null = null;
  try {
    return await eventually(async () => {
      last = await targetOf(here, id);
      return wanted(last) ? last : undefined;
    });
  } catch (error) {
    throw new Error(`the target stays ${JSON.stringify(last)}`, { cause: error });
  }
}

/** The value of a sample in `/metrics`, or null. */
export async function metric(here: Here, name: string, job?: string): Promise<number | null> {
  const { body } = await here.client.raw(job === undefined ? '/metrics' : `/metrics?job=${encodeURIComponent(job)}`);
  const line = body.split('\n').find((one) => one.startsWith(`${name} `));
  return line === undefined ? null : Number(line.slice(name.length + 1));
}

import { z } from 'zod';

/** Longest accepted job id and longest accepted other text of a job description, in UTF-16 code units. */
export const MAX_JOBID = 256;
export const MAX_JOB_TEXT = 65_536;

/** Times below this are seconds, as old clients and the first proxy's documents have them. */
const SECONDS_BELOW = 1e11;

/** A time as clients send it, seconds or milliseconds, in milliseconds since the epoch. 0 stays 0: not known. */
export function toMilliseconds(time: number): number {
  return time > 0 && time < SECONDS_BELOW ? time * 1000 : time;
}

const text = z.string().max(MAX_JOB_TEXT);
/** Up to the last instant that a Date can hold: a later one could not be shown. */
const time = z.number().nonnegative().max(8.64e15);

/** A job description as it travels on the wire and in the compatible endpoints; times in milliseconds. */
export const JobDesc = z.object({
  jobid: z.string(),
  command: text,
  size: z.number().finite().nonnegative(),
  nodelist: text,
  partition: text,
  cluster: text,
  run_dir: text,
  start_time: time,
  end_time: time,
});
export type JobDesc = z.infer<typeof JobDesc>;

/** A description of which only the id is known. */
export const bareJob = (jobid: string): JobDesc => ({
  jobid,
  command: '',
  size: 0,
  nodelist: '',
  partition: '',
  cluster: '',
  run_dir: '',
  start_time: 0,
  end_time: 0,
});

/** Names the compatible endpoints give to sums; no client may take them. */
export const MAIN_JOB = 'main';
export const NODE_JOB_PREFIX = 'Node: ';

export type JobidRefusal = 'jobid_empty' | 'jobid_too_long' | 'jobid_reserved' | 'jobid_control_character';

/** Why a job id is not accepted, or null. A job id is data: it is never used as a path or as markup. */
export function refuseJobid(jobid: string): JobidRefusal | null {
  if (jobid.length === 0) return 'jobid_empty';
  if (jobid.length > MAX_JOBID) return 'jobid_too_long';
  if (jobid === MAIN_JOB || jobid.startsWith(NODE_JOB_PREFIX)) return 'jobid_reserved';
  // oxlint-disable-next-line no-control-regex -- exactly these are what is refused
  if (/[\u0000-\u001f\u007f]/.test(jobid) || !jobid.isWellFormed()) return 'jobid_control_character';
  return null;
}

/**
 * Two descriptions of one run, from two of its ranks. The first non-empty field wins, `size` is the larger one: ranks
 * start at different times and not each knows everything.
 */
export function mergeJobDesc(first: JobDesc, second: JobDesc): JobDesc {
  return {
    jobid: first.jobid,
    command: first.command || second.command,
    size: Math.max(first.size, second.size),
    nodelist: first.nodelist || second.nodelist,
    partition: first.partition || second.partition,
    cluster: first.cluster || second.cluster,
    run_dir: first.run_dir || second.run_dir,
    start_time: first.start_time || second.start_time,
    end_time: first.end_time || second.end_time,
  };
}

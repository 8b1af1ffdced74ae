/* The job's description as programs and their libraries are given it. */
#ifndef VIGIE_RUN_JOBS_H
#define VIGIE_RUN_JOBS_H

#include "../client/schedulers.h"

struct text;

/* What tells one launch from all others: LAUNCH_ID bytes with the end, 16 random hexadecimal digits, pid and start time of
 * this process, which becomes the root of the launch. */
enum { LAUNCH_BYTES = 64 };
void launch_id(char *buffer, size_t capacity);

/* The nine members of a JobDesc message, then `launch`, and `rank` when it is not negative; in braces. */
void job_to_json(const struct job *job, const char *launch, int rank, struct text *json);

#endif

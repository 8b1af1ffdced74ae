/* Reads a file with an environment, one NAME=VALUE per line, and compares the description of its job with what the file
 * expects: lines `#expect FIELD VALUE`, and `#parent COMMAND` for the parent process. Other `#` lines are comments. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jobs.h"
#include "text.h"

enum { LINES = 128, LINE_BYTES = 4096 };

static char lines[LINES][LINE_BYTES];
static struct job job;
static struct job again;

static void value_of(char *buffer, size_t capacity, const char *field, const struct job_facts *facts) {
  const struct {
    const char *name, *value;
  } texts[] = {{"jobid", job.jobid}, {"nodelist", job.nodelist}, {"partition", job.partition}, {"cluster", job.cluster}};
  bool rank = strcmp(field, "rank") == 0;
  snprintf(buffer, capacity, "%lld", rank ? (long long)job_rank(facts) : job.size);
  if (rank || strcmp(field, "size") == 0) return;
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
    if (strcmp(field, texts[i].name) == 0) {
      snprintf(buffer, capacity, "%s", texts[i].value);
      return;
    }
  snprintf(buffer, capacity, "(no such field)");
}

/* The writer of JSON, on what may stand in names of files. */
static int check_json(void) {
  static const struct {
    const char *in, *out;
    size_t limit;
  } cases[] = {
      {"plain", "\"plain\"", 100},        {"a\"b\\c", "\"a\\\"b\\\\c\"", 100},   {"\n\x1f", "\"\\u000a\\u001f\"", 100},
      {"\xc3\xa9", "\"\xc3\xa9\"", 100},  {"\xff\xc3", "\"?\?\"", 100},          {"\xc3\xa9", "\"?\"", 1},
      {"\xc0\xaf", "\"?\?\"", 100},       {"\xed\xa0\x80", "\"?\?\?\"", 100},    {"abc", "\"ab\"", 2},
      {"\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"", 100}, {"\xf4\x90\x80\x80", "\"?\?\?\?\"", 100},
  };
  int wrong = 0;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char buffer[64];
    struct text text = text_over(buffer, sizeof buffer);
    text_add_json(&text, cases[i].in, cases[i].limit);
    if (strcmp(buffer, cases[i].out) != 0 || text.full) {
      fprintf(stderr, "JSON case %zu: %s, not %s\n", i, buffer, cases[i].out);
      wrong++;
    }
  }
  return wrong;
}

int main(int argc, char **argv) {
  FILE *file = argc == 2 ? fopen(argv[1], "r") : NULL;
  if (file == NULL) return 2;
  char *environment[LINES + 1];
  const char *parent = "";
  int variables = 0, count = 0, expected = 0, wrong = check_json();
  while (count < LINES && fgets(lines[count], LINE_BYTES, file) != NULL) {
    lines[count][strcspn(lines[count], "\n")] = '\0';
    if (lines[count][0] != '#') environment[variables++] = lines[count];
    if (strncmp(lines[count], "#parent ", 8) == 0) parent = lines[count] + 8;
    count++;
  }
  fclose(file);
  environment[variables] = NULL;

  struct job_facts facts = {.environment = environment, .parent = parent, .fallback = "node01-77-4242"};
  job_describe(&job, &facts);
  for (int i = 0; i < count; i++) {
    if (strncmp(lines[i], "#expect ", 8) != 0) continue;
    char *field = lines[i] + 8;
    char *value = strchr(field, ' ');
    if (value != NULL) *value++ = '\0';
    char actual[JOB_TEXT_BYTES];
    value_of(actual, sizeof actual, field, &facts);
    expected++;
    if (strcmp(actual, value == NULL ? "" : value) != 0) {
      fprintf(stderr, "%s: '%s', not '%s'\n", field, actual, value == NULL ? "" : value);
      wrong++;
    }
  }
  if (expected == 0) fprintf(stderr, "the file expects nothing\n");

  /* What is known already is not overwritten. */
  snprintf(again.jobid, sizeof again.jobid, "given");
  job_describe(&again, &facts);
  if (strcmp(again.jobid, "given") != 0) wrong++;
  return expected == 0 || wrong > 0;
}

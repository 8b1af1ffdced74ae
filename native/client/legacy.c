/* The legacy messages (docs/protocol.md, "Pushing"), each with its NUL byte. */
#define _GNU_SOURCE
#include "registry.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void text_add(struct text *text, const char *bytes, size_t length) {
  if (text->failed) return;
  if (text->size - text->length < length) {
    /* Not of malloc: a handler of a signal that came within it may end the process. */
    size_t size = ((text->length + length) * 2 + 4096) / 4096 * 4096;
    char *grown = text->bytes ? mremap(text->bytes, text->size, size, MREMAP_MAYMOVE)
                              : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (grown == MAP_FAILED) {
      text->failed = true;
      return;
    }
    text->bytes = grown;
    text->size = size;
  }
  memcpy(text->bytes + text->length, bytes, length);
  text->length += length;
}

void text_string(struct text *text, const char *string) { text_add(text, string, strlen(string)); }

/* Bytes of the UTF-8 character at `at`, 0 when there is none. */
static size_t character(const unsigned char *at) {
  if (at[0] < 0x80) return 1;
  size_t length = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
  if (at[0] < 0xc2 || at[0] > 0xf4) return 0;
  for (size_t i = 1; i < length; i++)
    if ((at[i] & 0xc0) != 0x80) return 0;
  bool overlong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
  bool beyond = (at[0] == 0xed && at[1] > 0x9f) || (at[0] == 0xf4 && at[1] > 0x8f);
  return overlong || beyond ? 0 : length;
}

void text_json(struct text *text, const char *string) {
  text_add(text, "\"", 1);
  for (const unsigned char *at = (const unsigned char *)string; *at;) {
    char escape[8];
    size_t length = character(at);
    if (length == 0) {
      text_string(text, "\xef\xbf\xbd");
      at++;
      continue;
    }
    if (*at == '"' || *at == '\\') text_add(text, escape, (size_t)snprintf(escape, sizeof escape, "\\%c", *at));
    else if (*at == '\n') text_string(text, "\\n");
    else if (*at == '\t') text_string(text, "\\t");
    else if (*at == '\r') text_string(text, "\\r");
    else if (*at < 0x20) text_add(text, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", *at));
    else text_add(text, (const char *)at, length);
    at += length;
  }
  text_add(text, "\"", 1);
}

void text_integer(struct text *text, uint64_t value) {
  char digits[24];
  text_add(text, digits, (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)value));
}

void text_real(struct text *text, double value) {
  char digits[40];
  int precision = 15;
  /* The shortest that reads back as the same number. The program's locale may write a comma. */
  do snprintf(digits, sizeof digits, "%.*g", precision, value);
  while (strtod(digits, NULL) != value && ++precision <= 17);
  const char *point = localeconv()->decimal_point;
  char *comma = point[0] != '.' ? strstr(digits, point) : NULL;
  if (comma) {
    memmove(comma + 1, comma + strlen(point), strlen(comma + strlen(point)) + 1);
    *comma = '.';
  }
  text_string(text, digits);
  if (!strpbrk(digits, ".e")) text_string(text, ".0");
}

static void member(struct text *text, const char *name, const char *value) {
  text_string(text, name);
  text_json(text, value);
}

void legacy_fields(struct text *text, const struct description *is, bool plain) {
  const struct job *job = &is->job;
  member(text, "{\"jobid\":", job->jobid);
  member(text, ",\"command\":", job->command);
  text_string(text, ",\"size\":");
  text_integer(text, (uint64_t)job->size);
  member(text, ",\"nodelist\":", job->nodelist);
  member(text, ",\"partition\":", job->partition);
  member(text, ",\"cluster\":", job->cluster);
  member(text, ",\"run_dir\":", job->run_dir);
  text_string(text, ",\"start_time\":");
  text_integer(text, (uint64_t)job->start_time);
  text_string(text, ",\"end_time\":0");
  if (!plain && is->launch[0]) member(text, ",\"launch\":", is->launch);
  if (!plain && is->rank >= 0) {
    text_string(text, ",\"rank\":");
    text_integer(text, (uint64_t)is->rank);
  }
  text_string(text, "}");
}

void legacy_job(struct text *text, const struct description *is, bool plain) {
  text_string(text, "{\"JobDesc\":");
  legacy_fields(text, is, plain);
  text_add(text, "}", 2);
}

void legacy_describe(struct text *text, const struct vigie_metric *metric) {
  member(text, "{\"Desc\":{\"name\":", metric->name);
  member(text, ",\"doc\":", metric->doc);
  text_string(text, metric->kind == KIND_GAUGE
                        ? ",\"ctype\":{\"Gauge\":{\"min\":0.0,\"max\":0.0,\"hits\":0.0,\"total\":0.0}}}}"
                        : ",\"ctype\":{\"Counter\":{\"ts\":0,\"value\":0.0}}}}");
  text_add(text, "", 1);
}

static void counter(struct text *text, const struct vigie_metric *metric, double increase, uint64_t microseconds) {
  member(text, "{\"Value\":{\"name\":", metric->name);
  text_string(text, ",\"value\":{\"Counter\":{\"ts\":");
  text_integer(text, microseconds);
  text_string(text, ",\"value\":");
  text_real(text, increase);
  text_add(text, "}}}}", 5);
}

static void gauge(struct text *text, const struct vigie_metric *metric, const struct value *value) {
  member(text, "{\"Value\":{\"name\":", metric->name);
  text_string(text, ",\"value\":{\"Gauge\":{\"min\":");
  text_real(text, value->min);
  text_string(text, ",\"max\":");
  text_real(text, value->max);
  text_string(text, ",\"hits\":");
  text_real(text, value->hits);
  text_string(text, ",\"total\":");
  text_real(text, value->total);
  text_add(text, "}}}}", 5);
}

void legacy_skip(struct vigie_metric *metric) {
  if (metric->kind == KIND_INTEGER) metric->sent.integer = registry_integer(metric);
  else if (metric->kind == KIND_DOUBLE) metric->sent.real = registry_real(metric);
}

void legacy_value(struct text *text, struct vigie_metric *metric, uint64_t microseconds) {
  if (metric->kind == KIND_GAUGE) {
    struct value value;
    uint64_t sequence;
    if (!registry_gauge(metric, &value, &sequence) || sequence == metric->sent.sequence) return;
    gauge(text, metric, &value);
    metric->sent.sequence = sequence;
  } else if (metric->kind == KIND_INTEGER) {
    uint64_t sum = registry_integer(metric);
    if (sum != metric->sent.integer) counter(text, metric, (double)(sum - metric->sent.integer), microseconds);
    metric->sent.integer = sum;
  } else {
    double sum = registry_real(metric);
    if (sum > metric->sent.real) {
      counter(text, metric, sum - metric->sent.real, microseconds);
      metric->sent.real = sum;
    }
  }
}

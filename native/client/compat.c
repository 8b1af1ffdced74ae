/* The Rust client's interface on top of ours, and names with labels. */
#define _GNU_SOURCE
#include "metric_proxy_client.h"
#include "registry.h"
#include "vigie.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct MetricProxyClient {
  char unused;
};

static struct MetricProxyClient only;

static struct vigie_metric *metric(struct MetricProxyValue *value) { return (struct vigie_metric *)value; }

/* vigie-run's library has counted the start of this process, and will count its end. */
static bool counted_by_launcher(void) {
  const char *root = getenv("VIGIE_ROOT");
  char *state;
  return root && strtol(root, &state, 10) == (long)getpid() && strcmp(state, " 1") == 0;
}

struct MetricProxyClient *metric_proxy_init(void) {
  vigie_counter *started;
  if (counted_by_launcher()) return &only;
  if (vigie_counter_new_double(&started, "has_started", "Number of calls to metric_proxy_init") == VIGIE_OK)
    vigie_counter_add_double(started, 1);
  return &only;
}

int metric_proxy_release(struct MetricProxyClient *pclient) {
  vigie_counter *finished;
  if (!pclient) return 1;
  if (!counted_by_launcher() &&
      vigie_counter_new_double(&finished, "has_finished", "Number of calls to metric_proxy_release") == VIGIE_OK)
    vigie_counter_add_double(finished, 1);
  vigie_flush();
  return 0;
}

struct MetricProxyValue *metric_proxy_counter_new(struct MetricProxyClient *pclient, const char *name,
                                                  const char *doc) {
  vigie_counter *made = NULL;
  if (pclient) vigie_counter_new_double(&made, name, doc);
  return (struct MetricProxyValue *)made;
}

struct MetricProxyValue *metric_proxy_gauge_new(struct MetricProxyClient *pclient, const char *name, const char *doc) {
  vigie_gauge *made = NULL;
  if (pclient) vigie_gauge_new(&made, name, doc);
  return (struct MetricProxyValue *)made;
}

int metric_proxy_counter_inc(struct MetricProxyValue *pcounter, double value) {
  return vigie_counter_add_double(metric(pcounter), value) == VIGIE_OK ? 0 : 1;
}

int metric_proxy_gauge_set(struct MetricProxyValue *pcounter, double value) {
  return vigie_gauge_set(metric(pcounter), value) == VIGIE_OK ? 0 : 1;
}

struct MetricProxyValue *metric_proxy_get_func(struct MetricProxyClient *pclient, size_t func, size_t callsite) {
  Dl_info found;
  char name[VIGIE_NAME_MAX], doc[64];
  int before = errno;
  (void)callsite;
  snprintf(doc, sizeof doc, "Number of calls to the function at 0x%zx", func);
  if (dladdr((void *)func, &found) && found.dli_sname) snprintf(name, sizeof name, "func__%s", found.dli_sname);
  else snprintf(name, sizeof name, "func__0x%zx", func);
  struct MetricProxyValue *value = metric_proxy_counter_new(pclient, name, doc);
  errno = before;
  return value;
}

static int label_name(const char *name) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
  return name && *name && !(*name >= '0' && *name <= '9') && name[strspn(name, letters)] == 0;
}

int vigie_name(char *buffer, size_t size, const char *family, const vigie_label *labels, size_t count) {
  struct text text = {.bytes = buffer, .size = size};
  if (!buffer || !family || !*family || (count && !labels)) return VIGIE_INVALID;
#define PUT(bytes, n)                                                    \
  do {                                                                   \
    if (size - text.length <= (size_t)(n)) return VIGIE_FULL;            \
    memcpy(buffer + text.length, bytes, n);                              \
    text.length += (n);                                                  \
  } while (0)
  if (size == 0) return VIGIE_FULL;
  PUT(family, strlen(family));
  for (size_t i = 0; i < count; i++) {
    if (!label_name(labels[i].name) || !labels[i].value) return VIGIE_INVALID;
    PUT(i ? "," : "{", 1);
    PUT(labels[i].name, strlen(labels[i].name));
    PUT("=\"", 2);
    for (const char *at = labels[i].value; *at; at++) {
      if (*at == '"' || *at == '\\') PUT("\\", 1);
      if (*at == '\n') PUT("\\n", 2);
      else PUT(at, 1);
    }
    PUT("\"", 1);
  }
  if (count) PUT("}", 1);
#undef PUT
  buffer[text.length] = 0;
  return (int)text.length;
}

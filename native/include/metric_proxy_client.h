/* The client interface of the Rust metric proxy, for programs that were written for it. New ones use vigie.h. */
#ifndef METRIC_PROXY_CLIENT_H
#define METRIC_PROXY_CLIENT_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define METRIC_PROXY_API __attribute__((visibility("default")))

typedef struct MetricProxyClient MetricProxyClient;
typedef struct MetricProxyValue MetricProxyValue;

/* Never null. All clients of a process are one. */
METRIC_PROXY_API struct MetricProxyClient *metric_proxy_init(void);
/* Sends what is not sent yet. 0, or 1 when the client is null. */
METRIC_PROXY_API int metric_proxy_release(struct MetricProxyClient *pclient);

/* Null when the client is null, the name is no name, or stands for the other kind. */
METRIC_PROXY_API struct MetricProxyValue *metric_proxy_counter_new(struct MetricProxyClient *pclient, const char *name,
                                                                   const char *doc);
METRIC_PROXY_API struct MetricProxyValue *metric_proxy_gauge_new(struct MetricProxyClient *pclient, const char *name,
                                                                 const char *doc);
/* 0, or 1 when the value is null, of the other kind, or the number is refused. */
METRIC_PROXY_API int metric_proxy_counter_inc(struct MetricProxyValue *pcounter, double value);
METRIC_PROXY_API int metric_proxy_gauge_set(struct MetricProxyValue *pcounter, double value);

/* The counter func__SYMBOL of the function at the address `func`. `callsite` is not used. */
METRIC_PROXY_API struct MetricProxyValue *metric_proxy_get_func(struct MetricProxyClient *pclient, size_t func,
                                                                size_t callsite);

#ifdef __cplusplus
}
#endif

#endif

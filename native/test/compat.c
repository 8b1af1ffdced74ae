/* Counts for a second what the interface of the Rust client can count. */
#define _GNU_SOURCE
#include <metric_proxy_client.h>
#include <unistd.h>

int main(void) {
  struct MetricProxyClient *client = metric_proxy_init();
  struct MetricProxyValue *events = metric_proxy_counter_new(client, "capi_events_total", "events \"seen\"");
  struct MetricProxyValue *bytes = metric_proxy_counter_new(client, "capi_bytes_total{dir=\"in\"}", "bytes");
  struct MetricProxyValue *temperature = metric_proxy_gauge_new(client, "capi_temperature", "temperature");
  for (int i = 0; i < 100; i++) {
    metric_proxy_counter_inc(events, 1);
    metric_proxy_counter_inc(bytes, 0.1);
    metric_proxy_gauge_set(temperature, 20 + i);
    usleep(5000);
  }
  return metric_proxy_release(client);
}

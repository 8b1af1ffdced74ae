/* The calls of the recorded client of the Rust library (bin/capi of the recordings), with a batch where its period ended. */
#define _GNU_SOURCE
#include <metric_proxy_client.h>
#include <unistd.h>
#include <vigie.h>

int main(void) {
  struct MetricProxyClient *client = metric_proxy_init();
  struct MetricProxyValue *events = metric_proxy_counter_new(client, "capi_events_total", "events seen");
  struct MetricProxyValue *bytes = metric_proxy_counter_new(client, "capi_bytes_total{dir=\"in\"}", "bytes \"in\"");
  struct MetricProxyValue *temperature = metric_proxy_gauge_new(client, "capi_temperature", "temperature");
  vigie_flush();
  for (int i = 0; i < 30; i++) {
    metric_proxy_counter_inc(events, 1);
    metric_proxy_counter_inc(bytes, 1024.5);
    metric_proxy_gauge_set(temperature, 20 + i);
    if (i % 10 == 9) {
      vigie_flush();
      usleep(50000); /* who reads sees batches apart */
    }
  }
  return metric_proxy_release(client);
}

// The public headers as C++ sees them, and what they declare, linked.
#include <metric_proxy_client.h>
#include <vigie.h>

#include <cstring>

int main() {
  vigie_counter *counter = nullptr;
  vigie_gauge *gauge = nullptr;
  const vigie_label labels[] = {{"kind", "c++"}};
  char name[64];
  if (vigie_name(name, sizeof name, "headers_total", labels, 1) < 0) return 1;
  if (std::strcmp(name, "headers_total{kind=\"c++\"}") != 0) return 2;
  if (vigie_counter_new(&counter, name, nullptr) != VIGIE_OK || vigie_counter_add(counter, 2) != VIGIE_OK) return 3;
  if (vigie_gauge_new(&gauge, "headers", nullptr) != VIGIE_OK || vigie_gauge_set(gauge, 1.5) != VIGIE_OK) return 4;
  MetricProxyClient *client = metric_proxy_init();
  MetricProxyValue *value = metric_proxy_counter_new(client, "headers_seen_total", "seen");
  if (!value || metric_proxy_counter_inc(value, 1) != 0) return 5;
  return metric_proxy_release(client);
}

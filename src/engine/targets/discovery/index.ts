/** One line per kind of entry under `targets:` in the configuration file. */

import type { TargetSource } from '../settings.ts';
import type { Discovery } from './discovery.ts';
import { dnsSrv } from './dns-srv.ts';
import { fileSd } from './file-sd.ts';
import { prometheusConfig } from './prometheus-config.ts';
import { staticList } from './static.ts';

export function openDiscovery(source: TargetSource): Discovery {
  const { settings } = source;
  switch (source.kind) {
    case 'static':
      return staticList(source.name, settings);
    case 'file_sd':
      return fileSd(source.name, settings);
    case 'prometheus':
      return prometheusConfig(source.name);
    case 'dns_srv':
      return dnsSrv(source.name, settings);
  }
}

import { BulkResult, ProbeResult, Target, TargetList } from '../../shared/api/targets.ts';
import type {
  BulkRequestInput,
  ExportQuery,
  ImportRequestInput,
  NewTargetInput,
  ProbeRequestInput,
  TargetPatchInput,
} from '../../shared/api/targets.ts';
import type { Requests } from './api.ts';

const path = (id: string): string => `/targets/${encodeURIComponent(id)}`;

/** Requests about what the engine pulls from. */
export function targetsApi({ get, getText, change }: Requests) {
  return {
    /** Counts and discoveries; of the targets only one: the rest comes over the live socket. */
    overview: (signal?: AbortSignal): Promise<TargetList> => get('/targets?limit=1', TargetList, signal),
    get: (id: string, signal?: AbortSignal): Promise<Target> => get(path(id), Target, signal),
    probe: (body: ProbeRequestInput, signal?: AbortSignal): Promise<ProbeResult> =>
      change('/targets/probe', ProbeResult, { method: 'POST', body, ...(signal ? { signal } : {}) }),
    add: (body: NewTargetInput): Promise<Target> => change('/targets', Target, { method: 'POST', body }),
    patch: (id: string, body: TargetPatchInput): Promise<Target> => change(path(id), Target, { method: 'PATCH', body }),
    bulk: (body: BulkRequestInput): Promise<BulkResult> =>
      change('/targets/bulk', BulkResult, { method: 'POST', body }),
    importList: (body: ImportRequestInput): Promise<BulkResult> =>
      change('/targets/import', BulkResult, { method: 'POST', body }),
    exportList: (format: ExportQuery['format']): Promise<string> => getText(`/targets/export?format=${format}`),
  };
}

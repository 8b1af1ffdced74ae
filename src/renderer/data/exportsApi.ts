import { z } from 'zod';
import { ExportEstimate, ExportState, NewExport } from '../../shared/api/exports.ts';
import type { ExportFormat, ExportResolution } from '../../shared/api/exports.ts';
import type { Requests } from './api.ts';

/** What a file is to hold. */
export interface ExportAsked {
  readonly format: ExportFormat;
  readonly run: readonly string[];
  readonly resolution?: ExportResolution;
  readonly ranks?: boolean;
  readonly nodes?: boolean;
  /** Canonical keys; without: all. */
  readonly series?: readonly string[];
}

/** The same as a query: lists are parameters that stand many times. */
function queryOf(asked: ExportAsked): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(asked) as [string, string | boolean | readonly string[] | undefined][]) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) params.append(name, String(one));
  }
  return params.toString();
}

/** Requests about files to hand on. */
export function exportsApi({ get, change }: Requests) {
  return {
    estimate: (asked: ExportAsked, signal?: AbortSignal): Promise<ExportEstimate> =>
      get(`/export/estimate?${queryOf(asked)}`, ExportEstimate, signal),
    /** Makes a link that can be followed once. */
    begin: (asked: ExportAsked): Promise<NewExport> => change('/exports', NewExport, { method: 'POST', body: asked }),
    state: (id: string, signal?: AbortSignal): Promise<ExportState> =>
      get(`/exports/${encodeURIComponent(id)}`, ExportState, signal),
    cancel: (id: string): Promise<unknown> =>
      change(`/exports/${encodeURIComponent(id)}`, z.unknown(), { method: 'DELETE' }),
  };
}

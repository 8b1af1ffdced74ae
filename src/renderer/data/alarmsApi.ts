import {
  AcknowledgeResult,
  AlarmHistory,
  AlarmPack,
  AlarmPacks,
  Rule,
  RuleImportResult,
  RuleList,
} from '../../shared/api/alarms.ts';
import type { PreviewRequestInput, RulePatchInput, RuleSettingsInput } from '../../shared/api/alarms.ts';
import { Channel, ChannelList, ChannelTestResult, DeliveryList, ShownRoutes } from '../../shared/api/channels.ts';
import type {
  ChannelPatchInput,
  ChannelSettingsInput,
  NewChannelInput,
  RouteInput,
} from '../../shared/api/channels.ts';
import { Silence, SilenceList, SilencePreview } from '../../shared/api/silences.ts';
import type { Matcher, SilenceSettingsInput } from '../../shared/api/silences.ts';
import { z } from 'zod';
import { askPreview } from './alarmPreview.ts';
import type { Requests } from './api.ts';

const text = encodeURIComponent;
const Nothing = z.null();

/** A route as answers have it: its durations are text. */
export type ShownRoute = ShownRoutes['routes'][number];

/** What of the history is asked for; times in ms since the epoch. */
export interface HistoryFilter {
  readonly rule?: string;
  readonly scope?: string;
  readonly metric?: string;
  readonly from?: number;
  readonly to?: number;
  readonly search?: string;
}

function queryOf(filter: HistoryFilter, limit: number, cursor: string | null): string {
  const params = new URLSearchParams({ limit: String(limit) });
  for (const [name, value] of Object.entries(filter) as [string, string | number | undefined][]) {
    if (value !== undefined && value !== '') params.set(name, String(value));
  }
  if (cursor !== null) params.set('cursor', cursor);
  return params.toString();
}

/** Requests about rules, alarms, silences and channels. */
export function alarmsApi({ get, getText, change, lines }: Requests) {
  return {
    alarms: {
      acknowledge: (alarms: readonly string[], comment: string, on: boolean): Promise<AcknowledgeResult> =>
        change('/alarms/acknowledge', AcknowledgeResult, { method: 'POST', body: { alarms, comment, on } }),
      history: (filter: HistoryFilter, limit: number, cursor: string | null, signal?: AbortSignal) =>
        get(`/alarms/history?${queryOf(filter, limit, cursor)}`, AlarmHistory, signal),
      rules: (signal?: AbortSignal): Promise<RuleList> => get('/alarms/rules', RuleList, signal),
      rule: (id: string, signal?: AbortSignal): Promise<Rule> => get(`/alarms/rules/${text(id)}`, Rule, signal),
      addRule: (body: RuleSettingsInput): Promise<Rule> => change('/alarms/rules', Rule, { method: 'POST', body }),
      patchRule: (id: string, body: RulePatchInput): Promise<Rule> =>
        change(`/alarms/rules/${text(id)}`, Rule, { method: 'PATCH', body }),
      removeRule: (id: string): Promise<null> => change(`/alarms/rules/${text(id)}`, Nothing, { method: 'DELETE' }),
      importRules: (body: { yaml: string; replace: boolean; dry_run: boolean }): Promise<RuleImportResult> =>
        change('/alarms/rules/import', RuleImportResult, { method: 'POST', body }),
      exportRules: (): Promise<string> => getText('/alarms/rules/export'),
      preview: (body: PreviewRequestInput, onProgress: (done: number) => void, signal: AbortSignal) =>
        askPreview({ lines }, body, onProgress, signal),
      packs: (signal?: AbortSignal) => get('/alarms/packs', AlarmPacks, signal),
      switchPack: (id: string, rules: readonly string[], on: boolean): Promise<AlarmPack> =>
        change(`/alarms/packs/${text(id)}`, AlarmPack, { method: 'POST', body: { rules, on } }),
    },
    silences: {
      list: (signal?: AbortSignal): Promise<SilenceList> => get('/silences', SilenceList, signal),
      add: (body: SilenceSettingsInput): Promise<Silence> => change('/silences', Silence, { method: 'POST', body }),
      end: (id: string): Promise<Silence> => change(`/silences/${text(id)}`, Silence, { method: 'DELETE' }),
      /** Silent from the new one's beginning on without a moment between; the old one is ended. */
      async replace(id: string, body: SilenceSettingsInput): Promise<Silence> {
        const made = await change('/silences', Silence, { method: 'POST', body });
        await change(`/silences/${text(id)}`, Silence, { method: 'DELETE' });
        return made;
      },
      preview: (matchers: readonly Matcher[], signal?: AbortSignal): Promise<SilencePreview> =>
        change('/silences/preview', SilencePreview, {
          method: 'POST',
          body: { matchers },
          ...(signal ? { signal } : {}),
        }),
    },
    channels: {
      list: (signal?: AbortSignal) => get('/channels', ChannelList, signal),
      add: (body: NewChannelInput): Promise<Channel> => change('/channels', Channel, { method: 'POST', body }),
      patch: (id: string, body: ChannelPatchInput): Promise<Channel> =>
        change(`/channels/${text(id)}`, Channel, { method: 'PATCH', body }),
      remove: (id: string): Promise<null> => change(`/channels/${text(id)}`, Nothing, { method: 'DELETE' }),
      test: (body: { id?: string; settings?: ChannelSettingsInput }): Promise<ChannelTestResult> =>
        change('/channels/test', ChannelTestResult, { method: 'POST', body }),
      routes: (signal?: AbortSignal) => get('/channels/routes', ShownRoutes, signal),
      setRoutes: (routes: readonly RouteInput[]) =>
        change('/channels/routes', ShownRoutes, { method: 'PUT', body: { routes } }),
      deliveries: (channel: string | null, limit: number, signal?: AbortSignal) =>
        get(
          `/channels/deliveries?limit=${limit}${channel === null ? '' : `&channel=${text(channel)}`}`,
          DeliveryList,
          signal,
        ),
    },
  };
}

/** The list of targets: who is asked for numbers, how each is, and changes to it. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import {
  BulkRequest,
  BulkResult,
  type BulkItem,
  ExportQuery,
  ImportRequest,
  MAX_BULK,
  NewTarget,
  ProbeRequest,
  ProbeResult,
  RemovedTarget,
  Target,
  TargetList,
  TargetListQuery,
  TargetPatch,
} from '../../../shared/api/targets.ts';
import { ApiError } from '../../../shared/errors.ts';
import { OWNER } from '../../../shared/model/role.ts';
import { sshHostOf } from '../../../shared/target-address.ts';
import type { EngineContext } from '../../context.ts';
import type { Found } from '../../targets/discovery/discovery.ts';
import { expandList } from '../../targets/discovery/node-set.ts';
import type { Entry } from '../../targets/entry.ts';
import { probeResult } from '../../targets/probe-result.ts';
import { exportPrometheus, exportYaml, readTransfer } from '../../targets/transfer.ts';
import type { App } from '../app.ts';

export const TargetParams = z.object({ id: z.string().min(1).max(64) });
type Params = { Params: z.infer<typeof TargetParams> };

const BY_HAND = { kind: 'hand', name: '' } as const;
/** Secrets are never among what the audit log tells. */
const TELLS = ['id', 'url', 'type', 'period', 'paused', 'action', 'targets'] as const;

/** Text of a target that a search looks at. */
function matches(target: Target, search: string): boolean {
  const wanted = search.toLowerCase();
  const labels = Object.entries(target.labels).map(([name, value]) => `${name}=${value}`);
  return [target.url, target.reason ?? '', ...labels].some((text) => text.toLowerCase().includes(wanted));
}

function list(engine: EngineContext, query: TargetListQuery): TargetList {
  const { targets } = engine;
  const { state, type, search, limit, cursor } = query;
  const found: Target[] = [];
  // What was added meanwhile comes at the end: a page begins behind the last one of the page before.
  let past = cursor === undefined;
  let next: string | null = null;
  for (const target of targets.list()) {
    if (!past) {
      past = target.id === cursor;
      continue;
    }
    if (type !== undefined && target.type !== type) continue;
    if (state !== undefined && (target.paused ? 'paused' : target.state) !== state) continue;
    if (search !== undefined && !matches(target, search)) continue;
    if (found.length === limit) {
      next = found.at(-1)!.id;
      break;
    }
    found.push(target);
  }
  if (!past) throw new ApiError('bad_request', 'the target that this page begins behind was removed: begin anew');
  return { targets: found, counts: targets.counts(), discoveries: engine.discoveries(), next };
}

/**
 * A token that may control is not its owner's word for reading any file: the engine would send what is in it to whoever
 * it was told to ask.
 */
function checkFiles(request: FastifyRequest, { auth }: Pick<NewTarget, 'auth'>): void {
  if (auth?.kind !== 'bearer_file') return;
  const { identity } = request;
  if (identity?.by === 'socket' || identity?.name === OWNER) return;
  throw new ApiError(
    'bad_request',
    'only the owner of the engine may have tokens read from files; send the token itself',
  );
}

function needed(engine: EngineContext, id: string): Target {
  const target = engine.targets.get(id);
  if (!target) throw new ApiError('target_not_found', 'no target has this id; it may have been removed');
  return target;
}

const resultOf = (
  items: BulkItem[],
  notes: readonly string[] = [],
  restore_until: number | null = null,
): BulkResult => {
  const counts: Record<string, number> = {};
  for (const { outcome } of items) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return { items, counts, notes: [...notes], restore_until };
};

const words = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Says which one it is when it goes by another address, and where that comes from. */
function onTheList({ id, place, record: { url, origin } }: Entry): string {
  const as = place === null || place === url ? '' : `, as ${url}`;
  const from = origin.kind === 'hand' ? '' : `, from ${origin.name}`;
  return `${place ?? url} is on the list already${as}${from} (${id})`;
}

function addAll({ targets }: EngineContext, found: readonly Found[], preview: boolean): BulkItem[] {
  const seen = new Set<string>();
  return found.map((given): BulkItem => {
    try {
      const known = targets.known(given.url);
      if (known) {
        const reason = known.place === null ? null : onTheList(known);
        return { id: known.id, url: known.record.url, outcome: 'known', reason };
      }
      if (preview) {
        const outcome = seen.has(given.url) ? 'known' : 'new';
        seen.add(given.url);
        return { id: null, url: given.url, outcome, reason: null };
      }
      const { entry } = targets.add(given, BY_HAND);
      return { id: entry.id, url: entry.record.url, outcome: 'added', reason: null };
    } catch (error) {
      return { id: null, url: given.url, outcome: 'refused', reason: words(error) };
    }
  });
}

/** What somebody adds logs this engine in somewhere: it is said, also before. */
function behindNotes(items: readonly BulkItem[]): string[] {
  const counts = new Map<string, number>();
  for (const { url, outcome } of items) {
    const host = outcome === 'new' || outcome === 'added' ? sshHostOf(url) : null;
    if (host !== null) counts.set(host, (counts.get(host) ?? 0) + 1);
  }
  return Array.from(counts, ([host, count]) => `${count} through one login at ${host}: see Connections`);
}

function expanded(text: string): string[] {
  try {
    return expandList(text, MAX_BULK);
  } catch (error) {
    throw new ApiError('bad_request', words(error));
  }
}

const DONE = { pause: 'paused', resume: 'resumed', remove: 'removed', restore: 'restored' } as const;

function changeAll({ targets }: EngineContext, { action, ids }: Extract<BulkRequest, { ids: string[] }>): BulkResult {
  let until: number | null = null;
  const items = ids.map((id): BulkItem => {
    const url = targets.get(id)?.url ?? '';
    try {
      if (action === 'restore') return { id, url: targets.restore(id).url, outcome: 'restored', reason: null };
      if (action === 'remove') until = targets.remove(id).until;
      else targets.patch(id, { paused: action === 'pause' });
      return { id, url, outcome: DONE[action], reason: null };
    } catch (error) {
      return { id: url === '' ? null : id, url, outcome: 'refused', reason: words(error) };
    }
  });
  return resultOf(items, [], until);
}

async function imported(engine: EngineContext, { text, preview }: ImportRequest): Promise<BulkResult> {
  try {
    const { targets, notes } = await readTransfer(text, MAX_BULK);
    // Files named in a text that was sent are not read for it.
    const refused = targets.filter(({ auth }) => auth?.kind === 'bearer_file');
    const taken = targets.filter(({ auth }) => auth?.kind !== 'bearer_file');
    const left = refused.map(({ url }) => `${url}: left out: its token is in a file; add it with the token`);
    const items = addAll(engine, taken, preview);
    return resultOf(items, [...notes, ...left, ...behindNotes(items)]);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError('bad_request', words(error));
  }
}

export function registerTargets(app: App, engine: EngineContext): void {
  const { targets } = engine;

  app.get(
    '/targets',
    { schema: { summary: 'Targets and how each is', querystring: TargetListQuery, response: { 200: TargetList } } },
    async (request: FastifyRequest<{ Querystring: TargetListQuery }>) => list(engine, request.query),
  );

  app.post(
    '/targets',
    {
      config: { control: true, tells: TELLS },
      schema: { summary: 'Adds a target', body: NewTarget, response: { 201: Target } },
    },
    async (request: FastifyRequest<{ Body: NewTarget }>, reply: FastifyReply) => {
      checkFiles(request, request.body);
      const { entry, isNew } = targets.add(request.body, BY_HAND);
      if (!isNew) throw new ApiError('target_exists', onTheList(entry));
      return reply.code(201).send(targets.describe(entry));
    },
  );

  app.post(
    '/targets/probe',
    {
      // It sends requests to wherever it is told to: that is not for those who may only look.
      // Nothing is changed by it, and a person who types a URL asks many times.
      config: { control: true, reads: true },
      schema: { summary: 'What is at a URL, without adding it', body: ProbeRequest, response: { 200: ProbeResult } },
    },
    async (request: FastifyRequest<{ Body: ProbeRequest }>, reply: FastifyReply): Promise<ProbeResult> => {
      checkFiles(request, request.body);
      const { id, ...given } = request.body;
      const gone = new AbortController();
      // Of this answer, not of the connection: many questions come over one.
      reply.raw.once('close', () => gone.abort(new Error('the one who asked has left')));
      return probeResult(targets, given, id ?? null, gone.signal);
    },
  );

  app.post(
    '/targets/bulk',
    {
      config: { control: true, tells: TELLS },
      schema: { summary: 'Adds, pauses, resumes or removes many', body: BulkRequest, response: { 200: BulkResult } },
    },
    async (request: FastifyRequest<{ Body: BulkRequest }>): Promise<BulkResult> => {
      const { body } = request;
      if (body.action !== 'add') return changeAll(engine, body);
      checkFiles(request, body);
      const { action: _, targets: text, preview, ...settings } = body;
      const found = expanded(text).map((url) => ({ ...settings, url }));
      const items = addAll(engine, found, preview);
      return resultOf(items, behindNotes(items));
    },
  );

  app.post(
    '/targets/import',
    {
      config: { control: true, tells: ['preview'] },
      schema: { summary: 'Adds the targets of a list', body: ImportRequest, response: { 200: BulkResult } },
    },
    async (request: FastifyRequest<{ Body: ImportRequest }>) => imported(engine, request.body),
  );

  app.get(
    '/targets/export',
    { schema: { summary: 'The list as text', querystring: ExportQuery, response: { 200: z.string() } } },
    async (request: FastifyRequest<{ Querystring: ExportQuery }>, reply: FastifyReply) => {
      const text = await (request.query.format === 'yaml' ? exportYaml : exportPrometheus)(targets.list());
      return reply
        .type('application/yaml; charset=utf-8')
        .serializer((body: unknown) => String(body))
        .send(text);
    },
  );

  app.get(
    '/targets/:id',
    { schema: { summary: 'One target', params: TargetParams, response: { 200: Target } } },
    async (request: FastifyRequest<Params>) => needed(engine, request.params.id),
  );

  app.patch(
    '/targets/:id',
    {
      config: { control: true, tells: TELLS },
      schema: { summary: 'Changes a target', params: TargetParams, body: TargetPatch, response: { 200: Target } },
    },
    async (request: FastifyRequest<Params & { Body: TargetPatch }>) => {
      checkFiles(request, request.body);
      return targets.patch(request.params.id, request.body);
    },
  );

  app.delete(
    '/targets/:id',
    {
      config: { control: true, tells: TELLS },
      schema: { summary: 'Removes a target', params: TargetParams, response: { 200: RemovedTarget } },
    },
    async (request: FastifyRequest<Params>): Promise<RemovedTarget> => {
      const { target, until } = targets.remove(request.params.id);
      return { target, restore_until: until };
    },
  );

  app.post(
    '/targets/:id/restore',
    {
      config: { control: true, tells: TELLS },
      schema: {
        summary: 'Brings back a target that was removed within the last minute',
        params: TargetParams,
        response: { 200: Target },
      },
    },
    async (request: FastifyRequest<Params>) => targets.restore(request.params.id),
  );

  app.post(
    '/targets/:id/scrape',
    {
      config: { control: true, tells: TELLS },
      schema: { summary: 'Asks a target as soon as may be', params: TargetParams, response: { 204: z.null() } },
    },
    async (request: FastifyRequest<Params>, reply: FastifyReply) => {
      targets.soon(request.params.id);
      return reply.code(204).send();
    },
  );
}

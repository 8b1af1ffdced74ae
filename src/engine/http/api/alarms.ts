/** Alarms: rules, what they come to, who has seen it, and what became of it. */

import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import {
  AcknowledgeRequest,
  AcknowledgeResult,
  AlarmHistory,
  AlarmList,
  AlarmListQuery,
  AlarmPack,
  AlarmPacks,
  HistoryQuery,
  PackSwitch,
  PreviewLine,
  PreviewRequest,
  Rule,
  RuleImport,
  RuleImportResult,
  RuleList,
  RulePatch,
  RuleSettings,
} from '../../../shared/api/alarms.ts';
import { OWNER } from '../../../shared/model/role.ts';
import type { EngineContext } from '../../context.ts';
import { listAlarms } from '../../alarms/list.ts';
import type { App } from '../app.ts';

export const IdParams = z.object({ id: z.string().min(1).max(64) });
type Params = { Params: z.infer<typeof IdParams> };

/** What the audit log tells of a rule. */
const TELLS = ['id', 'name', 'metric', 'severity', 'enabled'] as const;

/** Whom an acknowledgement or a silence names. */
export const whoOf = ({ identity }: FastifyRequest): string => identity?.name ?? OWNER;

export function registerAlarms(app: App, engine: EngineContext): void {
  const { alarms } = engine;

  app.get(
    '/alarms',
    {
      schema: { summary: 'Alarms that are not inactive', querystring: AlarmListQuery, response: { 200: AlarmList } },
    },
    async (request: FastifyRequest<{ Querystring: AlarmListQuery }>): Promise<AlarmList> =>
      listAlarms(alarms, request.query),
  );

  app.post(
    '/alarms/acknowledge',
    {
      config: { control: true, tells: ['comment', 'on'] },
      schema: {
        summary: 'Says that somebody looks after alarms',
        body: AcknowledgeRequest,
        response: { 200: AcknowledgeResult },
      },
    },
    async (request: FastifyRequest<{ Body: AcknowledgeRequest }>): Promise<AcknowledgeResult> => ({
      changed: await alarms.acknowledge(request.body, whoOf(request)),
    }),
  );

  app.get(
    '/alarms/history',
    { schema: { summary: 'What became of alarms', querystring: HistoryQuery, response: { 200: AlarmHistory } } },
    async (request: FastifyRequest<{ Querystring: HistoryQuery }>): Promise<AlarmHistory> =>
      alarms.history(request.query),
  );

  app.post(
    '/alarms/preview',
    {
      config: { reads: true },
      schema: { summary: 'When a rule would have fired', body: PreviewRequest, response: { 200: PreviewLine } },
    },
    async (request: FastifyRequest<{ Body: PreviewRequest }>, reply: FastifyReply) => {
      const gone = new AbortController();
      reply.raw.once('close', () => gone.abort(new Error('the one who asked has left')));
      const lines = alarms.preview(request.body, gone.signal);
      async function* text(): AsyncGenerator<string, void> {
        for await (const line of lines) yield `${JSON.stringify(line)}\n`;
      }
      return reply.type('application/x-ndjson; charset=utf-8').send(Readable.from(text()));
    },
  );

  app.get(
    '/alarms/packs',
    { schema: { summary: 'Rules that come with Vigie', response: { 200: AlarmPacks } } },
    async () => alarms.desk.packs(),
  );

  app.post(
    '/alarms/packs/:id',
    {
      config: { control: true, tells: ['id', 'on'] },
      schema: {
        summary: 'Switches rules of a pack on or off',
        params: IdParams,
        body: PackSwitch,
        response: { 200: AlarmPack },
      },
    },
    async (request: FastifyRequest<Params & { Body: PackSwitch }>): Promise<AlarmPack> =>
      alarms.desk.switch(request.params.id, request.body),
  );

  registerRules(app, engine);
}

function registerRules(app: App, { alarms }: EngineContext): void {
  app.get('/alarms/rules', { schema: { summary: 'Rules and how each is', response: { 200: RuleList } } }, async () => ({
    rules: alarms.desk.list(),
  }));

  app.post(
    '/alarms/rules',
    {
      config: { control: true, tells: TELLS },
      schema: { summary: 'Adds a rule', body: RuleSettings, response: { 201: Rule } },
    },
    async (request: FastifyRequest<{ Body: RuleSettings }>, reply: FastifyReply) =>
      reply.code(201).send(await alarms.desk.add({ settings: request.body, origin: 'hand' })),
  );

  app.post(
    '/alarms/rules/import',
    {
      config: { control: true, tells: ['replace', 'dry_run'] },
      schema: { summary: 'Adds the rules of a list', body: RuleImport, response: { 200: RuleImportResult } },
    },
    async (request: FastifyRequest<{ Body: RuleImport }>): Promise<RuleImportResult> =>
      alarms.desk.import(request.body),
  );

  app.get(
    '/alarms/rules/export',
    { schema: { summary: 'All rules as YAML', response: { 200: z.string() } } },
    async (_request, reply: FastifyReply) =>
      reply
        .type('application/yaml; charset=utf-8')
        .serializer((body: unknown) => String(body))
        .send(await alarms.desk.export()),
  );

  app.get(
    '/alarms/rules/:id',
    { schema: { summary: 'One rule', params: IdParams, response: { 200: Rule } } },
    async (request: FastifyRequest<Params>) => alarms.desk.describe(alarms.rules.need(request.params.id)),
  );

  app.patch(
    '/alarms/rules/:id',
    {
      config: { control: true, tells: TELLS },
      schema: { summary: 'Changes a rule', params: IdParams, body: RulePatch, response: { 200: Rule } },
    },
    async (request: FastifyRequest<Params & { Body: RulePatch }>) => alarms.desk.patch(request.params.id, request.body),
  );

  app.delete(
    '/alarms/rules/:id',
    {
      config: { control: true, tells: TELLS },
      schema: {
        summary: 'Deletes a rule; what fires because of it is resolved',
        params: IdParams,
        response: { 204: z.null() },
      },
    },
    async (request: FastifyRequest<Params>, reply: FastifyReply) => {
      await alarms.desk.remove(request.params.id);
      return reply.code(204).send();
    },
  );
}

import type { FastifyRequest } from 'fastify';
import { AuditList, AuditQuery } from '../../../shared/api/audit.ts';
import type { EngineContext } from '../../context.ts';
import type { App } from '../app.ts';

export function registerAudit(app: App, engine: EngineContext): void {
  app.get(
    '/audit',
    {
      config: { control: true },
      schema: { summary: 'Who changed what, newest first', querystring: AuditQuery, response: { 200: AuditList } },
    },
    async (request: FastifyRequest<{ Querystring: AuditQuery }>) => engine.store.audit(request.query),
  );
}

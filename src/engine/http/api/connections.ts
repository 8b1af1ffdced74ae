/** Connections to hosts by SSH. What they need is loaded when one is on the list or is added. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import {
  ConfigHostList,
  Connection,
  ConnectionList,
  ConnectionLog,
  ConnectionPatch,
  EngineStart,
  Forward,
  NewConnection,
  NewForward,
  PromptAnswer,
  PromptList,
} from '../../../shared/api/connections.ts';
import type { EngineContext } from '../../context.ts';
import type { App } from '../app.ts';

const ConnectionParams = z.object({ id: z.string().min(1).max(64) });
type Params = { Params: z.infer<typeof ConnectionParams> };
const ForwardParams = ConnectionParams.extend({ forward: z.string().min(1).max(64) });

/** Parameters that the audit log may tell: no answer to a prompt is among them. */
const TELLS = ['id', 'host', 'name', 'forward', 'port'];

export function registerConnections(app: App, engine: EngineContext): void {
  const loaded = async () => (await engine.remote.load()).connections;

  app.get(
    '/connections',
    { schema: { summary: 'Connections by SSH and how each is', response: { 200: ConnectionList } } },
    async (): Promise<ConnectionList> => ({
      connections: (await engine.remote.begun())?.connections.list() ?? [],
      problem: engine.remote.problem,
    }),
  );

  app.post(
    '/connections',
    {
      config: { control: true, tells: TELLS },
      schema: { summary: 'Adds a connection, and connects', body: NewConnection, response: { 201: Connection } },
    },
    async (request: FastifyRequest<{ Body: NewConnection }>, reply: FastifyReply) =>
      reply.code(201).send((await loaded()).add(request.body)),
  );

  app.get(
    '/connections/hosts',
    {
      // It tells of files of the engine's owner.
      config: { control: true },
      schema: { summary: 'Hosts of the ssh configuration', response: { 200: ConfigHostList } },
    },
    async (): Promise<ConfigHostList> => (await engine.remote.load()).hosts(),
  );

  app.get(
    '/connections/prompts',
    {
      config: { control: true },
      schema: { summary: 'What connections ask a person', response: { 200: PromptList } },
    },
    async (): Promise<PromptList> => ({ prompts: engine.remote.loaded?.connections.prompts.list() ?? [] }),
  );

  app.post(
    '/connections/prompts/:id',
    {
      config: { control: true, tells: ['id', 'action'] },
      schema: {
        summary: 'Answers or cancels a prompt',
        params: ConnectionParams,
        body: PromptAnswer,
        response: { 204: z.null() },
      },
    },
    async (request: FastifyRequest<Params & { Body: PromptAnswer }>, reply: FastifyReply) => {
      (await loaded()).prompts.answer(request.params.id, request.body);
      return reply.code(204).send();
    },
  );

  app.get(
    '/connections/:id',
    { schema: { summary: 'One connection', params: ConnectionParams, response: { 200: Connection } } },
    async (request: FastifyRequest<Params>) => (await loaded()).get(request.params.id),
  );

  app.patch(
    '/connections/:id',
    {
      config: { control: true, tells: TELLS },
      schema: {
        summary: 'Changes a connection',
        params: ConnectionParams,
        body: ConnectionPatch,
        response: { 200: Connection },
      },
    },
    async (request: FastifyRequest<Params & { Body: ConnectionPatch }>) =>
      (await loaded()).patch(request.params.id, request.body),
  );

  app.delete(
    '/connections/:id',
    {
      config: { control: true, tells: TELLS },
      schema: { summary: 'Removes a connection', params: ConnectionParams, response: { 200: Connection } },
    },
    async (request: FastifyRequest<Params>) => (await loaded()).remove(request.params.id),
  );

  for (const [action, summary] of [
    ['connect', 'Connects, or tries again'],
    ['disconnect', 'Disconnects, and stays so'],
  ] as const) {
    app.post(
      `/connections/:id/${action}`,
      {
        config: { control: true, tells: TELLS },
        schema: { summary, params: ConnectionParams, response: { 200: Connection } },
      },
      async (request: FastifyRequest<Params>) => (await loaded())[action](request.params.id),
    );
  }

  for (const [action, summary] of [
    ['start', 'Puts an engine over there, and starts it'],
    ['stop', 'Stops the engine that was started over there'],
    ['upgrade', 'Puts an engine of this version in the place of the one over there'],
    ['remove', 'Stops it and removes all that was put there'],
  ] as const) {
    app.post(
      `/connections/:id/engine/${action}`,
      {
        config: { control: true, tells: [...TELLS, 'folder', 'elsewhere'] },
        schema: { summary, params: ConnectionParams, body: EngineStart, response: { 202: Connection } },
      },
      async (request: FastifyRequest<Params & { Body: EngineStart }>, reply: FastifyReply) =>
        reply.code(202).send((await loaded()).beginWork(request.params.id, action, request.body)),
    );
  }

  app.post(
    '/connections/:id/engine/cancel',
    {
      config: { control: true, tells: TELLS },
      schema: {
        summary: 'Cancels what is done with the engine over there',
        params: ConnectionParams,
        response: { 200: Connection },
      },
    },
    async (request: FastifyRequest<Params>) => (await loaded()).cancelWork(request.params.id),
  );

  app.get(
    '/connections/:id/log',
    {
      config: { control: true },
      schema: { summary: 'What a connection did', params: ConnectionParams, response: { 200: ConnectionLog } },
    },
    async (request: FastifyRequest<Params>) => (await loaded()).log(request.params.id),
  );

  app.delete(
    '/connections/:id/secrets',
    {
      config: { control: true, tells: TELLS },
      schema: {
        summary: 'Forgets its kept passwords and passphrases',
        params: ConnectionParams,
        response: { 200: Connection },
      },
    },
    async (request: FastifyRequest<Params>) => (await loaded()).forget(request.params.id),
  );

  app.post(
    '/connections/:id/forwards',
    {
      config: { control: true, tells: TELLS },
      schema: {
        summary: 'Opens a port on 127.0.0.1 that leads over there',
        params: ConnectionParams,
        body: NewForward,
        response: { 201: Forward },
      },
    },
    async (request: FastifyRequest<Params & { Body: NewForward }>, reply: FastifyReply) =>
      reply.code(201).send(await (await loaded()).addForward(request.params.id, request.body)),
  );

  app.delete(
    '/connections/:id/forwards/:forward',
    {
      config: { control: true, tells: TELLS },
      schema: { summary: 'Closes such a port', params: ForwardParams, response: { 204: z.null() } },
    },
    async (request: FastifyRequest<{ Params: z.infer<typeof ForwardParams> }>, reply: FastifyReply) => {
      const { id, forward } = request.params;
      (await loaded()).removeForward(id, forward);
      return reply.code(204).send();
    },
  );
}

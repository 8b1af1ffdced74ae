/** Channels: how people are told of alarms, whom of what, and what became of it. */

import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import {
  Channel,
  ChannelList,
  ChannelPatch,
  ChannelTestRequest,
  ChannelTestResult,
  DeliveryList,
  DeliveryQuery,
  NewChannel,
  RouteList,
  ShownRoutes,
  type Route,
} from '../../../shared/api/channels.ts';
import { formatDuration } from '../../../shared/duration.ts';
import type { EngineContext } from '../../context.ts';
import type { App } from '../app.ts';

const ChannelParams = z.object({ id: z.string().min(1).max(64) });
type Params = { Params: z.infer<typeof ChannelParams> };

/** Never settings: addresses may be secret. */
const TELLS = ['id', 'name', 'enabled', 'per_minute'] as const;

/** Who may only look learns that there is a channel and how it is, not where it leads to: an address may be a secret. */
function shownTo({ identity }: FastifyRequest, channel: Channel): Channel {
  return identity?.role === 'control' ? channel : { ...channel, settings: { kind: channel.kind } };
}

const shownRoutes = (routes: readonly Route[]): ShownRoutes => ({
  routes: routes.map((route) => ({
    ...route,
    group_wait: formatDuration(route.group_wait),
    group_interval: formatDuration(route.group_interval),
    repeat: formatDuration(route.repeat),
  })),
});

export function registerChannels(app: App, { alarms }: EngineContext): void {
  app.get(
    '/channels',
    { schema: { summary: 'Channels and how each is', response: { 200: ChannelList } } },
    async (request: FastifyRequest): Promise<ChannelList> => ({
      channels: (await alarms.notifier()).channels().map((channel) => shownTo(request, channel)),
    }),
  );

  app.post(
    '/channels',
    {
      config: { control: true, tells: TELLS },
      schema: { summary: 'Adds a channel', body: NewChannel, response: { 201: Channel } },
    },
    async (request: FastifyRequest<{ Body: NewChannel }>, reply: FastifyReply) =>
      reply.code(201).send(await (await alarms.notifier()).addChannel(request.body)),
  );

  app.post(
    '/channels/test',
    {
      // It sends to wherever it is told to; nothing is changed by it, and a person who tries settings tries often.
      config: { control: true, reads: true },
      schema: { summary: 'Sends a test message now', body: ChannelTestRequest, response: { 200: ChannelTestResult } },
    },
    async (request: FastifyRequest<{ Body: ChannelTestRequest }>, reply: FastifyReply): Promise<ChannelTestResult> => {
      const notifier = await alarms.notifier();
      const gone = new AbortController();
      // Not the socket's: one may carry many questions.
      reply.raw.once('close', () => gone.abort(new Error('the one who asked has left')));
      return notifier.test(request.body, gone.signal);
    },
  );

  app.get(
    '/channels/routes',
    { schema: { summary: 'Which channels are told of what', response: { 200: ShownRoutes } } },
    async () => shownRoutes((await alarms.notifier()).routes()),
  );

  app.put(
    '/channels/routes',
    {
      config: { control: true },
      schema: { summary: 'Sets which channels are told of what', body: RouteList, response: { 200: ShownRoutes } },
    },
    async (request: FastifyRequest<{ Body: RouteList }>) =>
      shownRoutes(await (await alarms.notifier()).setRoutes(request.body.routes)),
  );

  app.get(
    '/channels/deliveries',
    { schema: { summary: 'What became of messages', querystring: DeliveryQuery, response: { 200: DeliveryList } } },
    async (request: FastifyRequest<{ Querystring: DeliveryQuery }>): Promise<DeliveryList> => ({
      deliveries: (await alarms.notifier()).deliveries(request.query),
    }),
  );

  app.get(
    '/channels/:id',
    { schema: { summary: 'One channel', params: ChannelParams, response: { 200: Channel } } },
    async (request: FastifyRequest<Params>) => shownTo(request, (await alarms.notifier()).channel(request.params.id)),
  );

  app.patch(
    '/channels/:id',
    {
      config: { control: true, tells: TELLS },
      schema: { summary: 'Changes a channel', params: ChannelParams, body: ChannelPatch, response: { 200: Channel } },
    },
    async (request: FastifyRequest<Params & { Body: ChannelPatch }>) =>
      (await alarms.notifier()).patchChannel(request.params.id, request.body),
  );

  app.delete(
    '/channels/:id',
    {
      config: { control: true, tells: TELLS },
      schema: { summary: 'Removes a channel', params: ChannelParams, response: { 204: z.null() } },
    },
    async (request: FastifyRequest<Params>, reply: FastifyReply) => {
      await (await alarms.notifier()).removeChannel(request.params.id);
      return reply.code(204).send();
    },
  );
}

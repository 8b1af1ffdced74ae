/** Runs that ended: lists, groups by command, what people say of them, and the trash. */

import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { Compared, CompareRequest } from '../../../shared/api/profile-compare.ts';
import {
  GroupPreview,
  GroupPreviewRequest,
  GroupRules,
  GroupRulesChange,
  Profile,
  ProfileChange,
  ProfileGroupList,
  ProfileGroupQuery,
  ProfileIds,
  ProfileList,
  ProfileListQuery,
  ProfileMarks,
  ProfilesChange,
  ProfilesChanged,
} from '../../../shared/api/profiles.ts';
import { ApiError } from '../../../shared/errors.ts';
import { parseSearch, type SearchTerm } from '../../../shared/profiles/search.ts';
import type { EngineContext } from '../../context.ts';
import { previewGroups, PREVIEW_RUNS } from '../../profiles/preview.ts';
import { DEFAULT_RULES, patternFault } from '../../store/profiles/normalise.ts';
import type { RulesState } from '../../store/profiles/profile-store.ts';
import type { App } from '../app.ts';
import { whileAsked } from '../while-asked.ts';
import { RunParams } from './runs.ts';

type ById = { Params: z.infer<typeof RunParams> };

const noProfile = (): ApiError =>
  new ApiError('run_not_found', 'no finished run has this id here; it may be older than what is kept');

/** Errors: `bad_request` with what is wrong, word by word. */
export function searchTerms(search: string | undefined, now: number): readonly SearchTerm[] {
  const { terms, errors } = parseSearch(search ?? '', now);
  if (errors.length === 0) return terms;
  const all = errors.map(
    ({ start, end, message }) => `"${search!.slice(start, Math.min(end, start + 60))}": ${message}`,
  );
  throw new ApiError('bad_request', `search: ${all.slice(0, 5).join('; ')}`);
}

const rulesAnswer = ({ rules, regrouping }: RulesState): GroupRules => ({
  rules: [...(rules ?? DEFAULT_RULES)],
  defaults: [...DEFAULT_RULES],
  regrouping,
});

export function registerProfiles(app: App, engine: EngineContext): void {
  const { profiles } = engine.store;
  app.get(
    '/profiles',
    {
      schema: {
        summary: 'Runs that ended, newest first or as they are sorted',
        querystring: ProfileListQuery,
        response: { 200: ProfileList },
      },
    },
    async (request: FastifyRequest<{ Querystring: ProfileListQuery }>) => {
      const { search, ...query } = request.query;
      return profiles.list({ ...query, terms: searchTerms(search, engine.now()) });
    },
  );
  app.get(
    '/profiles/groups',
    {
      schema: {
        summary: 'Runs that ended by their normalised command',
        querystring: ProfileGroupQuery,
        response: { 200: ProfileGroupList },
      },
    },
    async (request: FastifyRequest<{ Querystring: ProfileGroupQuery }>) => {
      const { search, ...query } = request.query;
      return profiles.groups({ ...query, terms: searchTerms(search, engine.now()) });
    },
  );
  registerRules(app, engine);
  registerChanges(app, engine);
  app.post(
    '/profiles/compare',
    {
      config: { reads: true },
      schema: { summary: 'Runs side by side', body: CompareRequest, response: { 200: Compared } },
    },
    async (request: FastifyRequest<{ Body: CompareRequest }>, reply) =>
      whileAsked(reply.raw, (signal) => profiles.compare(request.body, signal)),
  );
  app.get(
    '/profiles/:id',
    {
      schema: {
        summary: 'A finished run: description, final values, ranks',
        params: RunParams,
        response: { 200: Profile },
      },
    },
    async (request: FastifyRequest<ById>) => {
      const { id } = request.params;
      // Of a run that goes on the present values; a profile of before, if it was interrupted, is out of date.
      const found = engine.liveRun(id)?.profile() ?? (await engine.store.profile(id));
      if (!found) throw new ApiError('run_not_found', 'no run has this id here; it may be older than what is kept');
      return found;
    },
  );
}

function registerRules(app: App, engine: EngineContext): void {
  const { profiles } = engine.store;
  app.get(
    '/profiles/rules',
    { schema: { summary: 'The rules by which commands are normalised', response: { 200: GroupRules } } },
    async () => rulesAnswer(await profiles.rules()),
  );
  app.put(
    '/profiles/rules',
    {
      schema: { summary: 'Changes the rules, and groups anew', body: GroupRulesChange, response: { 200: GroupRules } },
    },
    async (request: FastifyRequest<{ Body: GroupRulesChange }>) => {
      const { rules } = request.body;
      for (const [i, { pattern }] of (rules ?? []).entries()) {
        const fault = patternFault(pattern);
        if (fault !== null) throw new ApiError('bad_request', `rules.${i}.pattern: ${fault}`);
      }
      return rulesAnswer(await profiles.setRules(rules));
    },
  );
  app.post(
    '/profiles/rules/preview',
    {
      config: { reads: true },
      schema: {
        summary: 'Which commands would fall together',
        body: GroupPreviewRequest,
        response: { 200: GroupPreview },
      },
    },
    async (request: FastifyRequest<{ Body: z.infer<typeof GroupPreviewRequest> }>) =>
      previewGroups(await profiles.commands(PREVIEW_RUNS), request.body.rules),
  );
}

function registerChanges(app: App, engine: EngineContext): void {
  const { profiles } = engine.store;
  app.get(
    '/profiles/:id/marks',
    { schema: { summary: 'Tags, note and pin of a finished run', params: RunParams, response: { 200: ProfileMarks } } },
    async (request: FastifyRequest<ById>) => {
      const marks = await profiles.marks(request.params.id);
      if (!marks) throw noProfile();
      return marks;
    },
  );
  app.patch(
    '/profiles/:id',
    {
      config: { tells: ['id', 'tags', 'baseline', 'pinned'] },
      schema: {
        summary: 'Changes tags, note, baseline or pin',
        params: RunParams,
        body: ProfileChange,
        response: { 200: ProfileMarks },
      },
    },
    async (request: FastifyRequest<ById & { Body: ProfileChange }>) => {
      const marks = await profiles.change(request.params.id, request.body, engine.now());
      if (!marks) throw noProfile();
      return marks;
    },
  );
  app.delete(
    '/profiles/:id',
    {
      config: { tells: ['id'] },
      schema: {
        summary: 'Puts a finished run into the trash, for 7 days',
        params: RunParams,
        response: { 200: ProfilesChanged },
      },
    },
    async (request: FastifyRequest<ById>) => {
      const result = await profiles.trash([request.params.id], engine.now());
      if (result.changed.length === 0) throw noProfile();
      return result;
    },
  );
  app.post(
    '/profiles/change',
    {
      config: { tells: ['ids', 'add_tags', 'remove_tags', 'pinned'] },
      schema: { summary: 'Changes tags or pins of many', body: ProfilesChange, response: { 200: ProfilesChanged } },
    },
    async (request: FastifyRequest<{ Body: ProfilesChange }>) => profiles.changeMany(request.body, engine.now()),
  );
  app.post(
    '/profiles/delete',
    {
      config: { tells: ['ids'] },
      schema: { summary: 'Puts many into the trash', body: ProfileIds, response: { 200: ProfilesChanged } },
    },
    async (request: FastifyRequest<{ Body: ProfileIds }>) => profiles.trash(request.body.ids, engine.now()),
  );
  app.post(
    '/profiles/restore',
    {
      config: { tells: ['ids'] },
      schema: { summary: 'Takes many out of the trash', body: ProfileIds, response: { 200: ProfilesChanged } },
    },
    async (request: FastifyRequest<{ Body: ProfileIds }>) => profiles.trash(request.body.ids, null),
  );
}

/**
 * Connections: hosts that are reached by SSH, and the engine that is reached through each. Durations that people set are
 * text with a unit (`10s`); what was measured is a number of milliseconds, times are ms since the epoch.
 *
 * Every text that a host over there has a part in (`reason`, `text`, `title`, a hop's name, the engine's host and version)
 * is data: never markup.
 */

import { z } from 'zod';

/** Most connections on the list, and most forwards of one. */
export const MAX_CONNECTIONS = 200;
export const MAX_FORWARDS = 50;
/** Most lines of a connection's log that are told. */
export const MAX_LOG_LINES = 1000;
/** A prompt that nobody answers is cancelled after this long, ms. */
export const PROMPT_WITHIN = 300_000;

const count = z.number().int().nonnegative();

/** Nothing that a terminal, a log or a shell takes for more than a name; never an option. */
export const HostName = z
  .string()
  .trim()
  .min(1)
  .max(255)
  .regex(/^[^\s\p{Cc}'"`$;&|<>\\(){}*?!#,-][^\s\p{Cc}'"`$;&|<>\\(){}*?!#,]*$/u, {
    error: 'expected the name of a host, such as it stands behind Host in ~/.ssh/config, or user@host',
  });
const Label = z
  .string()
  .trim()
  .max(128)
  .regex(/^\P{Cc}*$/u, 'a name has no control characters');
const Port = z.number().int().min(1).max(65_535);
const SocketPath = z
  .string()
  .max(1024)
  .regex(/^\/\P{Cc}*$/u, 'expected the whole path of a Unix socket');

/**
 * idle: not connected, and nobody asked for it; asking: a prompt is open; up; reconnecting: it was up, and is tried again
 * by itself; down: nothing answers, tried again by itself too; refused: it needs a person first (a key that changed, a
 * password that is not accepted), tried again when told to.
 */
export const ConnectionState = z.enum(['idle', 'connecting', 'asking', 'up', 'reconnecting', 'down', 'refused']);
export type ConnectionState = z.infer<typeof ConnectionState>;

/** One host on the way; the last one is the destination. */
export const Hop = z.object({
  /** As the user wrote it. */
  name: z.string(),
  /** Where it is, as `user@host:port`. */
  host: z.string(),
  state: ConnectionState,
  /** Which phase it is in, or why it failed, in words; null: nothing to say. */
  reason: z.string().nullable(),
  /** Round trip, ms; null: not measured. */
  latency_ms: z.number().nonnegative().nullable(),
  /** Of its key, `SHA256:…`; null: it has not shown one. */
  fingerprint: z.string().nullable(),
  /** `ssh`: the user's own ssh carries it, since it needs what the engine's own client cannot do. */
  through: z.enum(['ssh2', 'ssh']),
});
export type Hop = z.infer<typeof Hop>;

/** A local port of this machine that leads to a port or socket over there. */
export const Forward = z.object({
  /** Opaque, made by the engine. */
  id: z.string(),
  /** Always on 127.0.0.1. */
  listen: z.object({ host: z.literal('127.0.0.1'), port: Port }),
  /** `HOST:PORT` as the destination sees it, or `unix:PATH`. */
  to: z.string(),
  /** Connections through it now. */
  open: count,
  /** False: its port is not open; `problem` says why, such as that its connection is not up since the engine started. */
  listening: z.boolean(),
  /** Why it does not work at the moment; null: nothing is wrong. */
  problem: z.string().nullable(),
});
export type Forward = z.infer<typeof Forward>;

/** POST /api/v1/connections/ID/forwards */
export const NewForward = z.strictObject({
  /** On 127.0.0.1; absent or 0: a free one. */
  port: z.number().int().min(0).max(65_535).default(0),
  to: z.union([
    z.strictObject({ host: z.string().trim().min(1).max(255), port: Port }),
    z.strictObject({ socket: SocketPath }),
  ]),
});
export type NewForward = z.infer<typeof NewForward>;

/**
 * Where the engine is over there. `auto`: what `vigie status` or the engine's own file there says; `none`: no engine is
 * looked for.
 */
export const EngineAddress = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('auto') }),
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('socket'), path: SocketPath }),
  z.strictObject({
    kind: z.literal('port'),
    host: z.string().trim().min(1).max(255).default('127.0.0.1'),
    port: Port,
    /** A file over there with the token; absent: it is looked for. */
    token_file: z.string().max(1024).optional(),
  }),
]);
export type EngineAddress = z.infer<typeof EngineAddress>;

/** looking: asked for where it is; up; down: it does not answer; absent: there is none; refused: it answers, but is not taken. */
export const EngineState = z.enum(['looking', 'up', 'down', 'absent', 'refused']);
export type EngineState = z.infer<typeof EngineState>;

/** How far the finished profiles over there are here. */
export const SyncStatus = z.object({
  state: z.enum(['off', 'idle', 'running', 'waiting', 'failed']),
  /** Of that engine, in this one's store, as far as this start knows. */
  profiles: count,
  /** When all that it had was here; null: never. */
  complete: z.number().nullable(),
  /** Why it does not go on; null: nothing is wrong. */
  reason: z.string().nullable(),
});
export type SyncStatus = z.infer<typeof SyncStatus>;

/** An engine that is reached through a connection: what it says of itself, checked in form only. */
export const RemoteEngine = z.object({
  /** 32 hexadecimal digits; its API is below /api/v1/engines/ID. Null: it was never reached. */
  id: z.string().nullable(),
  version: z.string().nullable(),
  api: z.object({ major: count, minor: count }).nullable(),
  state: EngineState,
  /** What is wrong, in words to act on; null: nothing is. */
  reason: z.string().nullable(),
  /** The host that it runs on: behind a round-robin name another one than was asked for. */
  host: z.string().nullable(),
  /** What to know of its version; null: it speaks as this one does. */
  skew: z.string().nullable(),
  sync: SyncStatus,
});
export type RemoteEngine = z.infer<typeof RemoteEngine>;

/** What is done with the engine over there. */
export const EngineAction = z.enum(['start', 'stop', 'upgrade', 'remove']);
export type EngineAction = z.infer<typeof EngineAction>;

/** One step of it, in the order in which they are done. */
export const EngineStep = z.object({
  name: z.enum([
    ...(['connect', 'host', 'package', 'folder', 'send', 'check', 'unpack', 'stop'] as const),
    ...(['run', 'reach', 'clean'] as const),
  ]),
  /** In words, for people: `Send the package`. */
  title: z.string(),
  /** skipped: there was nothing to do. */
  state: z.enum(['waiting', 'running', 'done', 'skipped', 'failed', 'cancelled']),
  /** What it found, or why it failed, in words; null: nothing to say. */
  reason: z.string().nullable(),
  /** How long it took, or takes so far; null: it has not begun. */
  ms: z.number().nonnegative().nullable(),
  /** Bytes, of `send`; null: it has no such size. */
  progress: z.object({ done: count, total: count }).nullable(),
});
export type EngineStep = z.infer<typeof EngineStep>;

/**
 * What was last begun with the engine over there, since this engine started. One thing at a time; it is begun with
 * POST /api/v1/connections/ID/engine/ACTION, which answers at once, and goes on by itself; told on the topic `connections`.
 */
export const EngineWork = z.object({
  action: EngineAction,
  state: z.enum(['running', 'done', 'failed', 'cancelled']),
  /** When it began, ms since the epoch. */
  began: z.number(),
  /** How it came out, or why it failed and what to do, in words; null: nothing to say. */
  reason: z.string().nullable(),
  steps: z.array(EngineStep),
});
export type EngineWork = z.infer<typeof EngineWork>;

/** An engine that this one put there and started. */
export const PlacedEngine = z.object({
  /** Its real host: one of those behind a round-robin name. */
  host: z.string(),
  /** The private folder over there with all of it. */
  folder: z.string(),
  version: z.string(),
  /** When it was put there, ms since the epoch. */
  since: z.number(),
});
export type PlacedEngine = z.infer<typeof PlacedEngine>;

/** POST /api/v1/connections/ID/engine/start and …/upgrade */
export const EngineStart = z.strictObject({
  /** A folder over there, on a disk of that node, to put it in; absent: /tmp, /var/tmp and others are tried. */
  folder: z
    .string()
    .max(80)
    .regex(/^(?:\/[A-Za-z0-9_@%+=:,.-]+)+$/, 'expected the whole path of a folder, of letters, digits and _@%+=:,.-')
    .optional(),
  /** Also where another host of a round-robin name answers than the one that it was put on: that one is forgotten. */
  elsewhere: z.boolean().default(false),
});
export type EngineStart = z.infer<typeof EngineStart>;

/** GET /api/v1/connections/ID */
export const Connection = z.object({
  /** Opaque, made by the engine. */
  id: z.string(),
  /** As people call it; the host when they call it nothing else. */
  name: z.string(),
  /** As in the ssh configuration. */
  host: z.string(),
  /** Heading that it stands under; empty: none. */
  group: z.string(),
  /** Connected by itself when the engine starts. */
  auto: z.boolean(),
  /** Finished profiles are brought here. */
  sync: z.boolean(),
  address: EngineAddress,
  state: ConnectionState,
  /** Why it is so, in words; null: nothing to say. */
  reason: z.string().nullable(),
  /** Since when it is in this state. */
  since: z.number(),
  /** When it was last up; null: never. */
  last_up: z.number().nullable(),
  hops: z.array(Hop),
  /** Bytes since the engine started. */
  traffic: z.object({ in: count, out: count }),
  channels: count,
  /** Null: none is looked for. */
  engine: RemoteEngine.nullable(),
  /** What this engine put there and started; null: nothing. `upgrade` is for what is older than this engine. */
  placed: PlacedEngine.nullable(),
  /** What is done with the engine over there, or was last; null: nothing since this engine started. */
  work: EngineWork.nullable(),
  /** Targets of this engine that are reached through it. */
  targets: count,
  forwards: z.array(Forward),
  /** Passwords and passphrases of it that are kept, here or in the desktop's keyring: DELETE …/ID/secrets forgets them. */
  kept: count,
  /** What a person should look at although it may work, such as a file that cannot be read; null: nothing. */
  problem: z.string().nullable(),
});
export type Connection = z.infer<typeof Connection>;

const Settings = {
  name: Label,
  group: Label,
  auto: z.boolean(),
  sync: z.boolean(),
  engine: EngineAddress,
};
const Optional = z.strictObject(Settings).partial().shape;

/** POST /api/v1/connections */
export const NewConnection = z.strictObject({
  host: HostName,
  ...Optional,
  /** False: it is put on the list and not connected. */
  connect: z.boolean().default(true),
});
export type NewConnection = z.infer<typeof NewConnection>;
export type NewConnectionInput = z.input<typeof NewConnection>;

/** PATCH /api/v1/connections/ID: what is given replaces what was. */
export const ConnectionPatch = z.strictObject(Optional);
export type ConnectionPatch = z.infer<typeof ConnectionPatch>;

/** GET /api/v1/connections: in the order they were added. */
export const ConnectionList = z.object({
  connections: z.array(Connection),
  /** What keeps this engine from connecting at all, in words; null: nothing. */
  problem: z.string().nullable(),
});
export type ConnectionList = z.infer<typeof ConnectionList>;

/** GET /api/v1/connections/ID/log: secrets are not in it. Oldest first. */
export const ConnectionLog = z.object({
  lines: z.array(z.object({ time: z.number(), text: z.string() })),
});
export type ConnectionLog = z.infer<typeof ConnectionLog>;

/** A host that stands in the user's ssh configuration. */
export const ConfigHost = z.object({
  name: z.string(),
  /** Where it stands. */
  file: z.string(),
  line: count,
  /** The connection that goes there; null: none. */
  connection: z.string().nullable(),
});
export type ConfigHost = z.infer<typeof ConfigHost>;

/** GET /api/v1/connections/hosts */
export const ConfigHostList = z.object({
  hosts: z.array(ConfigHost),
  /** In words: files that cannot be read, what was left out. */
  notes: z.array(z.string()),
});
export type ConfigHostList = z.infer<typeof ConfigHostList>;

export const PromptKind = z.enum([
  'password',
  'passphrase',
  'keyboard-interactive',
  'trust',
  'changed-warning',
  'allow-exec',
]);
export type PromptKind = z.infer<typeof PromptKind>;

/**
 * What a connection asks a person. Only those who may control see it; answers are not kept, logged or noted. Which host
 * asks is said by this engine, never by the host: `title` is the engine's, `text` and labels may be the host's words.
 */
export const Prompt = z.object({
  /** Opaque, made by the engine; an answer to a prompt that is over is refused. */
  id: z.string(),
  connection: z.string(),
  /** The connection's host. */
  host: z.string(),
  /** The hop that asks. */
  hop: z.string(),
  kind: PromptKind,
  title: z.string(),
  text: z.string(),
  /** One answer for each. Of `trust`, `changed-warning` and `allow-exec` none. */
  fields: z.array(z.object({ label: z.string(), echo: z.boolean() })),
  /** Of the key that the host shows now: `trust`, `changed-warning`. */
  key: z.object({ type: z.string(), fingerprint: z.string() }).optional(),
  /** `changed-warning`: keys that are known of it, and where they stand. */
  was: z.array(z.object({ type: z.string(), fingerprint: z.string(), file: z.string(), line: count })).optional(),
  /** `changed-warning`: its name in these files, as `ssh-keygen -R` takes it. */
  listed_as: z.string().optional(),
  /**
   * The answer can be kept, when the person wants it: the dialog then has a box to tick. `keyring`: in the desktop's
   * keyring, for good; `memory`: until the engine stops, and `why` says why not longer. Absent: it is never kept.
   */
  keep: z.object({ where: z.enum(['keyring', 'memory']), why: z.string().nullable() }).optional(),
  /** When it is cancelled by itself. */
  expires: z.number(),
});
export type Prompt = z.infer<typeof Prompt>;

/** GET /api/v1/connections/prompts: oldest first. */
export const PromptList = z.object({ prompts: z.array(Prompt) });
export type PromptList = z.infer<typeof PromptList>;

/**
 * POST /api/v1/connections/prompts/ID. `answers`: one for each field. `trust`: whether the key is taken, and kept.
 * `allow`: whether the command may be run. `cancel`: of any kind; of `changed-warning` the only one, that it was seen.
 */
export const PromptAnswer = z.discriminatedUnion('action', [
  z.strictObject({
    action: z.literal('answer'),
    answers: z.array(z.string().max(16_384)).min(1).max(32),
    /** The person ticked the box of a prompt that has `keep`. It is kept once the login has worked with it. */
    keep: z.boolean().optional(),
  }),
  z.strictObject({ action: z.literal('trust'), keep: z.boolean() }),
  z.strictObject({ action: z.literal('allow') }),
  z.strictObject({ action: z.literal('cancel') }),
]);
export type PromptAnswer = z.infer<typeof PromptAnswer>;

/** An engine as the switcher lists it. */
export const ListedEngine = z.object({
  /** Its API is below /api/v1/engines/ID. */
  id: z.string(),
  /** Null: this one. */
  connection: z.string().nullable(),
  name: z.string(),
  host: z.string().nullable(),
  group: z.string(),
  version: z.string().nullable(),
  api: z.object({ major: count, minor: count }).nullable(),
  state: EngineState,
  reason: z.string().nullable(),
  skew: z.string().nullable(),
  /** Its profiles that are here, and can be looked at while it is not reached. */
  profiles: count,
});
export type ListedEngine = z.infer<typeof ListedEngine>;

/** GET /api/v1/engines: this one first. */
export const EngineList = z.object({ engines: z.array(ListedEngine) });
export type EngineList = z.infer<typeof EngineList>;

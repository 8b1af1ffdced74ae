/** The list `remote_write:` of the configuration file: where samples are sent, and how. */

import { z } from 'zod';
import { Duration } from '../../shared/duration.ts';
import { Size } from '../../shared/size.ts';
import { RESERVED_LABELS } from './reserved.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

const time = (least: number, most: number, words: string): z.ZodType<number, string> =>
  Duration.pipe(z.number().min(least, `must be ${words}`).max(most, `must be ${words}`));

/** A name of a directory, and the value of a label. */
const Name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/, 'expected letters, digits, `_`, `.` and `-`, 64 at most');

/** Why this is no address of a destination; null: it is one. */
function refuseUrl(text: string): string | null {
  if (!URL.canParse(text)) return 'expected a URL, such as https://prometheus.example.org/api/v1/write';
  const { protocol, username, password } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:') return 'expected http:// or https://';
  if (username !== '' || password !== '')
    return 'credentials do not stand in the URL: use basic_auth with a password_file';
  return null;
}

/** A text, refused in words. */
const text = (refuse: (value: string) => string | null): z.ZodString =>
  z.string().superRefine((value, ctx) => {
    const message = refuse(value);
    if (message !== null) ctx.addIssue({ code: 'custom', message });
  });

const Url = text(refuseUrl).transform((given) => new URL(given));

/** A mapping from names to texts; a name or a text is refused in words. */
const mapping = (
  refuse: (name: string, value: string) => string | null,
): z.ZodType<Record<string, string>, Record<string, string>> =>
  z.record(z.string(), z.string()).superRefine((given, ctx) => {
    for (const [name, value] of Object.entries(given)) {
      const message = refuse(name, value);
      if (message !== null) ctx.addIssue({ code: 'custom', path: [name], message });
    }
  });

const LABEL = /^[a-zA-Z_][a-zA-Z0-9_]*$/;
const Labels = mapping((name, value) => {
  if (!LABEL.test(name)) return 'expected the name of a label';
  if (name.startsWith('__') || RESERVED_LABELS.has(name)) return 'is a label that Vigie sets itself';
  return value === '' || value.length > 1024 ? 'expected 1 to 1024 characters' : null;
});

/** These are made here. */
const OWN_HEADERS = /^(authorization|connection|content-.*|host|transfer-encoding|user-agent|x-prometheus-remote-.*)$/i;
const Headers = mapping((name, value) => {
  if (!/^[A-Za-z0-9-]+$/.test(name)) return 'expected the name of a header';
  if (OWN_HEADERS.test(name)) return 'is a header that Vigie sets itself; secrets stand in files';
  return /^[\u0020-\u007e]*$/.test(value) ? null : 'expected printable ASCII';
});

const LOOPBACK = /^(localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

const Destination = z
  .strictObject({
    /** Where samples are posted, such as `https://prometheus.example.org/api/v1/write`. */
    url: Url,
    /** What it is called in the status, in metrics and on disk. Default: the host of the URL. */
    name: Name.optional(),
    /** Time between two samples of a series. */
    interval: time(10, 3_600_000, 'between 10ms and 1h').default(15_000),
    /** Most samples of a request, and how long one waits for more. */
    batch_samples: z.number().int().min(1).max(50_000).default(2000),
    batch_wait: time(10, 300_000, 'between 10ms and 5m').default(5000),
    /** A request must have been answered within this time. */
    timeout: time(100, 300_000, 'between 100ms and 5m').default(30_000),
    /** Waiting before what failed is sent again: the first time, and at most. */
    min_backoff: time(10, 60_000, 'between 10ms and 1m').default(1000),
    max_backoff: time(10, 3_600_000, 'between 10ms and 1h').default(60_000),
    /** Most bytes that wait. Of more, the oldest are dropped. */
    queue: Size.pipe(
      z
        .number()
        .min(64 * KIB)
        .max(1024 * GIB),
    ).default(512 * MIB),
    /** Added to every series. */
    labels: Labels.default({}),
    headers: Headers.default({}),
    basic_auth: z.strictObject({ username: z.string().min(1), password_file: z.string().min(1) }).optional(),
    token_file: z.string().min(1).optional(),
    tls: z
      .strictObject({
        /** Certificates (PEM) that are trusted in place of the system's. */
        ca_file: z.string().min(1).optional(),
        /** Any certificate is taken. */
        insecure: z.boolean().default(false),
      })
      .default({ insecure: false }),
    /** Families that are sent, with `*` for any text: all that match `keep` and nothing of `drop`. */
    metrics: z
      .strictObject({
        keep: z.array(z.string().min(1).max(1024)).max(1000).default(['*']),
        drop: z.array(z.string().min(1).max(1024)).max(1000).default([]),
      })
      .default({ keep: ['*'], drop: [] }),
    /** Whose series are sent. */
    scopes: z
      .array(z.enum(['node', 'run']))
      .min(1)
      .default(['node', 'run']),
    /** Where what was sent is read back from: the part of the address before `/api/v1/query_range`. */
    read_url: Url.optional(),
  })
  .superRefine((given, ctx) => {
    const refuse = (path: string, message: string): void => ctx.addIssue({ code: 'custom', path: [path], message });
    if (given.basic_auth && given.token_file !== undefined)
      refuse('token_file', 'give basic_auth or token_file, not both');
    if (given.min_backoff > given.max_backoff) refuse('min_backoff', 'must not be longer than max_backoff');
    const secret = given.basic_auth !== undefined || given.token_file !== undefined;
    for (const [path, url] of [['url', given.url] as const, ['read_url', given.read_url] as const]) {
      if (secret && url?.protocol === 'http:' && !LOOPBACK.test(url.hostname))
        refuse(path, 'would send a password or token in clear over the network: use https://');
    }
  })
  .transform((given) => ({ ...given, name: given.name ?? defaultName(given.url) }));

/** Directory names: a port's colon and an IPv6 address' brackets are not. */
const defaultName = (url: URL): string =>
  url.host
    .replace(/[^A-Za-z0-9_.-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+|-+$/g, '')
    .slice(0, 64) || 'destination';

export const RemoteWriteSettings = z
  .array(Destination)
  .max(16)
  // Only once each of them is valid.
  .transform((list, ctx) => {
    const seen = new Set<string>();
    for (const [i, { name }] of list.entries()) {
      // On some file systems `A` and `a` are one directory.
      if (seen.has(name.toLowerCase()))
        ctx.addIssue({ code: 'custom', path: [i, 'name'], message: `"${name}" stands twice: give each its own name` });
      seen.add(name.toLowerCase());
    }
    return list;
  });
export type DestinationSettings = Readonly<z.output<typeof Destination>>;

/** The address without what may be secret in it. */
export const shownUrl = (url: URL): string => `${url.origin}${url.pathname}`;

import type { Connection, ConnectionPatch, EngineAddress } from '../../../shared/api/connections.ts';
import { ConnectionPatch as Patch, HostName } from '../../../shared/api/connections.ts';
import { readPort } from '../../data/connections.ts';

/** What stands in the fields of a connection's settings. */
export interface ConnectionForm {
  readonly name: string;
  readonly group: string;
  readonly auto: boolean;
  readonly sync: boolean;
  readonly kind: EngineAddress['kind'];
  readonly path: string;
  readonly farHost: string;
  readonly farPort: string;
  readonly tokenFile: string;
}

export const EMPTY_FORM: ConnectionForm = {
  name: '',
  group: '',
  auto: false,
  sync: true,
  kind: 'auto',
  path: '',
  farHost: '127.0.0.1',
  farPort: '',
  tokenFile: '',
};

export function formOf({ name, host, group, auto, sync, address }: Connection): ConnectionForm {
  return {
    ...EMPTY_FORM,
    ...{ name: name === host ? '' : name, group, auto, sync, kind: address.kind },
    ...(address.kind === 'socket' ? { path: address.path } : {}),
    ...(address.kind === 'port'
      ? { farHost: address.host, farPort: String(address.port), tokenFile: address.token_file ?? '' }
      : {}),
  };
}

export type FormErrors = Partial<Record<'name' | 'group' | 'path' | 'farHost' | 'farPort', string>>;

function addressOf({ kind, path, farHost, farPort, tokenFile }: ConnectionForm): EngineAddress {
  if (kind === 'socket') return { kind, path: path.trim() };
  if (kind !== 'port') return { kind };
  const file = tokenFile.trim();
  return { kind, host: farHost.trim(), port: Number(farPort), ...(file === '' ? {} : { token_file: file }) };
}

/** The settings as the engine takes them, or what is wrong, by field. */
export function readForm(form: ConnectionForm): { request: ConnectionPatch | null; errors: FormErrors } {
  const errors: FormErrors = {};
  if (form.kind === 'socket' && !form.path.trim().startsWith('/')) errors.path = 'write the whole path of its socket';
  if (form.kind === 'port') {
    const port = readPort(form.farPort);
    if (typeof port === 'string') errors.farPort = port;
    else if (port === 0) errors.farPort = 'write its port';
    if (form.farHost.trim() === '') errors.farHost = 'write its host, as the host over there sees it';
  }
  const settings = { name: form.name.trim(), group: form.group.trim(), auto: form.auto, sync: form.sync };
  if (Object.keys(errors).length > 0) return { request: null, errors };
  const parsed = Patch.safeParse({ ...settings, engine: addressOf(form) });
  if (parsed.success) return { request: parsed.data, errors };
  for (const { path, message } of parsed.error.issues) {
    const field = path[0] === 'engine' ? 'path' : path[0];
    if (field === 'name' || field === 'group' || field === 'path') errors[field] = message;
  }
  return { request: null, errors };
}

/** What is wrong with the name of a host; null: nothing. */
export function hostError(host: string): string | null {
  const parsed = HostName.safeParse(host);
  return parsed.success ? null : (parsed.error.issues[0]?.message ?? 'this is not the name of a host');
}

/**
 * Secrets of a destination. They stand in files, are read anew for each request (so that one can be exchanged without a
 * restart), and are taken out of every text that somebody may see.
 */

import { readFile, stat } from 'node:fs/promises';
import type { DestinationSettings } from './settings.ts';

const MAX_SECRET = 16 * 1024;

type Settings = Pick<DestinationSettings, 'basic_auth' | 'token_file'>;

/** A file that cannot be used. The message names it and never has anything of its contents. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
}

async function readSecret(setting: string, path: string): Promise<string> {
  let text: string;
  try {
    const { size } = await stat(path);
    if (size > MAX_SECRET) throw new SecretError(`${setting} ${path} is too long for a secret`);
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof SecretError) throw error;
    throw new SecretError(`${setting} ${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`);
  }
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw new SecretError(`${setting} ${path} is empty`);
  // oxlint-disable-next-line no-control-regex -- these would end a header
  if (/[\u0000-\u001f\u007f]/.test(secret)) throw new SecretError(`${setting} ${path} must be one line of text`);
  return secret;
}

export interface Authorization {
  /** The header's value; null: none is wanted. */
  readonly header: string | null;
  /** Texts that must not be shown. */
  readonly secrets: readonly string[];
}

/** @throws SecretError */
export async function authorize({ basic_auth, token_file }: Settings): Promise<Authorization> {
  if (basic_auth) {
    const password = await readSecret('password_file', basic_auth.password_file);
    const both = Buffer.from(`${basic_auth.username}:${password}`).toString('base64');
    return { header: `Basic ${both}`, secrets: [password, both] };
  }
  if (token_file === undefined) return { header: null, secrets: [] };
  const token = await readSecret('token_file', token_file);
  if (!/^[\u0021-\u007e]+$/.test(token)) throw new SecretError(`token_file ${token_file} must be one word of ASCII`);
  return { header: `Bearer ${token}`, secrets: [token] };
}

/** A warning for each file that others can read. */
export async function openSecrets({ basic_auth, token_file }: Settings): Promise<string[]> {
  const warnings: string[] = [];
  for (const path of [basic_auth?.password_file, token_file]) {
    if (path === undefined) continue;
    const { mode } = await stat(path);
    if ((mode & 0o077) !== 0) warnings.push(`${path} can be read by others; \`chmod 600\` it`);
  }
  return warnings;
}

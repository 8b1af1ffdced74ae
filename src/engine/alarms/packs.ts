/** Rules that come with Vigie, to be switched on: resources/alarms, one file for each pack. Read when somebody asks. */

import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { RuleSettings, type RuleSettings as Settings } from '../../shared/api/alarms.ts';

const Id = z.string().regex(/^[a-z][a-z0-9-]{0,63}$/);
const PackFile = z.strictObject({
  id: Id,
  name: z.string().min(1),
  description: z.string(),
  rules: z.array(z.looseObject({ id: Id })),
});

export interface PackRule {
  readonly id: string;
  readonly settings: Settings;
}

export interface Pack {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly rules: readonly PackRule[];
}

/** Beside the bundle, or in the source tree. */
export function packFolder(): string | null {
  const here = dirname(fileURLToPath(import.meta.url));
  const candidates = [join(here, 'alarms'), join(here, '..', '..', '..', 'resources', 'alarms')];
  return candidates.find((path) => existsSync(join(path, 'nodes.yaml'))) ?? null;
}

/** All packs of a folder, by the names of their files. Throws when one cannot be read: they are part of the program. */
export async function readPacks(folder: string | null = packFolder()): Promise<Pack[]> {
  if (folder === null) return [];
  // Loaded when needed: most engines are never asked.
  const { parse } = await import('yaml');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort();
  return Promise.all(
    names.map(async (name) => {
      const { rules, ...about } = PackFile.parse(parse(await readFile(join(folder, name), 'utf8')));
      return { ...about, rules: rules.map(({ id, ...given }) => ({ id, settings: RuleSettings.parse(given) })) };
    }),
  );
}

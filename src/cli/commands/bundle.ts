import { writeFileSync } from 'node:fs';
import { Command } from 'commander';
import { Bundle, bundleText } from '../../shared/api/diagnosis.ts';
import { makeBundle } from '../../engine/diagnosis/bundle.ts';
import { diagnose } from '../../engine/diagnosis/doctor.ts';
import { EngineClient } from '../../client/http.ts';
import type { FoundEngine, Search } from '../../client/find-engine.ts';
import type { Config } from '../../engine/config.ts';
import { addSearchOptions, searchEngine, type SearchFlags } from '../engine-search.ts';
import { patientOf } from '../patient.ts';

/** An engine looks at its machine and its history meanwhile; in ms. */
const MADE_WITHIN = 30_000;

async function fromEngine({ socket }: FoundEngine): Promise<Bundle | null> {
  try {
    return Bundle.parse(await new EngineClient({ socket }, { timeout: MADE_WITHIN }).json('/bundle'));
  } catch (error) {
    // Its status did come: it is worth a bundle.
    const why = error instanceof Error ? error.message : String(error);
    console.error(`vigie: the engine did not make a bundle (${why}); this one has less in it`);
    return null;
  }
}

async function ownBundle(config: Config, search: Search): Promise<Bundle> {
  const patient = patientOf(config, search);
  const diagnosis = await diagnose(patient);
  return makeBundle({
    madeBy: 'command',
    time: Date.now(),
    config,
    status: patient.status,
    diagnosis,
    runs: [],
    log: [],
    metrics: null,
    secrets: [],
    paths: [patient.tokenFile, patient.page].filter((path) => path !== null),
  });
}

async function bundle(file: string | undefined, flags: SearchFlags): Promise<void> {
  const { config, search } = await searchEngine(flags);
  const made = (search.found && (await fromEngine(search.found))) ?? (await ownBundle(config, search));
  const text = bundleText(made);
  if (file === '-') {
    process.stdout.write(text);
    return;
  }
  const stamp = new Date(made.time).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  const path = file ?? `vigie-bundle-${stamp}.json`;
  try {
    writeFileSync(path, text, { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new Error(`${path} is there already; name another file`, { cause: error });
  }
  console.log(`${path} is written. It has no names and no tokens; look through it before you send it.`);
}

/** `vigie bundle`: one file for those who help, without names and secrets. Works without an engine, too. */
export function bundleCommand(): Command {
  return addSearchOptions(
    new Command('bundle').description(
      'write a file for those who help: state, checks, log, figures; no names, no secrets',
    ),
  )
    .argument('[file]', 'where to; - is stdout (default vigie-bundle-TIME.json here)')
    .action(bundle);
}

/**
 * Builds what is stale below dist/. Runs with the project's Node.
 *
 *     node scripts/build.mjs [--force] [engine] [renderer] [desktop]
 *
 * The engine and its store's worker are CommonJS: an ES module that imports `node:http` makes Node load all of its HTTP
 * client (undici), about 15 MB that an idle engine would hold for nothing. So there is no top-level `await` in them.
 */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { gzipSync } from 'node:zlib';

import { build } from 'vite';

import { locked } from './lib/lock.mjs';
import { root } from './lib/paths.mjs';
import { StepError, main, phase } from './lib/report.mjs';

const dist = path.join(root, 'dist');

// Whoever asks for the build, tests too: another value gives a page with React's development build, twice as slow.
process.env['NODE_ENV'] = 'production';

/** Entries of the engine: name of the bundle → its source. */
const entries = {
  vigie: 'src/cli/main.ts',
  'store-worker': 'src/engine/store/worker.ts',
  'export-worker': 'src/engine/profiles/export/thread.ts',
  'ssh-unlock': 'src/engine/remote/session/unlock-worker.ts',
  embedded: 'src/host/embedded.ts',
};

/** Native code stays a package; everything else goes into the bundle, so that a start reads a few files, not thousands. */
const external = ['better-sqlite3'];

/**
 * Spells what is outside of Latin-1 as escapes: one such character makes V8 keep the whole bundle with two bytes for each
 * character, as long as the engine runs.
 *
 * @type {import('vite').Plugin}
 */
const latin1 = {
  name: 'latin1',
  generateBundle(_options, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== 'chunk') continue;
      chunk.code = chunk.code.replace(/[\u0100-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
    }
  },
};

/**
 * Modules of Node that are loaded when something of them is used first: TLS reads some hundred certificates of
 * authorities as soon as it is loaded, which with its own code is 6 MB that an engine without TLS would hold for nothing.
 */
const LATE = ['node:http2', 'node:https', 'node:tls'];
const LATE_PREFIX = '\0late:';

/** @type {import('vite').Plugin} */
const late = {
  name: 'late',
  enforce: 'pre',
  resolveId(source, importer) {
    const name = source.startsWith('node:') ? source : `node:${source}`;
    return LATE.includes(name) && !importer?.startsWith(LATE_PREFIX) ? `${LATE_PREFIX}${name}` : null;
  },
  async load(id) {
    if (!id.startsWith(LATE_PREFIX)) return null;
    const name = id.slice(LATE_PREFIX.length);
    const names = Object.keys(await import(name)).filter((key) => key !== 'default');
    const getters = names.map((key) => `get ${key}() { return require('${name}').${key}; }`);
    return {
      code: `module.exports = {\n${getters.join(',\n')}\n};\n`,
      moduleType: 'js',
    };
  },
};

/** @param {string} outDir */
async function buildEngine(outDir) {
  for (const [name, entry] of Object.entries(entries)) {
    if (!existsSync(path.join(root, entry))) {
      throw new StepError(
        `${entry} is missing`,
        'It is an entry of the engine; bring it back or change scripts/build.mjs.',
      );
    }
    await build({
      root,
      configFile: false,
      publicDir: false,
      logLevel: 'warn',
      plugins: [late, latin1],
      ssr: { noExternal: true, external },
      build: {
        ssr: true,
        target: 'node24',
        minify: true,
        // Beside the bundle and not named in it: `node --enable-source-maps` is for developers, the maps cost memory.
        sourcemap: 'hidden',
        outDir,
        emptyOutDir: false,
        reportCompressedSize: false,
        rolldownOptions: {
          // What ssh2 would like and can do without.
          external: [/\.node$/],
          treeshake: { manualPureFunctions: ['z'] },
          input: { [name]: path.join(root, entry) },
          output: { format: 'cjs', entryFileNames: '[name].cjs', chunkFileNames: '[name]-[hash].cjs' },
        },
      },
    });
  }
  // Rules that come with Vigie.
  cpSync(path.join(root, 'resources', 'alarms'), path.join(outDir, 'alarms'), { recursive: true });
  // The tree's package.json says "module".
  writeFileSync(path.join(outDir, 'package.json'), '{"type":"commonjs"}\n');
}

/** @param {string} outDir */
async function buildRenderer(outDir) {
  await build({
    configFile: path.join(root, 'vite.config.ts'),
    logLevel: 'warn',
    build: { outDir, emptyOutDir: true, reportCompressedSize: false },
  });
  // Compressed once here, not for each request: through a tunnel the page's size is what a user waits for.
  const assets = path.join(outDir, 'assets');
  for (const name of readdirSync(assets).filter((file) => /\.(js|css|svg)$/.test(file))) {
    const file = path.join(assets, name);
    writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
  }
}

/** @param {string} outDir */
async function buildDesktop(outDir) {
  // Loaded when needed: it takes as long as the rest of a build that finds nothing to do.
  const { build: buildElectron } = await import('electron-vite');
  // It knows where: one folder for each process below it.
  await buildElectron({
    root,
    configFile: path.join(root, 'electron.vite.config.ts'),
    logLevel: 'error',
    build: { outDir },
  });
  copyFileSync(path.join(root, 'resources', 'icon.png'), path.join(outDir, 'icon.png'));
}

/**
 * @typedef {object} Part
 * @property {(outDir: string) => Promise<void>} build Fills an empty folder.
 * @property {readonly string[]} sources Files and folders it is made from.
 * @property {readonly string[]} without Folders in them that it does not read.
 */

const common = ['package-lock.json', 'scripts/build.mjs', 'tsconfig.base.json'];

/** @type {Readonly<Record<string, Part>>} */
const parts = {
  engine: {
    build: buildEngine,
    sources: ['src', 'resources/alarms', 'tsconfig.node.json', ...common],
    without: ['src/renderer', 'src/main', 'src/preload', 'src/host/host.ts'],
  },
  renderer: {
    build: buildRenderer,
    sources: ['src/renderer', 'src/shared', 'vite.config.ts', 'tsconfig.web.json', ...common],
    without: [],
  },
  desktop: {
    build: buildDesktop,
    sources: [
      'src/main',
      'src/preload',
      'src/host/host.ts',
      'src/shared',
      'resources',
      'electron.vite.config.ts',
      ...common,
    ],
    without: [],
  },
};

/**
 * All files at or below a path, relative to the root, in a fixed order.
 *
 * @param {string} name
 * @param {readonly string[]} without
 * @returns {string[]}
 */
function filesBelow(name, without) {
  const full = path.join(root, name);
  if (without.includes(name) || !existsSync(full)) return [];
  if (!statSync(full).isDirectory()) return [name];
  return readdirSync(full)
    .sort()
    .flatMap((child) => filesBelow(`${name}/${child}`, without));
}

/** @param {Part} part */
function contentHash(part) {
  const hash = createHash('sha256').update(process.versions.node);
  for (const name of part.sources.flatMap((source) => filesBelow(source, part.without))) {
    const content = readFileSync(path.join(root, name));
    hash.update(`${name} ${content.length}\n`).update(content);
  }
  return hash.digest('hex');
}

/**
 * @param {string} name
 * @param {boolean} force
 */
async function refresh(name, force) {
  const part = parts[name];
  if (part === undefined) throw new StepError(`there is no part "${name}"`, `Parts: ${Object.keys(parts).join(', ')}.`);
  const target = path.join(dist, name);
  const stamp = path.join(target, '.stamp');
  const wanted = contentHash(part);
  if (!force && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  await phase(`Building ${name}`, async () => {
    // Built beside and then moved into place, so that an interrupted or failed build leaves the old one usable.
    const next = path.join(dist, `.${name}.next`);
    rmSync(next, { recursive: true, force: true });
    mkdirSync(next, { recursive: true });
    try {
      await part.build(next);
    } catch (error) {
      if (error instanceof StepError) throw error;
      const details = error instanceof Error ? error.message : String(error);
      const todo = 'The output above names the file; mend it and try again.';
      throw new StepError(`the ${name} does not build`, todo, stripVTControlCharacters(details));
    }
    writeFileSync(path.join(next, '.stamp'), wanted);
    rmSync(target, { recursive: true, force: true });
    renameSync(next, target);
  });
}

/** Checksum of names, sizes and times; what bin/vigie compares at each start. */
function fingerprint() {
  return execFileSync('sh', [path.join(root, 'scripts', 'fingerprint.sh')], { encoding: 'utf8' });
}

await main(async () => {
  process.chdir(root);
  const words = process.argv.slice(2);
  const force = words.includes('--force');
  const names = words.filter((word) => !word.startsWith('-'));
  await locked('build', async () => {
    mkdirSync(dist, { recursive: true });
    // Taken before the build: a file saved meanwhile makes the next start look again.
    const before = fingerprint();
    for (const name of names.length > 0 ? names : Object.keys(parts)) await refresh(name, force);
    if (names.length === 0) writeFileSync(path.join(dist, '.fingerprint'), before);
  });
});

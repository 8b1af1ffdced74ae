/**
 * Packs the engine, vigie-run and libvigie into release/vigie-engine-VERSION-linux-ARCH.tar.gz, with its checksum and what
 * it needs beside it. What is unpacked runs from any folder and needs no npm.
 *
 *     node scripts/package-engine.mjs [--arch x64|arm64] [--out FOLDER]
 *
 * The same commit on the same system gives the same bytes: names in order, one time (that of the commit, or
 * SOURCE_DATE_EPOCH), no owner.
 */

import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { bootstrap, build } from './bootstrap.mjs';
import { bundledLicenses } from './lib/licenses.mjs';
import { locked } from './lib/lock.mjs';
import { projectNode, root, toolEnv } from './lib/paths.mjs';
import { StepError, main, phase, say } from './lib/report.mjs';
import { run } from './lib/run.mjs';

/** Architectures as Node names them → as compilers do. */
const compilers = { x64: 'x86_64', arm64: 'aarch64' };

/** What a package may ask of the system at most: that of Debian 12. A newer build machine would leave out its users. */
const newestGlibc = '2.36';

const from = (/** @type {string[]} */ ...names) => path.join(root, ...names);

/**
 * Runs a program that must succeed.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {Record<string, string>} [env]
 * @returns {Promise<string>} Its output.
 */
async function must(command, args, env = {}) {
  const { code, output, error } = await run(command, args, { cwd: root, env: { ...toolEnv(), ...env } });
  if (error === 'ENOENT') throw new StepError(`${command} is not installed`, 'It is needed to pack the engine.');
  if (code !== 0) throw new StepError(`${command} failed (status ${code})`, 'Its output above says why.', output);
  return output;
}

/**
 * Refuses what cannot be packed here, with everything that is missing.
 *
 * @param {string} arch
 * @returns {asserts arch is keyof typeof compilers}
 */
function checkArch(arch) {
  if (process.platform !== 'linux') throw new StepError('the engine is packed on Linux', 'Run it there.');
  if (!Object.hasOwn(compilers, arch)) {
    throw new StepError(`there is no Node for "${arch}"`, `Architectures: ${Object.keys(compilers).join(', ')}.`);
  }
  if (arch === process.arch) return;
  const sqlite = `node_modules/better-sqlite3/prebuilds/linux-${arch}.node`;
  const missing = [
    `a Node for linux-${arch}: npm has installed that of this machine (linux-${process.arch})`,
    ...(existsSync(from(sqlite)) ? [] : [sqlite]),
    `libvigie and vigie-run, which are compiled for the machine they are built on`,
  ];
  throw new StepError(
    `cannot pack for ${arch} on ${process.arch}`,
    `Missing:\n    ${missing.join('\n    ')}\n  Run it on a machine of that architecture.`,
  );
}

/** Seconds since 1970 that all files get. */
async function timestamp() {
  const named = process.env['SOURCE_DATE_EPOCH'];
  if (named !== undefined && /^\d+$/.test(named)) return named;
  const { code, output } = await run('git', ['-C', root, 'log', '-1', '--format=%ct']);
  // Sources without their history.
  return code === 0 && /^\d+$/.test(output.trim()) ? output.trim() : '946684800';
}

/**
 * @param {string} prefix
 */
async function installNative(prefix) {
  const folder = from('native', 'build', 'package');
  const config = [
    '-DCMAKE_BUILD_TYPE=Release',
    '-DBUILD_TESTING=OFF',
    '-DCMAKE_INSTALL_LIBDIR=lib',
    // No path of this machine in what others get.
    `-DCMAKE_C_FLAGS=-ffile-prefix-map=${from('native')}=native`,
  ];
  await must('cmake', ['-S', from('native'), '-B', folder, ...config]);
  await must('cmake', ['--build', folder, '--parallel']);
  await must('cmake', ['--install', folder, '--prefix', prefix, '--strip']);
}

/**
 * @param {string} prefix
 * @param {string} arch
 */
function installEngine(prefix, arch) {
  const own = path.join(prefix, 'libexec', 'vigie');
  const into = (/** @type {string} */ name) => {
    mkdirSync(path.dirname(path.join(own, name)), { recursive: true });
    return path.join(own, name);
  };
  // In the order of a source tree, where bin/vigie and the engine look for them.
  copyFileSync(from('bin', 'vigie'), into('bin/vigie'));
  copyFileSync(projectNode, into('node_modules/node/bin/node'));
  // The engine within the desktop program is not for here.
  const wanted = (/** @type {string} */ file) => !/\.map$|\/\.stamp$|\/embedded\.cjs$/.test(file);
  for (const part of ['dist/engine', 'dist/renderer']) {
    cpSync(from(part), into(part), { recursive: true, filter: wanted });
  }
  const sqlite = 'node_modules/better-sqlite3';
  for (const name of ['package.json', 'LICENSE', 'lib', `prebuilds/linux-${arch}.node`]) {
    cpSync(from(sqlite, name), into(`${sqlite}/${name}`), { recursive: true });
  }
  symlinkSync('../libexec/vigie/bin/vigie', path.join(prefix, 'bin', 'vigie'));
  copyFileSync(from('bin', 'tau_metric_client'), path.join(prefix, 'bin', 'tau_metric_client'));
}

/**
 * @param {string} prefix
 * @param {Record<string, string>} words What stands for @NAME@.
 */
function installTexts(prefix, words) {
  const texts = {
    'vigie.service': 'share/vigie/vigie.service',
    modulefile: 'share/modulefiles/vigie',
    'README.md': 'README.md',
  };
  for (const [name, place] of Object.entries(texts)) {
    const file = path.join(prefix, place);
    mkdirSync(path.dirname(file), { recursive: true });
    const text = readFileSync(from('packaging', name), 'utf8');
    writeFileSync(
      file,
      text.replaceAll(/@([A-Z_]+)@/g, (_, /** @type {string} */ word) => words[word] ?? ''),
    );
  }
  const documents = path.join(prefix, 'share', 'doc', 'vigie');
  const licenses = path.join(documents, 'licenses');
  mkdirSync(licenses, { recursive: true });
  copyFileSync(path.join(prefix, 'README.md'), path.join(documents, 'README.md'));
  copyFileSync(from('LICENSE'), path.join(prefix, 'LICENSE'));
  copyFileSync(from('CHANGELOG.md'), path.join(documents, 'CHANGELOG.md'));
  for (const name of readdirSync(from('docs')).filter((file) => file.endsWith('.md'))) {
    copyFileSync(from('docs', name), path.join(documents, name));
  }
  copyFileSync(from('packaging', 'licenses', 'node.txt'), path.join(licenses, 'node.txt'));
  const bundled = bundledLicenses();
  for (const { id, files } of bundled) {
    const name = id.replaceAll('/', '+');
    if (files.length > 0) {
      writeFileSync(path.join(licenses, `${name}.txt`), files.map((file) => readFileSync(file, 'utf8')).join('\n\n'));
    }
  }
  const list = [
    `node@${words['NODE']}: MIT and others, see node.txt`,
    ...bundled.map(({ id, license }) => `${id}: ${license}`),
  ];
  writeFileSync(path.join(licenses, 'LIST'), `${list.join('\n')}\n`);
}

/**
 * @param {string} folder
 * @returns {string[]} All files that are no links, relative and in order.
 */
function filesOf(folder) {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => lstatSync(path.join(folder, name)).isFile()).sort();
}

/**
 * The newest version of a system library's symbols that programs or libraries ask for.
 *
 * @param {readonly string[]} files
 * @param {string} library `GLIBC`, `GLIBCXX`
 */
async function needed(files, library) {
  const output = await must('objdump', ['-p', ...files], { LC_ALL: 'C' });
  const versions = [...output.matchAll(new RegExp(`\\b${library}_(\\d+(?:\\.\\d+)+)`, 'g'))].map(
    ([, version]) => version ?? '',
  );
  return versions.sort(byVersion).at(-1) ?? '0';
}

/**
 * @param {string} a
 * @param {string} b
 */
const byVersion = (a, b) => a.localeCompare(b, 'en', { numeric: true });

/** @param {string} prefix */
async function requirements(prefix) {
  const binaries = filesOf(prefix)
    .map((name) => path.join(prefix, name))
    .filter((file) => readFileSync(file).subarray(0, 4).equals(Buffer.from('\x7fELF')));
  const engine = binaries.filter((file) => file.startsWith(path.join(prefix, 'libexec')));
  const native = binaries.filter((file) => !engine.includes(file));
  const versions = {
    ENGINE_GLIBC: await needed(engine, 'GLIBC'),
    GLIBCXX: await needed(engine, 'GLIBCXX'),
    NATIVE_GLIBC: await needed(native, 'GLIBC'),
  };
  const newest = [versions.ENGINE_GLIBC, versions.NATIVE_GLIBC].sort(byVersion).at(-1) ?? '0';
  if (byVersion(newest, newestGlibc) > 0) {
    const todo = `Pack on a system with glibc ${newestGlibc} or older, so that others can run it.`;
    throw new StepError(`what was built needs glibc ${newest}`, todo);
  }
  return versions;
}

/** @param {string} file */
const checksum = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');

/**
 * Bytes on a disk with blocks of 4 KiB.
 *
 * @param {string} prefix
 */
const sizeOf = (prefix) =>
  filesOf(prefix).reduce((sum, name) => sum + 4096 * Math.ceil(lstatSync(path.join(prefix, name)).size / 4096), 0);

/** @param {string} prefix */
function seal(prefix) {
  const files = filesOf(prefix);
  writeFileSync(
    path.join(prefix, 'SHA256SUMS'),
    files.map((name) => `${checksum(path.join(prefix, name))}  ${name}\n`).join(''),
  );
  for (const name of readdirSync(prefix, { recursive: true, encoding: 'utf8' })) {
    const file = path.join(prefix, name);
    const state = lstatSync(file);
    // Neither the umask of who builds nor an owner's habits.
    if (!state.isSymbolicLink()) chmodSync(file, state.isDirectory() || (state.mode & 0o100) !== 0 ? 0o755 : 0o644);
  }
}

/**
 * @param {string} arch
 * @param {string} out
 */
async function pack(arch, out) {
  const { version } = JSON.parse(readFileSync(from('package.json'), 'utf8'));
  const name = `vigie-engine-${version}-linux-${arch}`;
  const work = mkdtempSync(path.join(tmpdir(), 'vigie-package-'));
  process.once('exit', () => rmSync(work, { recursive: true, force: true }));
  const prefix = path.join(work, name);
  mkdirSync(prefix);
  await phase('Compiling libvigie and vigie-run', () => installNative(prefix));
  installEngine(prefix, arch);
  const needs = await requirements(prefix);
  const node = (await must(projectNode, ['--version'])).trim().slice(1);
  installTexts(prefix, { VERSION: version, ARCH: arch, NODE: node, ...needs });
  seal(prefix);

  mkdirSync(out, { recursive: true });
  const file = path.join(out, `${name}.tar.gz`);
  const next = `${file}.${process.pid}`;
  const order = ['--sort=name', `--mtime=@${await timestamp()}`, '--owner=0', '--group=0', '--numeric-owner'];
  await phase(`Packing ${name}`, async () => {
    const form = ['--format=ustar', '--use-compress-program=gzip -n'];
    await must('tar', ['--create', `--file=${next}`, ...order, ...form, '-C', work, name], { LC_ALL: 'C' });
  });
  renameSync(next, file);
  const sha256 = checksum(file);
  writeFileSync(`${file}.sha256`, `${sha256}  ${path.basename(file)}\n`);
  // For `vigie remote start`: what it asks of a system is known before it is sent there.
  const about = { version, arch, sha256, glibc: needs.ENGINE_GLIBC, unpacked: sizeOf(prefix) };
  writeFileSync(`${file}.json`, `${JSON.stringify(about)}\n`);
  say(`Needs glibc ${needs.ENGINE_GLIBC} (engine), ${needs.NATIVE_GLIBC} (vigie-run and libraries) or newer.`);
  console.log(file);
}

await main(async () => {
  const options = { arch: { type: /** @type {const} */ ('string') }, out: { type: /** @type {const} */ ('string') } };
  const { arch = process.arch, out = from('release') } = parseArgs({ options }).values;
  checkArch(arch);
  await bootstrap();
  await build(['engine', 'renderer']);
  // Two at the same time would compile into one folder.
  await locked('package-engine', () => pack(arch, path.resolve(out)));
});

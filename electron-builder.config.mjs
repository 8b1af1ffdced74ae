/**
 * What a packaged desktop program consists of. Its own code is in an archive whose checksum the program verifies (where
 * the platform can); the engine, its page and SQLite are beside it, since native code and another Node cannot be loaded
 * out of an archive.
 */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import path from 'node:path';

/** Electron from this version on has a Node that the engine runs on; with an older one the project's own goes along. */
const OWN_NODE_SINCE = 40;

const dist = process.env['ELECTRON_OVERRIDE_DIST_PATH'];
const version =
  dist === undefined
    ? JSON.parse(readFileSync('node_modules/electron/package.json', 'utf8')).version
    : readFileSync(path.join(dist, 'version'), 'utf8').trim();
const bringsNode = Number.parseInt(version, 10) < OWN_NODE_SINCE;

/** Engines of this version that were packaged before: what `vigie remote start` sends to other hosts. */
const engine = `vigie-engine-${JSON.parse(readFileSync('package.json', 'utf8')).version}-linux-`;
const hasEngines = existsSync('release') && readdirSync('release').some((name) => name.startsWith(engine));

/** @type {import('electron-builder').Configuration} */
export default {
  appId: 'org.vigie.console',
  productName: 'Vigie',
  copyright: 'Apache-2.0',
  directories: { output: 'dist/package' },
  electronVersion: version,
  ...(dist === undefined ? {} : { electronDist: dist }),
  // Prebuilt for Node-API: nothing to compile for a runtime.
  npmRebuild: false,
  asar: true,
  files: [
    'package.json',
    'dist/desktop/**',
    'dist/engine/**',
    'dist/renderer/**',
    '!dist/**/*.map',
    '!dist/**/.stamp',
    // All else is in the bundles.
    '!node_modules/**',
    {
      from: 'node_modules/better-sqlite3',
      to: 'node_modules/better-sqlite3',
      filter: ['package.json', 'LICENSE', 'lib/**', 'prebuilds/**'],
    },
  ],
  asarUnpack: ['dist/engine/**', 'dist/renderer/**', 'node_modules/better-sqlite3/**'],
  extraResources: [
    ...(bringsNode ? [{ from: 'node_modules/node/bin/node', to: 'node' }] : []),
    ...(hasEngines ? [{ from: 'release', to: 'engine', filter: [`${engine}*`] }] : []),
  ],
  // A runtime that was a program before may still have that one's folder.
  afterPack: async ({ appOutDir }) => rm(path.join(appOutDir, 'resources', 'app'), { recursive: true, force: true }),
  electronFuses: {
    runAsNode: false,
    enableNodeOptionsEnvironmentVariable: false,
    enableNodeCliInspectArguments: false,
    enableEmbeddedAsarIntegrityValidation: true,
    onlyLoadAppFromAsar: true,
    enableCookieEncryption: true,
  },
  icon: 'resources/icon.png',
  linux: {
    target: ['AppImage', 'deb'],
    executableName: 'vigie-desktop',
    category: 'Science',
    synopsis: 'Console for jobs on clusters',
    maintainer: 'The Vigie developers',
  },
  mac: { target: ['dmg'], category: 'public.app-category.developer-tools' },
  win: { target: ['nsis'] },
  nsis: { oneClick: false, perMachine: false, allowToChangeInstallationDirectory: true },
  // What is built is installed by people or their package manager, not by the program itself.
  publish: null,
};

/** Programs of the system that tests use as the real counterpart, and where they come from on Debian. */

import { accessSync, constants } from 'node:fs';
import path from 'node:path';

/** Program → the Debian package that has it. */
export const packages = /** @type {const} */ ({
  chromium: 'chromium',
  prometheus: 'prometheus',
  'prometheus-node-exporter': 'prometheus-node-exporter',
  'prometheus-pushgateway': 'prometheus-pushgateway',
  'prometheus-alertmanager': 'prometheus-alertmanager',
  promtool: 'prometheus',
  strace: 'strace',
  'victoria-metrics': 'victoria-metrics',
  openssl: 'openssl',
  valgrind: 'valgrind',
  // What reads module files and units of the package.
  tclsh: 'tcl',
  'systemd-analyze': 'systemd',
  // The display of desktop tests, and the client that fetches their Electron.
  Xvfb: 'xvfb',
  pip3: 'python3-pip',
  // Both MPI libraries, with what compiles and starts programs of theirs.
  'mpicc.openmpi': 'libopenmpi-dev',
  'mpirun.openmpi': 'openmpi-bin',
  'mpicc.mpich': 'libmpich-dev',
  'mpirun.mpich': 'mpich',
  gfortran: 'gfortran',
  // Programs in C++ and Python that are counted in.
  'c++': 'g++',
  python3: 'python3',
  // Programs whose calls do not all pass through libc.
  go: 'golang-go',
  java: 'default-jre-headless',
  // A server of its own for each test, the client that is compared with, and keys as PuTTY writes them.
  sshd: 'openssh-server',
  ssh: 'openssh-client',
  puttygen: 'putty-tools',
  // The keyring of a desktop, for the window's tests.
  'gnome-keyring-daemon': 'gnome-keyring',
});

/** What a program's package does not bring and its tests need. */
export const companions = /** @type {Readonly<Record<string, readonly string[]>>} */ ({
  // Electron is linked with it.
  Xvfb: ['libgtk-3-0'],
  // The bus that it is spoken to over, and the library that Electron does it with.
  'gnome-keyring-daemon': ['dbus', 'libsecret-1-0'],
});

/**
 * @param {string} name
 * @returns {string | undefined} Where PATH has the program.
 */
export function findProgram(name) {
  for (const folder of (process.env['PATH'] ?? '').split(path.delimiter)) {
    const file = path.join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}

/** Programs that are not installed. */
export function missingPrograms() {
  return /** @type {(keyof typeof packages)[]} */ (Object.keys(packages)).filter((name) => !findProgram(name));
}

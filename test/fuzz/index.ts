import { address } from './address.ts';
import { block } from './block.ts';
import { database } from './database.ts';
import { exposition } from './exposition.ts';
import { frame } from './frame.ts';
import { http } from './http.ts';
import { importFile } from './import.ts';
import { knownHosts } from './known-hosts.ts';
import { scan } from './scan.ts';
import { sshConfig } from './ssh-config.ts';
import { table } from './table.ts';
import type { FuzzTarget } from './target.ts';
import { wire } from './wire.ts';

export const targets: readonly FuzzTarget[] = [
  ...[wire, frame, block, exposition, http, importFile, database, table, scan, sshConfig, knownHosts, address],
];

import { exposition } from './exposition.ts';
import { frame } from './frame.ts';
import { http } from './http.ts';
import { scan } from './scan.ts';
import { table } from './table.ts';
import type { FuzzTarget } from './target.ts';
import { wire } from './wire.ts';

export const targets: readonly FuzzTarget[] = [wire, frame, exposition, http, table, scan];

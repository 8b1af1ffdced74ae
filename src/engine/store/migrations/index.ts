import { first } from './0001-first.ts';
import { audit } from './0002-audit.ts';
import { tables } from './0003-tables.ts';
import { blocks } from './0004-blocks.ts';
import { alarms } from './0005-alarms.ts';
import { cards } from './0006-cards.ts';

/** Forward only: entry N brings a database of version N to version N + 1 (PRAGMA user_version). Never edited once released. */
export const MIGRATIONS: readonly string[] = [first, audit, tables, blocks, alarms, cards];

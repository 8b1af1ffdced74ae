/** Makes a large store out of a small one: sealed blocks are cloned, each clone with a scope of its own. */

import { crc32 } from 'node:zlib';
import Database from 'better-sqlite3';

/** Where a block has its checksum and the row of its scope (docs/store.md). */
const [CHECKSUM_AT, SCOPE_AT] = [8, 16];
const CLONES_PER_TRANSACTION = 50;

interface BlockRow {
  readonly tier: number;
  readonly open: number;
  readonly first: number;
  readonly last: number;
  readonly rows: number;
  readonly size: number;
  readonly bytes: Buffer;
}

function withScope(bytes: Buffer, scope: number): Buffer {
  const out = Buffer.from(bytes);
  out.writeDoubleLE(scope, SCOPE_AT);
  out.writeUInt32LE(crc32(out.subarray(CHECKSUM_AT + 4), crc32(out.subarray(0, CHECKSUM_AT))), CHECKSUM_AT);
  return out;
}

/** Until the blocks have `bytes`. Returns how many scopes and blocks there are then. */
export function grow(path: string, bytes: number): { scopes: number; blocks: number } {
  const db = new Database(path);
  try {
    db.pragma('journal_mode = OFF');
    db.pragma('synchronous = OFF');
    const { id, epoch } = db.prepare('SELECT id, epoch FROM scope ORDER BY id LIMIT 1').get() as {
      id: number;
      epoch: number;
    };
    const blocks = db.prepare('SELECT * FROM block WHERE scope = ?').all(id) as BlockRow[];
    const size = blocks.reduce((sum, block) => sum + block.size, 0);
    const clones = Math.max(1, Math.ceil(bytes / size) - 1);
    const addScope = db.prepare(
      'INSERT INTO scope (name, epoch, part, sealed, until) SELECT ?, epoch, NULL, sealed, until FROM scope WHERE id = ?',
    );
    const addSeries = db.prepare('INSERT INTO series SELECT ?, kind, place, metric FROM series WHERE scope = ?');
    const addBlock = db.prepare(
      'INSERT INTO block (scope, tier, open, first, last, rows, size, bytes) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
    );
    for (let from = 0; from < clones; from += CLONES_PER_TRANSACTION) {
      db.transaction(() => {
        for (let i = from; i < Math.min(clones, from + CLONES_PER_TRANSACTION); i++) {
          const row = Number(addScope.run(`target/clone-${i}-${epoch}`, id).lastInsertRowid);
          addSeries.run(row, id);
          for (const { tier, open, first, last, rows, size: length, bytes: blob } of blocks) {
            addBlock.run(row, tier, open, first, last, rows, length, withScope(blob, row));
          }
        }
      })();
    }
    db.pragma('journal_mode = WAL');
    return { scopes: clones + 1, blocks: (clones + 1) * blocks.length };
  } finally {
    db.close();
  }
}

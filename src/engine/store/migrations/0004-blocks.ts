/**
 * Blocks, and what leads to them. The names of series stand once in `metric`; a tick is written as one row of `tail`
 * per part, a few scopes that are sealed together. What earlier versions wrote stays where it is and is moved a little
 * at a time afterwards (`frame` to blocks, `old_series` to `metric`), so that a large database opens at once.
 */
export const blocks = `
  -- part: which rows of tail have its frames. sealed: up to this time they are in blocks, and those in the tail do not
  -- count. until: from this time on nothing counts, because the clock was set back before the next start.
  ALTER TABLE scope ADD COLUMN part INTEGER;
  ALTER TABLE scope ADD COLUMN sealed REAL;
  ALTER TABLE scope ADD COLUMN until REAL;
  CREATE INDEX scope_part ON scope (part) WHERE part IS NOT NULL;

  -- A name is family || labels.
  CREATE TABLE metric (
    id INTEGER PRIMARY KEY,
    family TEXT NOT NULL,
    labels TEXT NOT NULL,
    doc TEXT NOT NULL,
    UNIQUE (family, labels, doc)
  );
  ALTER TABLE series RENAME TO old_series;
  CREATE TABLE series (
    scope INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    place INTEGER NOT NULL,
    metric INTEGER NOT NULL,
    PRIMARY KEY (scope, kind, place)
  ) WITHOUT ROWID;

  CREATE TABLE tail (
    id INTEGER PRIMARY KEY,
    part INTEGER NOT NULL,
    time REAL NOT NULL,
    bytes BLOB NOT NULL
  );
  CREATE INDEX tail_part ON tail (part);

  -- tier: 0 samples, 1 minutes, 2 hours. open: a piece that the next coarser tier does not have yet.
  CREATE TABLE block (
    id INTEGER PRIMARY KEY,
    scope INTEGER NOT NULL,
    tier INTEGER NOT NULL,
    open INTEGER NOT NULL,
    first REAL NOT NULL,
    last REAL NOT NULL,
    rows INTEGER NOT NULL,
    size INTEGER NOT NULL,
    bytes BLOB NOT NULL
  );
  -- Has all but the bytes, so that lists of blocks need not walk over them.
  CREATE INDEX block_time ON block (scope, tier, first, last, open, rows, size);
  -- What goes first when something has to.
  CREATE INDEX block_age ON block (tier, last, first, size, scope);

  CREATE TABLE keep (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    scope TEXT,
    "from" REAL NOT NULL,
    "to" REAL NOT NULL,
    note TEXT NOT NULL,
    created REAL NOT NULL
  );
  CREATE TABLE setting (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
  ) WITHOUT ROWID;
`;

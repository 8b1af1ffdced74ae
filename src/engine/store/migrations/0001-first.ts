/**
 * One row of `scope` per scope and start of the engine: series are numbered anew at each start, and frames are only
 * readable with the numbering they were written with.
 */
export const first = `
  CREATE TABLE engine (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id TEXT NOT NULL,
    epochs INTEGER NOT NULL
  );

  CREATE TABLE scope (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    UNIQUE (name, epoch)
  );

  CREATE TABLE series (
    scope INTEGER NOT NULL,
    kind TEXT NOT NULL,
    place INTEGER NOT NULL,
    name TEXT NOT NULL,
    doc TEXT NOT NULL,
    PRIMARY KEY (scope, kind, place)
  ) WITHOUT ROWID;

  -- Rows are appended in order of time, all scopes together, so that a tick touches few pages.
  CREATE TABLE frame (
    id INTEGER PRIMARY KEY,
    scope INTEGER NOT NULL,
    time INTEGER NOT NULL,
    full INTEGER NOT NULL,
    bytes BLOB NOT NULL
  );
  CREATE UNIQUE INDEX frame_time ON frame (scope, time);
  CREATE INDEX frame_full ON frame (scope, time) WHERE full = 1;

  CREATE TABLE run (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    jobid TEXT NOT NULL,
    start INTEGER NOT NULL,
    state TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    search TEXT NOT NULL,
    body TEXT NOT NULL
  );
  CREATE INDEX run_start ON run (start, number);
  CREATE INDEX run_jobid ON run (jobid, start, number);
  CREATE INDEX run_open ON run (state, epoch) WHERE state <> 'finished';

  CREATE TABLE profile (
    run TEXT PRIMARY KEY,
    body BLOB NOT NULL
  );
`;

/**
 * What lists of profiles are searched and sorted by (`card`), and what people said of profiles (`mark`). Cards are made
 * anew from runs, profiles and marks where they are missing: those of runs of before follow a little at a time after the
 * start, so that a large database opens at once.
 */
export const cards = `
  -- duration: ms, -1 is not known. usable: other runs can be held against it. grp: the command by the rules. rules:
  -- which rules, by their number. about: JSON.
  CREATE TABLE card (
    number INTEGER PRIMARY KEY,
    run TEXT NOT NULL UNIQUE,
    engine TEXT NOT NULL,
    start REAL NOT NULL,
    duration REAL NOT NULL,
    size REAL NOT NULL,
    state TEXT NOT NULL,
    failed INTEGER NOT NULL,
    usable INTEGER NOT NULL,
    command TEXT NOT NULL,
    grp TEXT NOT NULL,
    rules INTEGER NOT NULL,
    baseline INTEGER NOT NULL,
    deleted REAL,
    about TEXT NOT NULL,
    search TEXT NOT NULL
  );
  CREATE INDEX card_start ON card (engine, start) WHERE deleted IS NULL;
  CREATE INDEX card_duration ON card (engine, duration) WHERE deleted IS NULL;
  CREATE INDEX card_size ON card (engine, size) WHERE deleted IS NULL;
  CREATE INDEX card_command ON card (engine, command) WHERE deleted IS NULL;
  CREATE INDEX card_group ON card (engine, grp, start, failed) WHERE deleted IS NULL;
  CREATE INDEX card_usual ON card (engine, grp, size, start, duration) WHERE deleted IS NULL AND usable = 1;
  CREATE INDEX card_baseline ON card (engine, grp) WHERE baseline = 1;
  CREATE INDEX card_deleted ON card (deleted) WHERE deleted IS NOT NULL;

  -- By the run's id. JSON: tags, note, baseline, deleted.
  CREATE TABLE mark (
    run TEXT PRIMARY KEY,
    body TEXT NOT NULL
  ) WITHOUT ROWID;
`;

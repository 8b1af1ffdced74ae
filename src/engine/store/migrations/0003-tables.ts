/** Last values taken of shared tables, for the next start to go on from. `scope`: whose samples they gave. */
export const tables = `
  CREATE TABLE shared_table (
    nonce TEXT PRIMARY KEY,
    scope TEXT NOT NULL,
    state BLOB NOT NULL
  ) WITHOUT ROWID;
`;

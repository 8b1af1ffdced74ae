/** Who changed what. A row is written again, with the same id, when the same is done again soon. */
export const audit = `
  CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    body TEXT NOT NULL
  );
`;

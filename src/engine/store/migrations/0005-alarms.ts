/** Small documents of the alarms by kind and id, and what happened to alarms, by the number of the event. */
export const alarms = `
  CREATE TABLE alarm_record (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
  ) WITHOUT ROWID;

  CREATE TABLE alarm_event (
    number INTEGER PRIMARY KEY,
    time REAL NOT NULL,
    rule TEXT NOT NULL,
    scope TEXT NOT NULL,
    body TEXT NOT NULL
  );
  CREATE INDEX alarm_event_rule ON alarm_event (rule, number);
  CREATE INDEX alarm_event_scope ON alarm_event (scope, number);
`;

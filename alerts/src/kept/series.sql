-- Findings of one detector on one entity, on days that follow each other: one conversation with a sink.

CREATE TABLE outbox_series (
  sink TEXT NOT NULL,
  series TEXT NOT NULL,            -- hash of detector, account and entity
  opened TEXT NOT NULL,            -- the finding that opened it: its id is that of the series
  said TEXT NOT NULL,              -- the finding that the sink was told of last
  first_day TEXT NOT NULL,         -- UTC days of the findings
  last_day TEXT NOT NULL,
  said_day TEXT NOT NULL,
  severity INTEGER NOT NULL,       -- the highest that it was told of: 0 low to 3 critical
  PRIMARY KEY (sink, series)
) STRICT, WITHOUT ROWID;

-- For how long is remembered what sinks were told; series of one entity, of which several are told apart.

ALTER TABLE outbox_told ADD COLUMN day TEXT;   -- of the finding; of what is none, on which it was delivered
UPDATE outbox_told SET day = coalesce((SELECT day FROM findings WHERE findings.id = finding), '1970-01-01');
CREATE INDEX outbox_told_by_day ON outbox_told (day);

ALTER TABLE outbox_filed ADD COLUMN day TEXT;  -- of the finding
UPDATE outbox_filed SET day = coalesce((SELECT day FROM findings WHERE findings.id = finding), '1970-01-01');
CREATE INDEX outbox_filed_by_day ON outbox_filed (day);

ALTER TABLE outbox ADD COLUMN n_findings INTEGER NOT NULL DEFAULT 1;  -- that it tells of: more in one message in place of many

ALTER TABLE outbox_series RENAME TO outbox_series_before;
CREATE TABLE outbox_series (
  sink TEXT NOT NULL,
  series TEXT NOT NULL,            -- hash of detector, account and entity
  opened TEXT NOT NULL,            -- the finding that opened it: its id is that of the series
  said TEXT NOT NULL,              -- the finding that the sink was told of last
  first_day TEXT NOT NULL,         -- UTC days of the findings
  last_day TEXT NOT NULL,
  said_day TEXT NOT NULL,
  severity INTEGER NOT NULL,       -- the highest that it was told of: 0 low to 3 critical
  first_ms INTEGER NOT NULL,       -- when it was first and last seen; milliseconds since 1970 UTC
  last_ms INTEGER NOT NULL,
  PRIMARY KEY (sink, series, opened)
) STRICT, WITHOUT ROWID;
INSERT INTO outbox_series SELECT sink, series, opened, said, first_day, last_day, said_day, severity, first_ms, last_ms
  FROM outbox_series_before;
DROP TABLE outbox_series_before;

-- Series that are one finding with a sink, as AWS Security Hub keeps them.

ALTER TABLE outbox_series ADD COLUMN first_ms INTEGER NOT NULL DEFAULT 0;  -- when it was first and last seen
ALTER TABLE outbox_series ADD COLUMN last_ms INTEGER NOT NULL DEFAULT 0;   -- milliseconds since 1970 UTC
UPDATE outbox_series SET first_ms = unixepoch(first_day) * 1000, last_ms = unixepoch(last_day) * 1000;

ALTER TABLE outbox_told ADD COLUMN created_ms INTEGER;  -- when it was delivered first, if that is told the sink

CREATE TABLE outbox_filed (        -- what went into a message about its series
  sink TEXT NOT NULL,
  finding TEXT NOT NULL,
  opened TEXT NOT NULL,            -- the finding that opened the series
  severity INTEGER NOT NULL,       -- the highest
  PRIMARY KEY (sink, finding)
) STRICT, WITHOUT ROWID;

CREATE INDEX outbox_filed_by_series ON outbox_filed (sink, opened);

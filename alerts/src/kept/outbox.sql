-- What sinks have to be told, and what they were told.

CREATE TABLE outbox (              -- messages that are not delivered yet
  id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never given twice, so an epoch can be told from the one before
  sink TEXT NOT NULL,              -- its name in the configuration
  message TEXT NOT NULL UNIQUE,    -- id, the same with every attempt
  finding TEXT NOT NULL,           -- id
  severity INTEGER NOT NULL,       -- 0 low, 1 medium, 2 high, 3 critical
  is_dead INTEGER NOT NULL,        -- 1: it is not tried again unless somebody asks for it
  attempts INTEGER NOT NULL,       -- that failed
  due_ms INTEGER NOT NULL,         -- not to be sent before; milliseconds since 1970 UTC
  error TEXT,                      -- why the last attempt failed
  checksum TEXT NOT NULL,          -- of what does not change: sink, message, finding, severity, body
  body TEXT NOT NULL               -- what is sent
) STRICT;

CREATE INDEX outbox_by_rank ON outbox (sink, is_dead, severity DESC, id, due_ms);
CREATE INDEX outbox_by_finding ON outbox (finding, sink);

CREATE TABLE outbox_told (         -- what was delivered
  sink TEXT NOT NULL,
  finding TEXT NOT NULL,
  severity INTEGER NOT NULL,       -- the highest
  PRIMARY KEY (sink, finding)
) STRICT, WITHOUT ROWID;

CREATE TABLE outbox_sinks (        -- how many messages there are
  sink TEXT PRIMARY KEY NOT NULL,
  pending INTEGER NOT NULL,
  dead INTEGER NOT NULL,
  dropped INTEGER NOT NULL         -- ever, since there were too many
) STRICT, WITHOUT ROWID;

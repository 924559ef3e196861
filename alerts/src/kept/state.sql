-- Where `replay --state` ended. The values are for sentrail: the form of each is told by its first byte.

CREATE TABLE state (               -- one row, or none
  id INTEGER PRIMARY KEY CHECK (id = 1),
  through TEXT NOT NULL,           -- the last day of a stamp; the other columns are as in `learned`
  lateness_hours INTEGER NOT NULL,
  hash_key TEXT NOT NULL,
  accounts TEXT NOT NULL,
  regions TEXT NOT NULL,
  reads_from TEXT NOT NULL,
  program_version TEXT NOT NULL,   -- of the program that wrote last
  command TEXT NOT NULL,
  checksum TEXT NOT NULL
) STRICT;

CREATE TABLE state_parts (         -- days, profiles, groups, matches, records and objects that were read
  id INTEGER PRIMARY KEY,
  part TEXT NOT NULL,
  k BLOB NOT NULL,
  v BLOB NOT NULL,
  UNIQUE (part, k)
) STRICT;

CREATE TABLE state_objects (       -- the ledger: objects that were read and whose records are in the state
  id INTEGER PRIMARY KEY,
  object TEXT NOT NULL UNIQUE,     -- key, from AWSLogs/ on
  bytes INTEGER NOT NULL,          -- size as stored
  day TEXT NOT NULL                -- UTC day of its stamp
) STRICT;

CREATE INDEX state_objects_by_day ON state_objects (day);

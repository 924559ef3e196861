-- What days have taught. The values are for sentrail: the form of each is told by its first byte.

CREATE TABLE learned (             -- one row, or none
  id INTEGER PRIMARY KEY CHECK (id = 1),
  through TEXT NOT NULL,           -- the last UTC day that has taught, 2025-03-14
  lateness_hours INTEGER NOT NULL, -- setting `lateness`
  hash_key TEXT NOT NULL,          -- what setting `hash-key` makes of a fixed text; it does not tell the key
  accounts TEXT NOT NULL,          -- that were asked for, none: all; JSON array of texts
  regions TEXT NOT NULL,           -- the same
  reads_from TEXT NOT NULL,        -- first moment that was asked for, JSON: "2025-03-01T00:00:00Z", or null
  program_version TEXT NOT NULL,
  command TEXT NOT NULL,           -- what `sentrail` was given: JSON array of texts
  n_values INTEGER NOT NULL,       -- in the three tables below
  digest TEXT NOT NULL,            -- of all of them
  checksum TEXT NOT NULL
) STRICT;

CREATE TABLE profiles (            -- of identities and interfaces
  id INTEGER PRIMARY KEY,
  k BLOB NOT NULL UNIQUE,
  v BLOB NOT NULL
) STRICT;

CREATE TABLE priors (              -- of those of a role, a kind, an account, and of all
  id INTEGER PRIMARY KEY,
  k BLOB NOT NULL UNIQUE,
  v BLOB NOT NULL
) STRICT;

CREATE TABLE matches (             -- of rules, in days that correlations look back at
  id INTEGER PRIMARY KEY,
  k BLOB NOT NULL UNIQUE,
  v BLOB NOT NULL
) STRICT;

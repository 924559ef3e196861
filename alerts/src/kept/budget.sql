-- What an hour had to carry, in bits, and why so much: kind or budget; NULL: the detector has no such
-- threshold, or it was not kept yet.
ALTER TABLE findings ADD COLUMN threshold REAL;
ALTER TABLE findings ADD COLUMN bound TEXT;

CREATE TABLE heights (             -- how high the days of each kind reach; one row, or none
  id INTEGER PRIMARY KEY,
  k BLOB NOT NULL UNIQUE,
  v BLOB NOT NULL
) STRICT;

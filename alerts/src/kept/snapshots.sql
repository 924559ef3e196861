-- Which snapshot of the state was begun last, where `run --snapshots` makes them; one row, or none.

CREATE TABLE snapshots (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  fence INTEGER NOT NULL,          -- of the lease under which the state was written last
  sequence INTEGER NOT NULL,       -- of the snapshot under that lease, from 1; 0: none was begun
  checksum TEXT NOT NULL
) STRICT;

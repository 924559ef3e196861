-- What is known of accounts by the day: which address belongs to whom, who let whom in.

CREATE TABLE facts (               -- the columns are as in `profiles`
  id INTEGER PRIMARY KEY,
  k BLOB NOT NULL UNIQUE,
  v BLOB NOT NULL
) STRICT;

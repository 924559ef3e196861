CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  program_version TEXT NOT NULL,   -- of the program that judged
  config_hash TEXT NOT NULL,       -- of the configuration in force
  country_table_date TEXT,         -- day of the built-in country tables
  network_table_date TEXT,         -- day of the built-in network tables
  city_table TEXT,                 -- the user's city database; NULL: places are countries
  command TEXT NOT NULL            -- what `sentrail` was given that changes the result: JSON array of texts
) STRICT;

CREATE TABLE detectors (
  id INTEGER PRIMARY KEY,
  detector TEXT NOT NULL,          -- id of the detector or rule
  title TEXT NOT NULL,             -- what it looks for
  severity TEXT NOT NULL,          -- its usual one
  impact TEXT NOT NULL,            -- what such calls can do
  techniques TEXT NOT NULL,        -- MITRE ATT&CK: JSON array of texts
  guardduty TEXT,                  -- GuardDuty finding type of the same kind
  page TEXT NOT NULL,              -- what `sentrail detectors show` prints: Markdown
  settings TEXT NOT NULL           -- its settings in force: JSON object; {} for rules
) STRICT;

CREATE TABLE findings (
  id TEXT PRIMARY KEY NOT NULL,    -- 32 hexadecimal digits
  detector TEXT NOT NULL,          -- id of the detector or rule
  day TEXT NOT NULL,               -- the UTC day it belongs to, 2025-03-14
  severity TEXT NOT NULL,          -- low, medium, high, critical
  score REAL NOT NULL,             -- 1.0 to 10.0
  account TEXT NOT NULL,
  entity_kind TEXT NOT NULL,
  entity_key TEXT NOT NULL,        -- its stable name
  entity_name TEXT NOT NULL,       -- the same for people
  first_seen TEXT NOT NULL,        -- UTC, always with milliseconds, so that texts sort by time
  last_seen TEXT NOT NULL,
  count INTEGER NOT NULL,          -- records it rests on
  bits REAL NOT NULL,              -- the score; the parts sum to it
  summary TEXT NOT NULL,           -- what was done; the entity is the subject
  hours INTEGER NOT NULL,          -- hours that stand above the threshold
  own_days INTEGER NOT NULL,       -- history behind it: days of the entity
  group_days INTEGER NOT NULL,     -- the same of its group
  targets TEXT NOT NULL,           -- what it was done to: JSON array of texts
  flow TEXT,                       -- of flow logs: JSON object of interface, peers, ports
  run INTEGER NOT NULL REFERENCES runs,
  about INTEGER NOT NULL REFERENCES detectors,
  checksum TEXT NOT NULL           -- of the finding with all that it refers to, marks apart
) STRICT;

CREATE INDEX findings_by_day ON findings (day, account);

CREATE TABLE parts (
  finding TEXT NOT NULL REFERENCES findings ON DELETE CASCADE,
  n INTEGER NOT NULL,              -- from 0
  dimension TEXT NOT NULL,         -- the memory it was compared with
  bits REAL NOT NULL,
  observed TEXT NOT NULL,
  usual TEXT NOT NULL,
  PRIMARY KEY (finding, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE records (
  finding TEXT NOT NULL REFERENCES findings ON DELETE CASCADE,
  n INTEGER NOT NULL,              -- from 0, in order of time; at most 1,000
  time TEXT NOT NULL,              -- as first_seen
  event_id TEXT NOT NULL,
  api TEXT NOT NULL,               -- s3:PutObject
  address TEXT,
  access_key TEXT,
  region TEXT,
  actor TEXT,                      -- ARN, session name included
  amount INTEGER NOT NULL,         -- how much of what is counted it holds
  PRIMARY KEY (finding, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE marks (
  finding TEXT PRIMARY KEY NOT NULL,  -- id; the finding need not be there any more
  nature TEXT NOT NULL,            -- benign or malicious
  day TEXT NOT NULL,               -- the UTC day on which it was said
  reason TEXT NOT NULL,
  checksum TEXT NOT NULL
) STRICT;

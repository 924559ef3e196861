-- Which version of an object was read; NULL: not kept yet.
ALTER TABLE state_objects ADD COLUMN etag TEXT;        -- entity tag without quotes; of a file when it was changed, milliseconds since 1970 UTC
ALTER TABLE state_objects ADD COLUMN content TEXT;     -- hash of its bytes as stored, 32 hexadecimal digits: of what was learned
ALTER TABLE state_objects ADD COLUMN read_ms INTEGER;  -- when that was read, milliseconds since 1970 UTC

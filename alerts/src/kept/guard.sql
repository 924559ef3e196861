-- How many rows findings, `state_objects` and `outbox` hold, and the sum of their hashes; NULL: not kept yet.
ALTER TABLE state ADD COLUMN n_rows INTEGER;
ALTER TABLE state ADD COLUMN row_digest TEXT;

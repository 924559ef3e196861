-- How many values `state_parts` holds, and the sum of their hashes; NULL: not kept yet.
ALTER TABLE state ADD COLUMN n_values INTEGER;
ALTER TABLE state ADD COLUMN digest TEXT;

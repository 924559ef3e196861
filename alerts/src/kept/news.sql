-- What the entity did not know, which marks teach: JSON array of pairs [dimension, value]; NULL: nothing,
-- or not kept yet.
ALTER TABLE findings ADD COLUMN news TEXT;

ALTER TABLE findings ADD COLUMN
  news TEXT                        -- what the entity did not know, which marks teach: JSON array of pairs
                                   -- [dimension, value]; NULL: nothing, or not kept yet

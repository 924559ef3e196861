-- The UTC day that a mark entered in a state that goes on; NULL: nothing was learned from it there.
ALTER TABLE marks ADD COLUMN heard_on TEXT;

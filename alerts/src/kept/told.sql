-- On whose word it was not told: JSON object of name, reason, owner, expires; NULL: it was told.
ALTER TABLE findings ADD COLUMN suppressed TEXT;
-- What the user said of the account: JSON object of name, owner, tags; NULL: nothing, or it was not kept yet.
ALTER TABLE findings ADD COLUMN account_said TEXT;

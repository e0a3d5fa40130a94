-- The address of the bot behind a source, sealed. The release before neither reads nor writes it.

ALTER TABLE sources ADD COLUMN IF NOT EXISTS forward_to bytea;

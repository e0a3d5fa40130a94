-- The address of the bot behind a source, sealed.
ALTER TABLE sources ADD COLUMN forward_to BLOB;

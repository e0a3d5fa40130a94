-- How the bodies of a source are read, where the tenant says so.

ALTER TABLE sources ADD COLUMN mapping TEXT;

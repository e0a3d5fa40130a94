-- What a business does: what its texts may not leave with.

ALTER TABLE tenants ADD COLUMN trade TEXT NOT NULL DEFAULT 'ordinary';

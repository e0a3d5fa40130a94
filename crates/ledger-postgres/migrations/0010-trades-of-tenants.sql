-- What a business does: what its texts may not leave with. What the release before writes is still taken.

ALTER TABLE tenants
    ADD COLUMN trade text NOT NULL DEFAULT 'ordinary' CHECK (trade IN ('ordinary', 'clinic'));

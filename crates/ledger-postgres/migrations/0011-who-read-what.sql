-- Not only bodies are opened, what was said is read: what was done, and what with. What the release before writes is still
-- taken: the body of an entry was opened, which its receipt and stage say.

ALTER TABLE audit
    DROP CONSTRAINT IF EXISTS audit_who_check,
    ADD CONSTRAINT audit_who_check CHECK (who IN ('key', 'account', 'visitor')),
    ADD COLUMN deed text NOT NULL DEFAULT 'opened' CHECK (deed IN ('opened', 'read')),
    ADD COLUMN about text NOT NULL DEFAULT 'entry' CHECK (about IN ('entry', 'session', 'lead', 'client', 'source')),
    -- The id of what it was done with; nothing where receipt and stage say it.
    ADD COLUMN what text,
    ALTER COLUMN receipt DROP NOT NULL,
    ALTER COLUMN stage DROP NOT NULL,
    -- Nothing where reading says it all.
    ALTER COLUMN reason DROP NOT NULL;

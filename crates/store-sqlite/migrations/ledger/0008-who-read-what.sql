-- Not only bodies are opened, what was said is read: what was done, and what with. A column may lose its NOT NULL only with
-- a table of its own.
CREATE TABLE deeds (
    id     INTEGER PRIMARY KEY,
    tenant TEXT    NOT NULL,
    at     INTEGER NOT NULL,
    who    TEXT    NOT NULL,
    name   TEXT    NOT NULL,
    deed   TEXT    NOT NULL,
    about  TEXT    NOT NULL,
    -- The id of what it was done with.
    what   TEXT    NOT NULL,
    -- Sealed, under this receipt: the words may name somebody. Nothing where reading says it all.
    reason BLOB,
    receipt BLOB
) STRICT;

INSERT INTO deeds (id, tenant, at, who, name, deed, about, what, reason, receipt)
SELECT id, tenant, at, who, name, 'opened', 'entry',
       lower(substr(hex(receipt), 1, 8) || '-' || substr(hex(receipt), 9, 4) || '-' || substr(hex(receipt), 13, 4)
             || '-' || substr(hex(receipt), 17, 4) || '-' || substr(hex(receipt), 21)) || ' ' || stage,
       reason, receipt
FROM audit;

DROP TABLE audit;
ALTER TABLE deeds RENAME TO audit;
CREATE INDEX audit_by_tenant ON audit (tenant, id);

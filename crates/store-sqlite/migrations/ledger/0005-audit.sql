-- Who opened what was sealed, when and why. Added to, never changed.
CREATE TABLE audit (
    id      INTEGER PRIMARY KEY,
    tenant  TEXT    NOT NULL,
    at      INTEGER NOT NULL,
    who     TEXT    NOT NULL,
    name    TEXT    NOT NULL,
    receipt BLOB    NOT NULL,
    stage   TEXT    NOT NULL,
    -- Sealed: the words may name somebody.
    reason  BLOB    NOT NULL
) STRICT;

CREATE INDEX audit_by_tenant ON audit (tenant, id);

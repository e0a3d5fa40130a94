-- Who opened what was sealed, when and why. Added to, never changed: the services have no right to.
CREATE TABLE audit (
    id      bigint           GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tenant  text COLLATE "C" NOT NULL,
    at      bigint           NOT NULL,
    who     text             NOT NULL CHECK (who IN ('key', 'account')),
    name    text             NOT NULL,
    receipt bytea            NOT NULL CHECK (octet_length(receipt) = 16),
    stage   text             NOT NULL,
    -- Sealed: the words may name somebody.
    reason  bytea            NOT NULL
);

CREATE INDEX audit_by_tenant ON audit (tenant, id);

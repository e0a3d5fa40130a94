CREATE TABLE events (
    id          INTEGER PRIMARY KEY,
    tenant      TEXT    NOT NULL,
    event_id    BLOB    NOT NULL,
    digest      BLOB    NOT NULL,
    session     TEXT    NOT NULL,
    lead        INTEGER,
    occurred_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    stored_at   INTEGER NOT NULL,
    wire        BLOB    NOT NULL
) STRICT;

CREATE UNIQUE INDEX events_once ON events (tenant, event_id);
-- Ties within one instant are few: they are sorted when read, not in the index.
CREATE INDEX events_by_session ON events (tenant, session, occurred_at);
CREATE INDEX events_by_lead ON events (tenant, lead, occurred_at) WHERE lead IS NOT NULL;
CREATE INDEX events_by_age ON events (received_at);

-- How each receipt ended.
CREATE TABLE receipts (
    receipt     BLOB    PRIMARY KEY,
    outcome     TEXT    NOT NULL,
    received_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A mark of quarantine is never swept: without it a replay would be counted as a second receipt.
CREATE INDEX receipts_by_age ON receipts (received_at) WHERE outcome <> 'quarantined';

CREATE TABLE books (
    tenant      TEXT    PRIMARY KEY,
    stored      INTEGER NOT NULL,
    duplicate   INTEGER NOT NULL,
    quarantined INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    tenant       TEXT    NOT NULL,
    session      TEXT    NOT NULL,
    channel      TEXT    NOT NULL,
    opened_at    INTEGER NOT NULL,
    opened_event BLOB    NOT NULL,
    last_at      INTEGER NOT NULL,
    last_event   BLOB    NOT NULL,
    marks        INTEGER NOT NULL,
    lead         INTEGER,
    lead_at      INTEGER,
    lead_event   BLOB,
    step         TEXT,
    step_at      INTEGER,
    step_event   BLOB,
    outcome      TEXT    NOT NULL,
    events       INTEGER NOT NULL,
    PRIMARY KEY (tenant, session)
) STRICT, WITHOUT ROWID;

CREATE INDEX sessions_by_last ON sessions (tenant, last_at, session);

CREATE TABLE quarantine (
    tenant         TEXT    NOT NULL,
    receipt        BLOB    NOT NULL,
    stage          TEXT    NOT NULL,
    source         TEXT    NOT NULL,
    class          TEXT    NOT NULL,
    pointer        TEXT,
    detail         TEXT    NOT NULL,
    received_at    INTEGER NOT NULL,
    quarantined_at INTEGER NOT NULL,
    state          TEXT    NOT NULL,
    replays        INTEGER NOT NULL,
    message        BLOB    NOT NULL,
    PRIMARY KEY (receipt, stage)
) STRICT;

CREATE INDEX quarantine_by_age ON quarantine (tenant, quarantined_at, receipt);
CREATE INDEX quarantine_resolved ON quarantine (received_at) WHERE state = 'resolved';

CREATE TABLE registry (
    id      INTEGER PRIMARY KEY,
    version INTEGER NOT NULL
) STRICT;

INSERT INTO registry (id, version) VALUES (1, 0);

CREATE TABLE tenants (
    id         TEXT    PRIMARY KEY,
    name       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;

CREATE TABLE sources (
    id         TEXT    PRIMARY KEY,
    tenant     TEXT    NOT NULL REFERENCES tenants (id),
    kind       TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    rate_limit INTEGER,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT;

CREATE TABLE source_secrets (
    id         INTEGER PRIMARY KEY,
    source     TEXT    NOT NULL REFERENCES sources (id),
    sealed     BLOB    NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE keys (
    id            TEXT    PRIMARY KEY,
    tenant        TEXT    REFERENCES tenants (id),
    source        TEXT    REFERENCES sources (id),
    scope         TEXT    NOT NULL,
    label         TEXT    NOT NULL,
    secret_sha256 BLOB    NOT NULL,
    created_at    INTEGER NOT NULL,
    revoked_at    INTEGER
) STRICT;

CREATE TABLE probe (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT;

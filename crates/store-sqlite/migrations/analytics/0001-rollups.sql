CREATE TABLE session_rollups (
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
    PRIMARY KEY (tenant, session)
) STRICT, WITHOUT ROWID;

CREATE INDEX session_rollups_by_opening ON session_rollups (tenant, opened_at, channel, marks);

CREATE TABLE appointment_rollups (
    tenant       TEXT    NOT NULL,
    appointment  TEXT    NOT NULL,
    channel      TEXT    NOT NULL,
    session      TEXT    NOT NULL,
    opened_at    INTEGER NOT NULL,
    opened_event BLOB    NOT NULL,
    starts_at    INTEGER,
    starts_said_at    INTEGER,
    starts_said_event BLOB,
    step         TEXT,
    step_at      INTEGER,
    step_event   BLOB,
    marks        INTEGER NOT NULL,
    PRIMARY KEY (tenant, appointment)
) STRICT, WITHOUT ROWID;

CREATE INDEX appointment_rollups_by_opening ON appointment_rollups (tenant, opened_at, channel, step);

CREATE TABLE probe (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT;

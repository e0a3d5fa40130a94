-- Who is who (domain::subject). An identity is a kind and a pseudonym or id; nothing here is merged, so a join that is
-- taken back leaves what was there before.

-- Two identities that an event named together, the smaller one first, and the latest ruling on them.
CREATE TABLE links (
    tenant      TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    identity    TEXT    NOT NULL,
    other_kind  TEXT    NOT NULL,
    other       TEXT    NOT NULL,
    named_at    INTEGER,
    named_event BLOB,
    ruling      TEXT,
    ruled_at    INTEGER,
    ruled_event BLOB,
    PRIMARY KEY (tenant, identity, kind, other, other_kind)
) STRICT, WITHOUT ROWID;

CREATE INDEX links_of_other ON links (tenant, other, other_kind);

-- Which conversations name an identity, and when it first came through their door.
CREATE TABLE touches (
    tenant     TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    identity   TEXT    NOT NULL,
    session    TEXT    NOT NULL,
    door       TEXT,
    door_at    INTEGER,
    door_event BLOB,
    PRIMARY KEY (tenant, identity, kind, session)
) STRICT, WITHOUT ROWID;

CREATE INDEX touches_by_session ON touches (tenant, session);

-- Who agreed to what (domain::consent). `named` has an identity a line. Never deleted: it is the proof.
CREATE TABLE consents (
    tenant       TEXT    NOT NULL,
    session      TEXT    NOT NULL,
    event_id     BLOB    NOT NULL,
    purpose      TEXT    NOT NULL,
    occurred_at  INTEGER NOT NULL,
    channel      TEXT    NOT NULL,
    source       TEXT    NOT NULL,
    granted      INTEGER NOT NULL,
    text_version TEXT,
    text_hash    TEXT,
    named        TEXT    NOT NULL,
    PRIMARY KEY (tenant, session, event_id, purpose)
) STRICT, WITHOUT ROWID;

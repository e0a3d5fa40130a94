-- One table a topic: messages are appended at one end and deleted at the other, and nothing lies in between.
CREATE TABLE messages_raw (
    seq             INTEGER PRIMARY KEY,
    tenant          TEXT    NOT NULL,
    part            INTEGER NOT NULL,
    published_at    INTEGER NOT NULL,
    origin_topic    TEXT,
    origin_group    TEXT,
    origin_attempts INTEGER,
    origin_reason   TEXT,
    payload         BLOB    NOT NULL
) STRICT;

CREATE TABLE messages_replay (
    seq             INTEGER PRIMARY KEY,
    tenant          TEXT    NOT NULL,
    part            INTEGER NOT NULL,
    published_at    INTEGER NOT NULL,
    origin_topic    TEXT,
    origin_group    TEXT,
    origin_attempts INTEGER,
    origin_reason   TEXT,
    payload         BLOB    NOT NULL
) STRICT;

CREATE TABLE messages_events (
    seq             INTEGER PRIMARY KEY,
    tenant          TEXT    NOT NULL,
    part            INTEGER NOT NULL,
    published_at    INTEGER NOT NULL,
    origin_topic    TEXT,
    origin_group    TEXT,
    origin_attempts INTEGER,
    origin_reason   TEXT,
    payload         BLOB    NOT NULL
) STRICT;

CREATE TABLE messages_quarantine (
    seq             INTEGER PRIMARY KEY,
    tenant          TEXT    NOT NULL,
    part            INTEGER NOT NULL,
    published_at    INTEGER NOT NULL,
    origin_topic    TEXT,
    origin_group    TEXT,
    origin_attempts INTEGER,
    origin_reason   TEXT,
    payload         BLOB    NOT NULL
) STRICT;

CREATE TABLE messages_dead (
    seq             INTEGER PRIMARY KEY,
    tenant          TEXT    NOT NULL,
    part            INTEGER NOT NULL,
    published_at    INTEGER NOT NULL,
    origin_topic    TEXT,
    origin_group    TEXT,
    origin_attempts INTEGER,
    origin_reason   TEXT,
    payload         BLOB    NOT NULL
) STRICT;

-- A topic holds exactly the messages from first_kept until before next_seq.
CREATE TABLE topics (
    topic      TEXT    PRIMARY KEY,
    first_kept INTEGER NOT NULL,
    next_seq   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO topics (topic, first_kept, next_seq)
VALUES ('raw', 1, 1), ('replay', 1, 1), ('events', 1, 1), ('quarantine', 1, 1), ('dead', 1, 1);

-- A group has been handed out everything before next_seq, and has settled what no claim of its covers.
CREATE TABLE groups (
    topic      TEXT    NOT NULL,
    grp        TEXT    NOT NULL,
    next_seq   INTEGER NOT NULL,
    next_claim INTEGER NOT NULL,
    PRIMARY KEY (topic, grp)
) STRICT, WITHOUT ROWID;

-- Ranges of messages handed out and not settled; those of one group never overlap.
CREATE TABLE claims (
    topic     TEXT    NOT NULL,
    grp       TEXT    NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq  INTEGER NOT NULL,
    claim     INTEGER NOT NULL,
    attempt   INTEGER NOT NULL,
    deadline  INTEGER NOT NULL,
    consumer  TEXT    NOT NULL,
    PRIMARY KEY (topic, grp, first_seq)
) STRICT, WITHOUT ROWID;

-- Messages ever published.
CREATE TABLE accepted (
    topic    TEXT    NOT NULL,
    tenant   TEXT    NOT NULL,
    messages INTEGER NOT NULL,
    PRIMARY KEY (topic, tenant)
) STRICT, WITHOUT ROWID;

-- Messages a group is done with, including those trimmed before it was known: accepted - settled is its backlog.
CREATE TABLE settled (
    topic    TEXT    NOT NULL,
    grp      TEXT    NOT NULL,
    tenant   TEXT    NOT NULL,
    messages INTEGER NOT NULL,
    PRIMARY KEY (topic, grp, tenant)
) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
    source   TEXT    NOT NULL,
    key      BLOB    NOT NULL,
    body     BLOB    NOT NULL,
    begun_at INTEGER NOT NULL,
    status   INTEGER,
    answer   BLOB,
    PRIMARY KEY (source, key)
) STRICT;

CREATE INDEX idempotency_by_age ON idempotency (begun_at);

CREATE TABLE probe (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT;

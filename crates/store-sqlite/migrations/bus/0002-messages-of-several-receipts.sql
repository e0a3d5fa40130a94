-- A message may carry several receipts. The books (accepted, settled) count receipts: so far each message was one.
ALTER TABLE messages_raw ADD COLUMN receipts INTEGER NOT NULL DEFAULT 1;
ALTER TABLE messages_replay ADD COLUMN receipts INTEGER NOT NULL DEFAULT 1;
ALTER TABLE messages_events ADD COLUMN receipts INTEGER NOT NULL DEFAULT 1;
ALTER TABLE messages_quarantine ADD COLUMN receipts INTEGER NOT NULL DEFAULT 1;
ALTER TABLE messages_dead ADD COLUMN receipts INTEGER NOT NULL DEFAULT 1;

-- What came packed and was taken apart.
CREATE TABLE messages_apart (
    seq             INTEGER PRIMARY KEY,
    tenant          TEXT    NOT NULL,
    part            INTEGER NOT NULL,
    published_at    INTEGER NOT NULL,
    origin_topic    TEXT,
    origin_group    TEXT,
    origin_attempts INTEGER,
    origin_reason   TEXT,
    payload         BLOB    NOT NULL,
    receipts        INTEGER NOT NULL DEFAULT 1
) STRICT;

INSERT INTO topics (topic, first_kept, next_seq) VALUES ('apart', 1, 1);

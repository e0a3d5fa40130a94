-- Instants are microseconds since the Unix epoch, as everywhere in the product: `to_timestamp(received_at / 1e6)` shows
-- one to a person. Ids are the sixteen bytes of a UUID. Words are text, each with the list of what it may be. What
-- orders rows or locks is compared byte by byte, whatever the database's own collation is.

-- Which schema this is; written by the migrator, read by everybody who starts.
CREATE TABLE schema_migrations (
    version    integer     PRIMARY KEY,
    name       text        NOT NULL,
    checksum   text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- Events received before this instant are gone for every reader, whether their rows are still there or not. Never
-- moves back.
CREATE TABLE retention (
    id            integer PRIMARY KEY CHECK (id = 1),
    events_before bigint  NOT NULL
);

INSERT INTO retention (id, events_before) VALUES (1, 0);

-- One partition a UTC day of `received_at`: what is old is dropped whole. Found by session and by lead.
CREATE TABLE events (
    tenant      text COLLATE "C" NOT NULL,
    event_id    bytea            NOT NULL,
    session     text COLLATE "C" NOT NULL,
    lead        bigint,
    occurred_at bigint           NOT NULL,
    received_at bigint           NOT NULL,
    stored_at   bigint           NOT NULL,
    wire        bytea            NOT NULL
) PARTITION BY RANGE (received_at);

CREATE INDEX events_by_session ON events (tenant, session, occurred_at, event_id);
CREATE INDEX events_by_lead ON events (tenant, lead, occurred_at, event_id) WHERE lead IS NOT NULL;

-- Each event once. A unique key cannot span partitions, so it stands here.
CREATE TABLE event_ids (
    tenant      text COLLATE "C" NOT NULL,
    event_id    bytea            NOT NULL CHECK (octet_length(event_id) = 16),
    digest      bytea            NOT NULL CHECK (octet_length(digest) = 32),
    received_at bigint           NOT NULL,
    PRIMARY KEY (tenant, event_id)
);

CREATE INDEX event_ids_by_age ON event_ids (received_at);

-- How each receipt ended.
CREATE TABLE receipts (
    receipt     bytea  PRIMARY KEY CHECK (octet_length(receipt) = 16),
    outcome     text   NOT NULL CHECK (outcome IN ('stored', 'duplicate', 'quarantined')),
    received_at bigint NOT NULL
);

-- A mark of quarantine is never swept: without it a replay would be counted as a second receipt.
CREATE INDEX receipts_by_age ON receipts (received_at) WHERE outcome <> 'quarantined';

CREATE TABLE books (
    tenant      text COLLATE "C" PRIMARY KEY,
    stored      bigint           NOT NULL,
    duplicate   bigint           NOT NULL,
    quarantined bigint           NOT NULL
);

CREATE TABLE sessions (
    tenant         text COLLATE "C" NOT NULL,
    session        text COLLATE "C" NOT NULL,
    channel        text             NOT NULL CHECK (channel IN ('telegram', 'whatsapp', 'instagram', 'max', 'vk',
                       'avito', 'site', 'phone', 'sms', 'email', 'crm', 'booking', 'other')),
    opened_at      bigint           NOT NULL,
    opened_event   bytea            NOT NULL,
    last_at        bigint           NOT NULL,
    last_event     bytea            NOT NULL,
    marks          bigint           NOT NULL,
    lead           bigint,
    lead_at        bigint,
    lead_event     bytea,
    step           text             CHECK (step IN ('book', 'reschedule', 'confirm', 'cancel', 'attend', 'no_show')),
    step_at        bigint,
    step_event     bytea,
    outcome        text             NOT NULL CHECK (outcome IN ('visited', 'no_show', 'cancelled', 'booked', 'refused',
                       'handed_off', 'lead', 'not_served', 'open')),
    events         bigint           NOT NULL,
    -- The days its events lie in: which partitions a timeline has to open, and whether any event is left.
    first_received bigint           NOT NULL,
    last_received  bigint           NOT NULL,
    PRIMARY KEY (tenant, session)
);

CREATE INDEX sessions_by_last ON sessions (tenant, last_at, session);
CREATE INDEX sessions_by_age ON sessions (last_at);

CREATE TABLE quarantine (
    tenant         text COLLATE "C" NOT NULL,
    receipt        bytea            NOT NULL CHECK (octet_length(receipt) = 16),
    stage          text COLLATE "C" NOT NULL CHECK (stage IN ('normalize', 'record', 'analyse')),
    source         text             NOT NULL,
    class          text             NOT NULL CHECK (class IN ('unopenable', 'unreadable', 'invalid', 'conflict',
                       'handler_failed')),
    pointer        text,
    detail         text             NOT NULL,
    received_at    bigint           NOT NULL,
    quarantined_at bigint           NOT NULL,
    state          text             NOT NULL CHECK (state IN ('open', 'replaying', 'resolved')),
    replays        bigint           NOT NULL,
    message        bytea            NOT NULL,
    PRIMARY KEY (receipt, stage)
);

CREATE INDEX quarantine_by_age ON quarantine (tenant, quarantined_at, receipt);
CREATE INDEX quarantine_resolved ON quarantine (received_at) WHERE state = 'resolved';

CREATE TABLE registry (
    id      integer PRIMARY KEY CHECK (id = 1),
    version bigint  NOT NULL
);

INSERT INTO registry (id, version) VALUES (1, 0);

CREATE TABLE tenants (
    id         text COLLATE "C" PRIMARY KEY,
    name       text             NOT NULL,
    created_at bigint           NOT NULL,
    revoked_at bigint
);

CREATE TABLE sources (
    id         text COLLATE "C" PRIMARY KEY,
    tenant     text COLLATE "C" NOT NULL REFERENCES tenants (id),
    kind       text             NOT NULL CHECK (kind IN ('events', 'telegram')),
    name       text             NOT NULL,
    rate_limit bigint,
    created_at bigint           NOT NULL,
    revoked_at bigint
);

CREATE TABLE source_secrets (
    id         bigint           GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source     text COLLATE "C" NOT NULL REFERENCES sources (id),
    sealed     bytea            NOT NULL,
    created_at bigint           NOT NULL
);

CREATE TABLE keys (
    id            text COLLATE "C" PRIMARY KEY,
    tenant        text COLLATE "C" REFERENCES tenants (id),
    source        text COLLATE "C" REFERENCES sources (id),
    scope         text             NOT NULL CHECK (scope IN ('ingest', 'read', 'admin')),
    label         text             NOT NULL,
    secret_sha256 bytea            NOT NULL CHECK (octet_length(secret_sha256) = 32),
    created_at    bigint           NOT NULL,
    revoked_at    bigint
);

CREATE TABLE probe (
    id integer PRIMARY KEY CHECK (id = 1),
    at bigint  NOT NULL
);

-- Makes the partitions of these days (counted from the epoch) unless they are there, or swept. For the role of the
-- services, which may not create tables: it can ask for days and for nothing else. Attaching an empty table that was
-- made beside the others waits for no reader and no writer; creating it as a partition would.
CREATE FUNCTION make_event_days(days bigint[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    micros_per_day CONSTANT bigint := 86400000000;
    day bigint;
    partition text;
BEGIN
    -- One at a time: of several who bring a new day at once, the others find it made.
    PERFORM pg_advisory_xact_lock(hashtextextended(current_schema() || ': event days', 0));
    FOREACH day IN ARRAY days LOOP
        IF day IS NULL OR day NOT BETWEEN 0 AND 47481 THEN
            RAISE EXCEPTION 'a day must lie between the years 1970 and 2099' USING ERRCODE = 'invalid_parameter_value';
        END IF;
        CONTINUE WHEN (day + 1) * micros_per_day <= (SELECT events_before FROM retention);
        partition := 'events_' || to_char(date '1970-01-01' + day::integer, 'YYYYMMDD');
        CONTINUE WHEN to_regclass(format('%I.%I', current_schema(), partition)) IS NOT NULL;
        EXECUTE format('CREATE TABLE %I.%I (LIKE events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)',
                       current_schema(), partition);
        EXECUTE format('ALTER TABLE events ATTACH PARTITION %I.%I FOR VALUES FROM (%s) TO (%s)',
                       current_schema(), partition, day * micros_per_day, (day + 1) * micros_per_day);
    END LOOP;
END
$$;

-- Drops the oldest partition whose whole day lies below the watermark; returns its name, or nothing when none is left.
-- Dropping needs the table to itself for a moment: it gives up soon, so that nobody queues behind it, and is called
-- again by the next sweep.
CREATE FUNCTION drop_swept_event_day() RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET lock_timeout = '500ms' AS $$
DECLARE
    partition text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(current_schema() || ': event days', 0));
    SELECT c.relname INTO partition
    FROM pg_catalog.pg_inherits i
        JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = format('%I.events', current_schema())::regclass
        AND c.relname ~ '^events_[0-9]{8}$'
        AND (to_date(right(c.relname, 8), 'YYYYMMDD') - date '1970-01-01' + 1) * bigint '86400000000'
            <= (SELECT events_before FROM retention)
    ORDER BY c.relname LIMIT 1;
    IF partition IS NOT NULL THEN
        EXECUTE format('DROP TABLE %I.%I', current_schema(), partition);
    END IF;
    RETURN partition;
END
$$;

REVOKE ALL ON FUNCTION make_event_days(bigint[]), drop_swept_event_day() FROM PUBLIC;

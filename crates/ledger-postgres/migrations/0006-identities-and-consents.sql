-- Who is who (domain::subject). An identity is a kind and a pseudonym or id; nothing here is merged, so a join that is
-- taken back leaves what was there before. A release before this one goes on writing events beside it and teaches
-- nothing.

-- Two identities that an event named together, the smaller one first, and the latest ruling on them.
CREATE TABLE links (
    tenant      text COLLATE "C" NOT NULL,
    kind        text             NOT NULL CHECK (kind IN ('phone', 'email', 'messenger', 'sender_hash', 'lead',
                                                          'appointment')),
    identity    text COLLATE "C" NOT NULL,
    other_kind  text             NOT NULL CHECK (other_kind IN ('phone', 'email', 'messenger', 'sender_hash', 'lead',
                                                                'appointment')),
    other       text COLLATE "C" NOT NULL,
    named_at    bigint,
    named_event bytea,
    ruling      text             CHECK (ruling IN ('together', 'apart')),
    ruled_at    bigint,
    ruled_event bytea,
    -- What tells keys apart stands first.
    PRIMARY KEY (identity, other, tenant, kind, other_kind)
);

CREATE INDEX links_of_other ON links (other, tenant);

-- Which conversations name an identity, and when it first came through their door.
CREATE TABLE touches (
    tenant     text COLLATE "C" NOT NULL,
    kind       text             NOT NULL CHECK (kind IN ('phone', 'email', 'messenger', 'sender_hash', 'lead',
                                                         'appointment')),
    identity   text COLLATE "C" NOT NULL,
    session    text COLLATE "C" NOT NULL,
    door       text             CHECK (door IN ('telegram', 'whatsapp', 'instagram', 'max', 'vk', 'avito', 'site',
                                                'phone', 'sms', 'email', 'crm', 'booking', 'other')),
    door_at    bigint,
    door_event bytea,
    PRIMARY KEY (identity, session, tenant, kind)
);

CREATE INDEX touches_by_session ON touches (session, tenant);

-- Who agreed to what (domain::consent). Never deleted: it is the proof.
CREATE TABLE consents (
    tenant       text COLLATE "C" NOT NULL,
    session      text COLLATE "C" NOT NULL,
    event_id     bytea            NOT NULL CHECK (octet_length(event_id) = 16),
    purpose      text             NOT NULL CHECK (purpose IN ('personal_data', 'mailing', 'medical')),
    occurred_at  bigint           NOT NULL,
    channel      text             NOT NULL CHECK (channel IN ('telegram', 'whatsapp', 'instagram', 'max', 'vk',
                     'avito', 'site', 'phone', 'sms', 'email', 'crm', 'booking', 'other')),
    source       text             NOT NULL,
    granted      boolean          NOT NULL,
    text_version text,
    text_hash    text,
    named        text[]           NOT NULL,
    PRIMARY KEY (session, tenant, event_id, purpose)
);

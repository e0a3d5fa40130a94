-- How sources are doing. The first and the last event of each; counts by five minutes, kept for two days.

CREATE TABLE source_states (
    tenant        text COLLATE "C" NOT NULL,
    source        text COLLATE "C" NOT NULL,
    first_at      bigint           NOT NULL,
    last_at       bigint           NOT NULL,
    last_session  text             NOT NULL,
    last_occurred bigint           NOT NULL,
    last_event    bytea            NOT NULL CHECK (octet_length(last_event) = 16),
    PRIMARY KEY (tenant, source)
-- Rewritten with every transaction that records: room on the page for that, so that no index hears of it.
) WITH (fillfactor = 50);

CREATE TABLE source_periods (
    tenant text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    period bigint           NOT NULL,
    events bigint           NOT NULL,
    -- How far the sender's clock was ahead at the most; negative where it never was.
    ahead  bigint           NOT NULL,
    PRIMARY KEY (tenant, source, period)
) WITH (fillfactor = 50);

CREATE INDEX source_periods_by_age ON source_periods (period);

CREATE TABLE source_refusals (
    tenant  text COLLATE "C" NOT NULL,
    source  text COLLATE "C" NOT NULL,
    reason  text COLLATE "C" NOT NULL,
    period  bigint           NOT NULL,
    times   bigint           NOT NULL,
    last_at bigint           NOT NULL,
    PRIMARY KEY (tenant, source, reason, period)
);

CREATE INDEX source_refusals_by_age ON source_refusals (period);

CREATE INDEX quarantine_waiting ON quarantine (tenant, source, quarantined_at) WHERE state <> 'resolved';

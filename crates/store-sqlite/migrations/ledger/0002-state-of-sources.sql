-- How sources are doing. The first and the last event of each; counts by five minutes, kept for two days.
CREATE TABLE source_states (
    tenant        TEXT    NOT NULL,
    source        TEXT    NOT NULL,
    first_at      INTEGER NOT NULL,
    last_at       INTEGER NOT NULL,
    last_session  TEXT    NOT NULL,
    last_occurred INTEGER NOT NULL,
    last_event    BLOB    NOT NULL,
    PRIMARY KEY (tenant, source)
) STRICT, WITHOUT ROWID;

CREATE TABLE source_periods (
    tenant TEXT    NOT NULL,
    source TEXT    NOT NULL,
    period INTEGER NOT NULL,
    events INTEGER NOT NULL,
    -- How far the sender's clock was ahead at the most; negative where it never was.
    ahead  INTEGER NOT NULL,
    PRIMARY KEY (tenant, source, period)
) STRICT, WITHOUT ROWID;

CREATE INDEX source_periods_by_age ON source_periods (period);

CREATE TABLE source_refusals (
    tenant  TEXT    NOT NULL,
    source  TEXT    NOT NULL,
    reason  TEXT    NOT NULL,
    period  INTEGER NOT NULL,
    times   INTEGER NOT NULL,
    last_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, source, reason, period)
) STRICT, WITHOUT ROWID;

CREATE INDEX source_refusals_by_age ON source_refusals (period);

CREATE INDEX quarantine_waiting ON quarantine (tenant, source, quarantined_at) WHERE state <> 'resolved';

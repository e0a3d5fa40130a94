-- Raw events, for whoever asks questions of his own: pseudonyms and labels, no texts, no contacts. No figure of ours
-- comes from here. A resend lies here twice until it is merged, or for good when it came in another month: count
-- distinct ids. The TTL is set by the migrator, from the retention.
CREATE TABLE IF NOT EXISTS ${database}.events${local}${on_cluster}
(
    id                   UUID,
    tenant               LowCardinality(String),
    source               LowCardinality(String),
    receipt              UUID,
    occurred_at          DateTime64(6, 'UTC'),
    received_at          DateTime64(6, 'UTC'),
    channel              LowCardinality(String),
    session              String,
    actor                LowCardinality(String),
    action               LowCardinality(String),
    -- Texts that may be missing are empty then.
    intent               LowCardinality(String),
    scenario             LowCardinality(String),
    scenario_version     LowCardinality(String),
    lead                 Nullable(UInt64),
    appointment          String,
    starts_at            Nullable(DateTime64(6, 'UTC')),
    service              LowCardinality(String),
    consent              LowCardinality(String),
    consent_granted      Nullable(Bool),
    consent_text_version LowCardinality(String),
    aliases              Array(Tuple(kind LowCardinality(String), pseudonym String)),
    confidence           Nullable(Float64),
    response_time_ms     Nullable(UInt64),
    input_tokens         Nullable(UInt64),
    output_tokens        Nullable(UInt64),
    clock_ahead          Bool,
    unknown_kind         Bool
)
ENGINE = ${replicated}ReplacingMergeTree(received_at)
PARTITION BY toYYYYMM(received_at)
ORDER BY (tenant, occurred_at, id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- only in a cluster
CREATE TABLE IF NOT EXISTS ${database}.events${on_cluster} AS ${database}.events${local}
ENGINE = Distributed(${cluster}, ${database}, events${local}, cityHash64(tenant, id));

-- What is kept of a session: any number of rows a key, which say together what one row would. So every column is a
-- minimum, a maximum or an "or", and whoever reads groups by the key and takes them again.
--
-- A tuple is compared from its first element on, as domain::rollup compares: the instant in microseconds since the
-- epoch, the bytes of the event's id, the value. Channels and steps are numbers in the order of the domain's lists.
-- "None" is a tuple that loses against all others: (9223372036854775807, ff…, 0) in a minimum, (-1, 00…, 255) in a
-- maximum.
--
-- No TTL: it would take rows one by one, and the figures of a conversation that goes on would change.
CREATE TABLE IF NOT EXISTS ${database}.session_rollups${local}${on_cluster}
(
    tenant  LowCardinality(String),
    session String,
    opened  SimpleAggregateFunction(min, Tuple(at Int64, event FixedString(16), channel UInt8)),
    last    SimpleAggregateFunction(max, Tuple(at Int64, event FixedString(16))),
    marks   SimpleAggregateFunction(groupBitOr, UInt32),
    lead    SimpleAggregateFunction(min, Tuple(at Int64, event FixedString(16), lead UInt64)),
    step    SimpleAggregateFunction(max, Tuple(at Int64, event FixedString(16), step UInt8))
)
ENGINE = ${replicated}AggregatingMergeTree
ORDER BY (tenant, session)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- only in a cluster
CREATE TABLE IF NOT EXISTS ${database}.session_rollups${on_cluster} AS ${database}.session_rollups${local}
ENGINE = Distributed(${cluster}, ${database}, session_rollups${local}, cityHash64(tenant, session));

-- The same of an appointment.
CREATE TABLE IF NOT EXISTS ${database}.appointment_rollups${local}${on_cluster}
(
    tenant      LowCardinality(String),
    appointment String,
    opened      SimpleAggregateFunction(min, Tuple(at Int64, event FixedString(16), channel UInt8, session String)),
    -- When it was last heard of, in microseconds since the epoch: what the sweep goes by.
    last        SimpleAggregateFunction(max, Int64),
    starts      SimpleAggregateFunction(max, Tuple(at Int64, event FixedString(16), starts_at Int64)),
    step        SimpleAggregateFunction(max, Tuple(at Int64, event FixedString(16), step UInt8)),
    marks       SimpleAggregateFunction(groupBitOr, UInt32)
)
ENGINE = ${replicated}AggregatingMergeTree
ORDER BY (tenant, appointment)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- only in a cluster
CREATE TABLE IF NOT EXISTS ${database}.appointment_rollups${on_cluster} AS ${database}.appointment_rollups${local}
ENGINE = Distributed(${cluster}, ${database}, appointment_rollups${local}, cityHash64(tenant, appointment));

-- Written by readiness probes: one row, over and over.
CREATE TABLE IF NOT EXISTS ${database}.probe${local}${on_cluster}
(
    id UInt8,
    at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ${replicated}ReplacingMergeTree
ORDER BY id
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- only in a cluster
CREATE TABLE IF NOT EXISTS ${database}.probe${on_cluster} AS ${database}.probe${local}
ENGINE = Distributed(${cluster}, ${database}, probe${local}, id);

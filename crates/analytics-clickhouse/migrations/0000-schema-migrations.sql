-- Run before anything else, every time: where the others stand.
-- In a cluster its rows lie on the first shard, wherever they are written.
CREATE DATABASE IF NOT EXISTS ${database}${on_cluster};

CREATE TABLE IF NOT EXISTS ${database}.schema_migrations${local}${on_cluster}
(
    version    UInt32,
    name       String,
    -- SHA-256 of the file, in hexadecimal.
    checksum   String,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ${replicated}ReplacingMergeTree
ORDER BY version
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- only in a cluster
CREATE TABLE IF NOT EXISTS ${database}.schema_migrations${on_cluster} AS ${database}.schema_migrations${local}
ENGINE = Distributed(${cluster}, ${database}, schema_migrations${local}, 0);

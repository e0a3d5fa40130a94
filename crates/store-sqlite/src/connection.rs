//! Opening a file: the settings every connection needs, and the schema.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

/// How long a connection waits for the lock of another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Pages of 4 KiB the write-ahead log may grow to before it is folded into the file: 16 MiB.
const CHECKPOINT_PAGES: i64 = 4_000;

/// What is left of the write-ahead log on disk after a peak.
const LOG_BYTES_KEPT: i64 = 64 * 1024 * 1024;

/// Page caches, in KiB. Small, for the whole process is to fit into 64 MiB; the system's own cache does the rest.
const WRITER_CACHE_KIB: i64 = 4_096;
const READER_CACHE_KIB: i64 = 1_024;

/// More statements than any file has; each is prepared once a connection.
const STATEMENTS_KEPT: usize = 128;

/// Why a file could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// SQLite refused.
    #[error("the {file} file could not be opened")]
    Sqlite {
        /// Which of the three files.
        file: &'static str,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// The writer thread could not be started.
    #[error("the writer of the {file} file could not be started")]
    Thread {
        /// Which of the three files.
        file: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The file system cannot do what the write-ahead log needs; network shares commonly cannot.
    #[error("the {file} file lies where SQLite cannot keep a write-ahead log; use a local disk")]
    NoWriteAheadLog {
        /// Which of the three files.
        file: &'static str,
    },
    /// A newer release has written to it.
    #[error("the {file} file has schema version {found}, this release knows {known}; use a newer release")]
    Newer {
        /// Which of the three files.
        file: &'static str,
        /// The version in the file.
        found: i64,
        /// The newest version known here.
        known: i64,
    },
}

/// A file's schema: its migrations, oldest first. Never edited after a release, only appended to.
pub(crate) struct Schema {
    pub(crate) file: &'static str,
    pub(crate) migrations: &'static [&'static str],
}

/// Opens the connection that writes, creating the file and bringing its schema up to date.
pub(crate) fn open_writer(path: &Path, schema: &Schema) -> Result<Connection, OpenError> {
    let file = schema.file;
    let refused = |source| OpenError::Sqlite { file, source };
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(refused)?;
    prepare(&connection, WRITER_CACHE_KIB).map_err(refused)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0)).map_err(refused)?;
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(OpenError::NoWriteAheadLog { file });
    }
    // Every commit reaches the disk before it is answered. NORMAL would lose the last ones with the power.
    connection.pragma_update(None, "synchronous", "FULL").map_err(refused)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(refused)?;
    connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES).map_err(refused)?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES_KEPT).map_err(refused)?;
    migrate(&mut connection, schema)?;
    Ok(connection)
}

/// Opens a connection that only reads; the file must be there.
pub(crate) fn open_reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    prepare(&connection, READER_CACHE_KIB)?;
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}

fn prepare(connection: &Connection, cache_kib: i64) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -cache_kib)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(())
}

/// Applies what is missing, in one transaction: of two processes that open a new file, one finds the work done.
fn migrate(connection: &mut Connection, schema: &Schema) -> Result<(), OpenError> {
    let file = schema.file;
    let refused = |source| OpenError::Sqlite { file, source };
    let known = i64::try_from(schema.migrations.len()).unwrap_or(i64::MAX);
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(refused)?;
    let found: i64 =
        transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(refused)?;
    if found > known {
        return Err(OpenError::Newer { file, found, known });
    }
    let missing = usize::try_from(found).unwrap_or_default();
    for migration in schema.migrations.iter().skip(missing) {
        transaction.execute_batch(migration).map_err(refused)?;
    }
    if found < known {
        transaction.pragma_update(None, "user_version", known).map_err(refused)?;
    }
    transaction.commit().map_err(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "CREATE TABLE a (x INTEGER) STRICT;";
    const SCHEMA: Schema = Schema { file: "test", migrations: &[FIRST] };
    const BROKEN: Schema = Schema { file: "test", migrations: &[FIRST, "ALTER TABLE a ADD COLUMN"] };
    const LONGER: Schema =
        Schema { file: "test", migrations: &[FIRST, "ALTER TABLE a ADD COLUMN y INTEGER;"] };

    #[test]
    fn a_commit_reaches_the_disk_before_it_is_answered() {
        let dir = tempfile::tempdir().unwrap();
        let connection = open_writer(&dir.path().join("test.db"), &SCHEMA).unwrap();
        let synchronous: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0)).unwrap();
        let journal: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
        assert_eq!((synchronous, journal.as_str()), (2, "wal"));
    }

    #[test]
    fn a_migration_is_applied_once_and_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("test.db");
        drop(open_writer(&path, &SCHEMA).unwrap());
        open_writer(&path, &BROKEN).unwrap_err();
        let connection = open_writer(&path, &LONGER).unwrap();
        connection.execute("INSERT INTO a (x, y) VALUES (1, 2)", []).unwrap();
    }

    #[test]
    fn a_file_of_a_newer_release_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("test.db");
        open_writer(&path, &SCHEMA).unwrap().pragma_update(None, "user_version", 7).unwrap();
        let refusal = open_writer(&path, &SCHEMA).unwrap_err();
        assert!(matches!(refusal, OpenError::Newer { found: 7, known: 1, .. }), "{refusal}");
    }
}

//! One file: a writer, readers, and nothing else that knows about threads.

use std::path::Path;

use ports::clock::{Clock, SystemClock};
use rusqlite::{Connection, params};

use crate::connection::{OpenError, Schema, open_writer};
use crate::failure::Failure;
use crate::readers::Readers;
use crate::writer::Writer;

pub(crate) struct Database {
    // Dropped before the writer, whose connection is then the last one and folds the write-ahead log into the file.
    readers: Readers,
    writer: Writer,
}

impl Database {
    pub(crate) fn open(path: &Path, schema: &Schema) -> Result<Self, OpenError> {
        let file = schema.file;
        let connection = open_writer(path, schema)?;
        let writer = Writer::start(file, connection).map_err(|source| OpenError::Thread { file, source })?;
        Ok(Self { readers: Readers::of(path.to_owned()), writer })
    }

    /// Durable once it returns `Ok`.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        self.writer.run(work).await
    }

    /// Sees everything whose write has returned.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        self.readers.run(work).await
    }

    /// Writes the present instant and reads it back.
    pub(crate) async fn probe(&self) -> Result<(), Failure> {
        let now = SystemClock.now().unix_micros();
        self.write(move |connection| {
            connection
                .prepare_cached(
                    "INSERT INTO probe (id, at) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET at = excluded.at",
                )?
                .execute(params![now])?;
            Ok(())
        })
        .await?;
        let query = |connection: &Connection| {
            let at: i64 = connection.query_row("SELECT at FROM probe WHERE id = 1", [], |row| row.get(0))?;
            Ok(at)
        };
        // Another process may have probed in between, but not in the past.
        self.read(query).await.map(|_at| ())
    }
}

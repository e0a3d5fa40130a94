//! How much one claim may hand out.

use ports::bus::Topic;
use rusqlite::Connection;

use crate::columns::count;
use crate::failure::Failure;

/// Bytes of payload that one claim hands out; a larger message is handed out by itself. What a claim hands out is held
/// in memory, here and by whoever claimed, so messages alone are no measure.
const MAX_BYTES: i64 = 4 * 1024 * 1024;

/// What a claim may still take of a topic. Whatever does not fit any more closes it, so that nothing overtakes.
pub(crate) struct Room<'c> {
    connection: &'c Connection,
    topic: Topic,
    messages: i64,
    bytes: i64,
    taken: i64,
}

impl<'c> Room<'c> {
    pub(crate) fn of(connection: &'c Connection, topic: Topic, max: usize) -> Self {
        Self { connection, topic, messages: count(max), bytes: MAX_BYTES, taken: 0 }
    }

    /// Messages there is room for, if they are small.
    pub(crate) fn messages(&self) -> i64 {
        self.messages
    }

    /// Messages taken so far.
    pub(crate) fn taken(&self) -> i64 {
        self.taken
    }

    /// Leaves room for no more than so many.
    pub(crate) fn leave(&mut self, messages: i64) {
        self.messages = self.messages.min(messages);
    }

    /// Takes the messages numbered from `first`, at most `many`, as far as there is room. Says how many that are; the
    /// very first one always fits.
    pub(crate) fn take(&mut self, first: i64, many: i64) -> Result<i64, Failure> {
        let many = many.min(self.messages);
        if many <= 0 {
            return Ok(0);
        }
        // Of a blob only asked for its length SQLite reads no more than the row's header.
        let mut sizes = self.connection.prepare_cached(&format!(
            "SELECT seq, LENGTH(payload) FROM messages_{} WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq",
            self.topic.as_str()
        ))?;
        let mut rows = sizes.query([first, first + many - 1])?;
        while let Some(row) = rows.next()? {
            let (seq, bytes): (i64, i64) = (row.get(0)?, row.get(1)?);
            if bytes > self.bytes && self.taken > 0 {
                self.messages = 0;
                return Ok(seq - first);
            }
            self.bytes -= bytes;
            self.taken += 1;
        }
        self.messages -= many;
        Ok(many)
    }
}

//! Where a program keeps what its commands need.

use std::fs::File;

use console::reseal::Resealer;

use crate::desk::Desk;
use crate::key_file::KeyFile;
use crate::program::Program;

/// Opens what a command needs, when it needs it: `send`, `inspect` and `healthcheck` touch no store, and must work
/// where none can be reached.
pub trait Office: Sync {
    /// Whose office it is.
    fn program(&self) -> Program;

    /// Opens the stores, making what is missing: for the first tenant, which may be there before the first start.
    ///
    /// # Errors
    /// The settings are wrong, or a store cannot be opened.
    fn open(&self) -> impl Future<Output = anyhow::Result<Desk>> + Send;

    /// Opens stores that are there: a command that only asks must leave nothing behind where there was nothing.
    ///
    /// # Errors
    /// The settings are wrong, or a store is not there or cannot be opened.
    fn visit(&self) -> impl Future<Output = anyhow::Result<Desk>> + Send;

    /// The file with the master keys.
    ///
    /// # Errors
    /// The settings are wrong.
    fn key_file(&self) -> anyhow::Result<KeyFile>;

    /// Opens everything under seal as somebody who may change it, which services may not.
    ///
    /// # Errors
    /// As [`Self::visit`].
    fn resealer(&self) -> impl Future<Output = anyhow::Result<Resealer>> + Send;

    /// Keeps a server from running beside what is done, as long as the file is held, where the server would be one on
    /// this machine.
    ///
    /// # Errors
    /// One runs.
    fn keep_servers_out(&self) -> anyhow::Result<Option<File>>;

    /// The address senders and messengers use, without a slash at the end: `https://letopis.example.ru`.
    ///
    /// # Errors
    /// The settings are wrong.
    fn doors(&self) -> anyhow::Result<String>;

    /// The address whose `/readyz` is asked unless another is given.
    ///
    /// # Errors
    /// The settings are wrong.
    fn healthcheck_url(&self) -> anyhow::Result<String>;
}

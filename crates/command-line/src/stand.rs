//! What tests of the command line stand on: an office in memory, and a gateway that answers as it is told.

mod gateway;
mod stores;

use std::fs::File;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use clap::{FromArgMatches as _, Parser};
use console::reseal::Resealer;
use privacy::{MasterKeys, Vault};

pub(crate) use self::gateway::{FakeGateway, HANG_UP};
use self::stores::{Empty, MemoryRegistry};
use crate::cli::Command;
use crate::desk::Desk;
use crate::key_file::KeyFile;
use crate::office::Office;
use crate::print::Print;
use crate::program::Program;

pub(crate) const ADMIN: Program =
    Program { name: "letopis-admin", start: "start ingest-gateway", gateway: "http://127.0.0.1:8690" };

/// The office of `letopis-admin`, and what was said in it.
pub(crate) struct Stand {
    desk: Desk,
    opened: AtomicUsize,
    /// Where the key file is.
    folder: tempfile::TempDir,
    out: Arc<Mutex<Vec<u8>>>,
}

/// Stores in memory: a registry, and nothing on the bus or in the ledger.
pub(crate) fn desk() -> Desk {
    Desk {
        registry: Arc::new(MemoryRegistry::default()),
        ledger: Arc::new(Empty),
        subjects: Arc::new(Empty),
        quarantine: Arc::new(Empty),
        sources: Arc::new(Empty),
        audit: Arc::new(Empty),
        bus: Arc::new(Empty),
        vault: Arc::new(Vault::new(MasterKeys::generate().unwrap())),
    }
}

#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

impl Stand {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { desk: desk(), opened: AtomicUsize::new(0), folder, out: Arc::default() }
    }

    pub(crate) fn print(&self, json: bool) -> Print {
        Print::onto(json, self.out.clone())
    }

    /// Runs a command, given as words, for a person.
    pub(crate) async fn run(&self, words: &str) -> anyhow::Result<ExitCode> {
        let words = std::iter::once(ADMIN.name).chain(words.split(' '));
        let matches = ADMIN.command_of::<Arguments>().try_get_matches_from(words)?;
        let command = Arguments::from_arg_matches(&matches)?.command;
        crate::run(command, self, &self.print(false)).await
    }

    /// What was said since it was last asked.
    pub(crate) fn said(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.out.lock().unwrap())).unwrap()
    }

    /// How often the stores were opened.
    pub(crate) fn opened(&self) -> usize {
        self.opened.load(Ordering::Relaxed)
    }
}

impl Office for Stand {
    fn program(&self) -> Program {
        ADMIN
    }

    async fn open(&self) -> anyhow::Result<Desk> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        Ok(self.desk.clone())
    }

    async fn visit(&self) -> anyhow::Result<Desk> {
        self.open().await
    }

    fn key_file(&self) -> anyhow::Result<KeyFile> {
        Ok(KeyFile::at(&self.folder.path().join("master.key")))
    }

    async fn resealer(&self) -> anyhow::Result<Resealer> {
        Ok(Resealer { store: Arc::new(Empty), vault: self.desk.vault.clone() })
    }

    fn keep_servers_out(&self) -> anyhow::Result<Option<File>> {
        Ok(None)
    }

    fn doors(&self) -> anyhow::Result<String> {
        Ok("https://in.example.ru".to_owned())
    }

    fn healthcheck_url(&self) -> anyhow::Result<String> {
        Ok("http://127.0.0.1:1".to_owned())
    }
}

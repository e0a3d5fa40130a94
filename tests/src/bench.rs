//! Measures: how much a system takes, how soon it shows it, what it costs when nothing happens. Nothing is asserted.
//!
//! A measure is a page: it starts a system in an empty place, looks at it from outside and gives a [`Sheet`]. What they
//! share:
//!
//! ```text
//! Machine     what the figures were taken on, and whether it was quiet
//! System      one shape, started; a cluster on engines of its own that write through
//! Traffic     the events, made before the clock starts
//! generator   sends them, in a closed loop (the next when the last is answered) or an open one (when the clock says)
//! Stores      how much has arrived
//! Snapshot    the processor time of everybody at a moment
//! Check       whether all that was acknowledged is there, once
//! Sheet       what is printed and kept
//! ```

pub mod accept;
pub mod check;
pub mod generator;
pub mod growth;
pub mod idle;
pub mod latency;
pub mod machine;
pub mod pace;
pub mod reads;
pub mod report;
pub mod stores;
pub mod system;
pub mod traffic;
pub mod usage;
pub mod visible;
pub mod wire;

use std::sync::Arc;

use anyhow::ensure;

use crate::bench::generator::{Sending, Sent};
use crate::bench::stores::{Held, Stored, Stores};
use crate::bench::traffic::Traffic;
use crate::bench::usage::{Cpu, Snapshot};

pub use machine::Machine;
pub use report::Sheet;
pub use system::{Setup, System};

/// What is answered to events that were taken.
pub const TAKEN: u16 = 202;
/// Events sent before anything is measured: the first ones open connections and prepare statements.
const WARM_UP: u64 = 1000;
/// Of the events that fill a store, how many are made at a time.
const SLICE: u64 = 100_000;

/// A running system, with all that is needed to measure it.
pub struct Bench {
    /// The system.
    pub system: System,
    /// Its stores.
    pub stores: Stores,
    last_run: u32,
}

/// The processor time used between two moments.
#[derive(Clone, Debug)]
pub struct Spent {
    /// By each of our processes.
    pub services: Vec<(String, Cpu)>,
    /// By each engine.
    pub engines: Vec<(&'static str, Cpu)>,
    /// By this program, which sends and looks.
    pub generator: Cpu,
}

impl Bench {
    /// Starts a system and warms it up.
    ///
    /// # Errors
    /// Something does not start.
    pub async fn start(setup: &Setup) -> anyhow::Result<Self> {
        let mut bench = Self::start_cold(setup).await?;
        let traffic = Traffic::of_now(bench.next_run(), WARM_UP / 10);
        bench.fill(&traffic, WARM_UP, 1).await?;
        Ok(bench)
    }

    /// Starts a system to which nothing was ever sent.
    ///
    /// # Errors
    /// Something does not start.
    pub async fn start_cold(setup: &Setup) -> anyhow::Result<Self> {
        let system = System::start(setup).await?;
        let stores = Stores::of(&system).await?;
        Ok(Self { system, stores, last_run: 0 })
    }

    /// A number that no traffic here has had.
    pub const fn next_run(&mut self) -> u32 {
        self.last_run += 1;
        self.last_run
    }

    /// Sends so many events in such batches and waits until they are stored.
    ///
    /// # Errors
    /// They are not taken, or do not arrive.
    pub async fn fill(&mut self, traffic: &Traffic, events: u64, batch: u64) -> anyhow::Result<()> {
        let mut begin = 0;
        while begin < events {
            let end = events.min(begin + SLICE);
            let requests = traffic.requests(begin..end, batch, &self.ingest_keys())?;
            let before = self.stores.held().await?;
            let sent = self.send(requests, Sending { connections: 16, per_second: None }).await?;
            ensure!(sent.refused.is_empty(), "the store cannot be filled: {}", sent.answers());
            self.stored(before, end - begin).await?;
            begin = end;
        }
        Ok(())
    }

    /// Sends requests with events.
    ///
    /// # Errors
    /// Nobody answers.
    pub async fn send(&self, requests: Vec<Vec<u8>>, sending: Sending) -> anyhow::Result<Sent> {
        let doors = self.system.stand.letopis.addresses().doors;
        generator::send(&doors, Arc::new(requests), sending, TAKEN).await
    }

    /// Waits until the stores hold so many more than before.
    ///
    /// # Errors
    /// They do not get there.
    pub async fn stored(&mut self, before: Held, events: u64) -> anyhow::Result<Stored> {
        let wanted = Held { ledger: before.ledger + events, analytics: before.analytics + events };
        self.stores.wait_for(wanted).await
    }

    /// The keys to send with, one a tenant.
    #[must_use]
    pub fn ingest_keys(&self) -> Vec<&str> {
        self.system.tenants.iter().map(|keys| keys.ingest.as_str()).collect()
    }

    /// Every process that belongs to the measure.
    ///
    /// # Errors
    /// One has ended.
    pub fn known(&self) -> anyhow::Result<Vec<u32>> {
        let mut known = self.generator();
        known.extend(self.system.processes()?.into_iter().map(|(_, pid)| pid));
        known.extend(self.system.engine_processes()?.into_iter().flat_map(|(_, pids)| pids));
        Ok(known)
    }

    /// What was used between two moments.
    ///
    /// # Errors
    /// A process has ended.
    pub fn spent(&self, before: &Snapshot, after: &Snapshot) -> anyhow::Result<Spent> {
        let services = self.system.processes()?.into_iter();
        let engines = self.system.engine_processes()?.into_iter();
        Ok(Spent {
            services: services.map(|(name, pid)| (name, after.since(before, &[pid]))).collect(),
            engines: engines.map(|(name, pids)| (name, after.since(before, &pids))).collect(),
            generator: after.since(before, &self.generator()),
        })
    }

    fn generator(&self) -> Vec<u32> {
        let mut us = self.stores.helpers();
        us.push(std::process::id());
        us
    }
}

impl Spent {
    /// All our processes together.
    #[must_use]
    pub fn ours(&self) -> Cpu {
        self.services.iter().fold(Cpu::default(), |sum, (_, cpu)| sum + *cpu)
    }

    /// All engines together.
    #[must_use]
    pub fn engines(&self) -> Cpu {
        self.engines.iter().fold(Cpu::default(), |sum, (_, cpu)| sum + *cpu)
    }
}

//! A running system of either shape: its processes, together or one by one.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use futures_util::future::try_join_all;

use crate::api::{Addresses, Api};
use crate::process::{Process, Recipe};
use crate::shape::Service;

/// The processes of a running system. Dropping it kills them.
pub struct Letopis {
    processes: Vec<Process>,
    logs: PathBuf,
}

impl Letopis {
    /// Starts all of them at once, on free ports, and waits until each is ready. What they print goes to `logs`.
    pub async fn start(recipes: Vec<Recipe>, logs: PathBuf) -> anyhow::Result<Self> {
        let processes = try_join_all(recipes.into_iter().map(Process::start)).await?;
        Ok(Self { processes, logs })
    }

    /// Speaks to all of them.
    pub fn api(&self) -> anyhow::Result<Api> {
        Api::of(self.addresses())
    }

    /// Where they are; the same over restarts.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        let of = |services: [Service; 2]| {
            let those = self.processes.iter().filter(move |process| services.contains(&process.service()));
            those.filter_map(Process::http).collect()
        };
        Addresses {
            doors: of([Service::Letopis, Service::IngestGateway]),
            desks: of([Service::Letopis, Service::Console]),
            admins: self.processes.iter().map(Process::admin).collect(),
        }
    }

    /// One of its processes, to be killed, stopped, frozen and started again; `number` counts from 0.
    pub fn member(&mut self, service: Service, number: usize) -> anyhow::Result<&mut Process> {
        let mut those = self.processes.iter_mut().filter(|process| process.service() == service);
        those.nth(number).with_context(|| format!("there is no {service}-{number}"))
    }

    /// Every process.
    #[must_use]
    pub fn members(&self) -> &[Process] {
        &self.processes
    }

    /// Every process, to do something to several of them.
    pub fn members_mut(&mut self) -> &mut [Process] {
        &mut self.processes
    }

    /// Their processes' numbers: they change when somebody restarted one behind our back.
    #[must_use]
    pub fn pids(&self) -> Vec<Option<u32>> {
        self.processes.iter().map(Process::pid).collect()
    }

    /// The memory the largest of them holds, in bytes.
    pub fn resident_bytes(&self) -> anyhow::Result<u64> {
        let all: Vec<u64> = self.processes.iter().map(Process::resident_bytes).collect::<Result<_, _>>()?;
        all.into_iter().max().context("nothing runs")
    }

    /// Whether all of them run.
    pub fn is_running(&mut self) -> bool {
        self.processes.iter_mut().all(Process::is_running)
    }

    /// Everything they have printed since the first start.
    pub fn printed(&self) -> anyhow::Result<Vec<u8>> {
        let mut all = Vec::new();
        for entry in fs::read_dir(&self.logs)? {
            all.extend(fs::read(entry?.path())?);
        }
        Ok(all)
    }

    /// Kills all at the same moment, as a power cut would.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        try_join_all(self.processes.iter_mut().map(Process::kill)).await?;
        Ok(())
    }

    /// Asks all that run to stop, and waits until they have.
    ///
    /// # Errors
    /// One does not, or ends with anything but success.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        let running = self.processes.iter_mut().filter_map(|one| one.is_running().then_some(one));
        try_join_all(running.map(async |process| {
            let status = process.stop().await?;
            ensure!(status.success(), "{} ended with {status}", process.name());
            Ok(())
        }))
        .await?;
        Ok(())
    }

    /// Starts those that do not run again, on the ports they had, and waits until they are ready.
    pub async fn restart(&mut self) -> anyhow::Result<()> {
        let ended = self.processes.iter_mut().filter_map(|one| (!one.is_running()).then_some(one));
        try_join_all(ended.map(Process::restart)).await?;
        Ok(())
    }
}

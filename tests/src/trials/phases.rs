//! A trial under load, told as a table of its phases: what was acknowledged in each, and what the stores held after it.

use std::time::Instant;

use crate::trials::report::{Report, Table, seconds};
use crate::trials::{Effort, Load, Scene, Verdict};

/// The load, and what has been told so far.
pub(crate) struct Phases {
    pub(crate) load: Load,
    /// What happened besides, for the reader.
    pub(crate) notes: Vec<String>,
    /// Promises that were broken.
    pub(crate) broken: Vec<String>,
    table: Table,
    begun: Instant,
}

impl Phases {
    /// Lets the load go, and waits until so many events are acknowledged.
    pub(crate) async fn begin(scene: &Scene, effort: Effort, before: u32) -> anyhow::Result<Self> {
        let mut load = scene.load(effort);
        load.open_wide();
        load.reach(before).await?;
        let table = Table::of(&["phase", "took", "acknowledged", "503", "in the ledger", "in analytics"]);
        Ok(Self { load, notes: Vec::new(), broken: Vec::new(), table, begun: Instant::now() })
    }

    /// Begins a phase.
    pub(crate) fn next(&mut self) {
        self.load.phase();
        self.begun = Instant::now();
    }

    /// Ends a phase; gives what was acknowledged in it.
    pub(crate) fn told(&mut self, phase: &str, stored: u64, analysed: u64) -> u32 {
        let (took, seen) = (self.begun.elapsed(), self.load.phase());
        self.table.add([
            phase.to_owned(),
            seconds(took),
            seen.acknowledged.to_string(),
            seen.refused.to_string(),
            stored.to_string(),
            analysed.to_string(),
        ]);
        seen.acknowledged
    }

    /// The last phase: waits until all are ready and everything has come where it belongs, from now on.
    pub(crate) async fn end(
        mut self,
        scene: &mut Scene,
        trial: &'static str,
        phase: &str,
    ) -> anyhow::Result<Report> {
        let started = Instant::now();
        scene.ready().await?;
        self.told(phase, scene.stored().await?, scene.analysed().await?);
        let sent = self.load.stop().await?;
        let verdict = Verdict::on(scene, &sent, started).await?;
        scene.all_run()?;
        Ok(Report { trial, table: self.table, notes: self.notes, broken: self.broken, sent, verdict })
    }
}

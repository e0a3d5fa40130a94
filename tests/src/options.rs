//! How a system is started.

use std::path::PathBuf;

use crate::engines::Engines;
use crate::shape::Shape;

/// What a scenario may choose about the system it runs against.
#[derive(Clone, Debug)]
pub struct Options {
    /// Its shape.
    pub shape: Shape,
    /// How many processes of each service; the one box is always one.
    pub replicas: usize,
    /// The folder of the programs; by default the one of the running program.
    pub programs: Option<PathBuf>,
    /// Settings, as `LETOPIS__SECTION__KEY` and its value; every process gets all of them.
    pub settings: Vec<(&'static str, String)>,
    /// What a cluster runs on; by default the engines shared by all tests, see [`Engines::shared`].
    pub engines: Option<Engines>,
}

impl Options {
    /// One process of everything, and no limit on events a second: a test that wants one sets it.
    #[must_use]
    pub fn of(shape: Shape) -> Self {
        let options = Self { shape, replicas: 1, programs: None, settings: Vec::new(), engines: None };
        let options = options
            .with("LETOPIS__INGEST__RATE_PER_SECOND", 1_000_000)
            .with("LETOPIS__INGEST__BURST", 1_000_000);
        match shape {
            // The one box frees at its start what the process before it had claimed.
            Shape::OneBox => options,
            // A cluster cannot know, and waits: a kill in a test should not cost ten seconds.
            Shape::Cluster => options.with("LETOPIS__BUS__CLAIM_TTL", "3s"),
        }
    }

    /// One setting more, or another value for one.
    #[must_use]
    pub fn with(mut self, key: &'static str, value: impl ToString) -> Self {
        self.settings.retain(|(known, _)| *known != key);
        self.settings.push((key, value.to_string()));
        self
    }

    /// This many processes of each service.
    #[must_use]
    pub const fn replicated(mut self, replicas: usize) -> Self {
        self.replicas = replicas;
        self
    }

    /// On these engines instead of the shared ones.
    #[must_use]
    pub fn on(mut self, engines: Engines) -> Self {
        self.engines = Some(engines);
        self
    }
}

//! Whom a trial does something to.

use std::fmt;

use crate::own_engines::Engine;
use crate::shape::Service;

/// A service, of which one process is meant, or an engine.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Victim {
    /// One process of a service.
    Service(Service),
    /// An engine, all of it.
    Engine(Engine),
}

impl Victim {
    /// Everybody.
    pub const ALL: [Self; 7] = [
        Self::Service(Service::IngestGateway),
        Self::Service(Service::Normalizer),
        Self::Service(Service::StorageWriter),
        Self::Service(Service::Console),
        Self::Engine(Engine::Redis),
        Self::Engine(Engine::Postgres),
        Self::Engine(Engine::ClickHouse),
    ];

    /// Every two of them, once.
    #[must_use]
    pub fn pairs() -> Vec<[Self; 2]> {
        let later = |one: &Self| Self::ALL.into_iter().filter(move |other| other > one).collect::<Vec<_>>();
        Self::ALL.into_iter().flat_map(|one| later(&one).into_iter().map(move |other| [one, other])).collect()
    }
}

impl fmt::Display for Victim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Padded where the caller asks for it.
        f.pad(match self {
            Self::Service(service) => service.program(),
            Self::Engine(Engine::Redis) => "Redis",
            Self::Engine(Engine::Postgres) => "PostgreSQL",
            Self::Engine(Engine::ClickHouse) => "ClickHouse",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_two_are_a_pair_once() {
        let pairs = Victim::pairs();
        assert_eq!(pairs.len(), 21);
        assert!(Victim::ALL.iter().all(|one| pairs.iter().filter(|pair| pair.contains(one)).count() == 6));
    }
}

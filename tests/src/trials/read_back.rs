//! What the stores hold, against the numbers that were sent.

use std::collections::HashSet;

use anyhow::{Context as _, ensure};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::api::{Api, escape};
use crate::events;
use crate::site::Site;

/// How many readers fetch timelines at once.
const READERS: usize = 8;

/// How a store differs from what was sent.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Difference {
    /// Events that were acknowledged and are not there.
    pub lost: Vec<String>,
    /// Events that are there and were not sent, or are there once more.
    pub extra: Vec<String>,
    /// How far the number of events the store counts is from those it shows.
    pub miscounted: u64,
}

impl Difference {
    /// Whether there is none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    fn between(sent: u32, found: Vec<String>) -> Self {
        let mut missing: HashSet<String> = (0..sent).map(|number| events::id(0, number)).collect();
        let extra = found.into_iter().filter(|id| !missing.remove(id)).collect();
        let mut lost: Vec<String> = missing.into_iter().collect();
        lost.sort_unstable();
        Self { lost, extra, miscounted: 0 }
    }
}

/// Reads every timeline there is.
pub async fn ledger(api: &Api, key: &str, sent: u32) -> anyhow::Result<Difference> {
    let sessions = api.all(key, "/v1/sessions?limit=200", "sessions").await?;
    let counted: u64 = sessions.iter().filter_map(|session| session["events"].as_u64()).sum();
    let ids: Vec<String> = sessions.iter().filter_map(|row| row["id"].as_str().map(str::to_owned)).collect();
    ensure!(ids.len() == sessions.len(), "a session without an id");
    let mut readers = JoinSet::new();
    let share = ids.len().div_ceil(READERS).max(1);
    for part in ids.chunks(share) {
        readers.spawn(read_timelines(api.clone(), key.to_owned(), part.to_vec()));
    }
    let mut found = Vec::new();
    while let Some(read) = readers.join_next().await {
        found.extend(read.context("a reader panicked")??);
    }
    let miscounted = counted.abs_diff(u64::try_from(found.len())?);
    Ok(Difference { miscounted, ..Difference::between(sent, found) })
}

async fn read_timelines(api: Api, key: String, sessions: Vec<String>) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for session in sessions {
        let path = format!("/v1/sessions/{}?limit=200", escape(&session));
        let events = api.all(&key, &path, "events").await?;
        found.extend(events.iter().filter_map(|event| event["id"].as_str().map(str::to_owned)));
    }
    Ok(found)
}

/// Reads the ids of all raw events in ClickHouse. A row may lie there twice until it is merged, and no figure counts
/// rows: an event is extra when it was never sent.
pub async fn analytics(site: &Site, sent: u32) -> anyhow::Result<Difference> {
    let query = format!("SELECT DISTINCT hex(id) FROM `{}`.events FORMAT TSV", site.name());
    let rows = String::from_utf8(site.clickhouse(query).await?)?;
    let ids = rows.lines().map(|row| Uuid::try_parse(row).map(|id| id.to_string()));
    let ids: Vec<String> = ids.collect::<Result<_, _>>().context("an event id that is none")?;
    Ok(Difference::between(sent, ids))
}

/// How many events ClickHouse knows.
pub async fn analysed(site: &Site) -> anyhow::Result<u64> {
    let query = format!("SELECT uniqExact(id) FROM `{}`.events FORMAT TSV", site.name());
    Ok(String::from_utf8(site.clickhouse(query).await?)?.trim().parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_and_what_is_there_twice_or_was_never_sent_is_told_apart() {
        let id = |number| events::id(0, number);
        let difference = Difference::between(3, vec![id(0), id(2), id(2), id(7)]);
        assert_eq!(difference.lost, [id(1)]);
        assert_eq!(difference.extra, [id(2), id(7)]);
        assert!(Difference::between(2, vec![id(1), id(0)]).is_none());
    }
}

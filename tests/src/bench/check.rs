//! Whether all that was acknowledged is in both stores, once, and nothing else is. Looked at when the clock has stopped.

use std::collections::HashSet;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::escape;
use crate::bench::system::System;
use crate::bench::traffic::{Figures, Traffic};
use crate::site::Site;

/// Overviews without end: what comes before and after is nothing.
const EVER: &str = "from=2000-01-01T00:00:00Z&until=2090-01-01T00:00:00Z";

/// How a store differs from what was acknowledged.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Difference {
    /// Acknowledged and not there.
    pub lost: u64,
    /// There and never acknowledged, or there once more.
    pub extra: u64,
}

/// Of both stores, and what the overview shows.
#[derive(Clone, Copy, Debug)]
pub struct Check {
    /// Events in the ledger.
    pub ledger: Difference,
    /// Events in analytics; the one box keeps none there.
    pub analytics: Option<Difference>,
    /// What the overview should have more of than before, and has.
    pub figures: (Figures, Figures),
}

impl Check {
    /// Looks. `numbers` are the events that were acknowledged, each with the tenant it was sent for; `before` are the
    /// figures before they were sent.
    ///
    /// # Errors
    /// A store does not say.
    pub async fn of(
        system: &System,
        traffic: &Traffic,
        numbers: &[(u64, usize)],
        before: Figures,
    ) -> anyhow::Result<Self> {
        let ids: HashSet<Uuid> = numbers.iter().map(|(number, _)| traffic.id(*number)).collect();
        let now = figures(system).await?;
        let more = Figures { sessions: now.sessions - before.sessions, booked: now.booked - before.booked };
        let figures = (traffic.figures(numbers.iter().copied()), more);
        let (ledger, analytics) = match &system.stand.site {
            Some(site) => {
                (in_postgres(site, traffic.run).await?, Some(in_clickhouse(site, traffic.run).await?))
            }
            None => (in_timelines(system, traffic, numbers).await?, None),
        };
        let ledger = Difference::between(ids.clone(), ledger);
        Ok(Self { ledger, analytics: analytics.map(|found| Difference::between(ids, found)), figures })
    }

    /// Whether nothing differs.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let none = Difference::default();
        self.ledger == none && self.analytics.unwrap_or_default() == none && self.figures.0 == self.figures.1
    }

    /// One line.
    #[must_use]
    pub fn shown(&self) -> String {
        let analytics = match self.analytics {
            Some(Difference { lost, extra }) => format!("analytics lost {lost} extra {extra}"),
            None => "analytics keeps no events".to_owned(),
        };
        let (wanted, more) = self.figures;
        format!(
            "ledger lost {} extra {}, {analytics}; overview {} of {} sessions, {} of {} bookings{}",
            self.ledger.lost,
            self.ledger.extra,
            more.sessions,
            wanted.sessions,
            more.booked,
            wanted.booked,
            if self.is_good() { "" } else { ": NOT WHAT WAS SENT" }
        )
    }

    /// All of it.
    #[must_use]
    pub fn json(&self) -> Value {
        let of = |difference: Difference| json!({"lost": difference.lost, "extra": difference.extra});
        json!({"good": self.is_good(), "ledger": of(self.ledger), "analytics": self.analytics.map(of)})
    }
}

impl Difference {
    fn between(mut missing: HashSet<Uuid>, found: Vec<Uuid>) -> Self {
        let extra = found.iter().filter(|id| !missing.remove(*id)).count();
        let count = |number| u64::try_from(number).unwrap_or(u64::MAX);
        Self { lost: count(missing.len()), extra: count(extra) }
    }
}

/// What the overviews of all tenants show together.
///
/// # Errors
/// One cannot be read.
pub async fn figures(system: &System) -> anyhow::Result<Figures> {
    let mut sum = Figures::default();
    for keys in &system.tenants {
        let answer = system.stand.api.get(&keys.read, &format!("/v1/overview?{EVER}")).await?;
        ensure!(answer.status == 200, "overview: {answer:?}");
        let total = &answer.body["total"];
        sum.sessions += total["sessions"]["total"].as_u64().context("an overview without sessions")?;
        sum.booked += total["appointments"]["booked"].as_u64().context("an overview without bookings")?;
    }
    Ok(sum)
}

async fn in_postgres(site: &Site, run: u32) -> anyhow::Result<Vec<Uuid>> {
    let script = format!(
        "SELECT encode(event_id, 'hex') FROM \"{}\".events WHERE substring(event_id FROM 13) = '\\x{run:08x}';",
        site.name()
    );
    ids(site.psql(&script).await?)
}

/// A row may lie there twice until it is merged, and no figure counts rows.
async fn in_clickhouse(site: &Site, run: u32) -> anyhow::Result<Vec<Uuid>> {
    let query = format!(
        "SELECT DISTINCT hex(id) FROM `{}`.events WHERE endsWith(hex(id), '{run:08X}') FORMAT TSV",
        site.name()
    );
    ids(site.clickhouse(query).await?)
}

fn ids(rows: Vec<u8>) -> anyhow::Result<Vec<Uuid>> {
    let rows = String::from_utf8(rows)?;
    rows.lines().map(|row| Uuid::try_parse(row).context("an event id that is none")).collect()
}

/// Reads the conversations as a person would.
async fn in_timelines(
    system: &System,
    traffic: &Traffic,
    numbers: &[(u64, usize)],
) -> anyhow::Result<Vec<Uuid>> {
    let sessions: HashSet<(usize, u64)> =
        numbers.iter().map(|(number, tenant)| (*tenant, traffic.session_of(*number))).collect();
    let mut found = Vec::new();
    for (tenant, session) in sessions {
        let keys = system.tenants.get(tenant).context("a tenant without keys")?;
        let path = format!("/v1/sessions/{}?limit=200", escape(&traffic.session(session)));
        for event in system.stand.api.all(&keys.read, &path, "events").await? {
            let id = event["id"].as_str().context("an event without an id")?;
            found.push(Uuid::try_parse(id)?);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_and_what_is_there_once_more_is_told_apart() {
        let id = |number| Uuid::from_u128(number);
        let sent = [id(0), id(1), id(2)].into();
        let found = vec![id(0), id(2), id(2), id(7)];
        assert_eq!(Difference::between(sent, found), Difference { lost: 1, extra: 2 });
    }
}

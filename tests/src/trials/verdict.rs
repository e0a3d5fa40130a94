//! What became of everything that was acknowledged.

use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::Value;

use crate::trials::load::Sent;
use crate::trials::read_back::{self, Difference};
use crate::trials::{SETTLE_WITHIN, Scene, told};

/// How many ids are shown of those lost or extra.
const SHOWN: usize = 5;

/// What is found when everything is read back.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// The tenant's books at the end.
    pub books: Value,
    /// How long after the last start the books balanced with nothing in flight.
    pub ledger_settled: Duration,
    /// How long after the last start analytics knew every event.
    pub analytics_settled: Duration,
    /// How the timelines differ from what was sent.
    pub ledger: Difference,
    /// How the raw events of analytics differ from what was sent.
    pub analytics: Difference,
    /// The figures of the overview that are wrong: what each is, and what it should be.
    pub figures: Vec<String>,
    /// Whether the command line says so, too.
    pub reconciled: bool,
}

impl Verdict {
    /// Waits for the books, then reads everything back. `started` is when the last process or engine was started.
    pub async fn on(scene: &Scene, sent: &Sent, started: Instant) -> anyhow::Result<Self> {
        // What does not settle is read back all the same: that says what is missing.
        let ledger = async {
            let books = scene.until(async || settled_books(scene).await).await;
            (books.ok(), started.elapsed())
        };
        let analytics = async {
            let settled = scene.until(async || settled_analytics(scene, sent).await).await;
            (settled.is_ok(), started.elapsed())
        };
        let ((books, ledger_settled), (_complete, analytics_settled)) = tokio::join!(ledger, analytics);
        let books = match books {
            Some(books) => books,
            None => scene.books().await?,
        };
        // Connections of its own: the old ones may lead to processes that are gone.
        let api = scene.stand.letopis.api()?;
        let reconciled = scene.stand.cli.run(&["reconcile", "--wait", "5s", "--json"]).await?;
        Ok(Self {
            books,
            ledger_settled,
            analytics_settled,
            ledger: read_back::ledger(&api, &scene.stand.keys.read, sent.events).await?,
            analytics: read_back::analytics(scene.site()?, sent.events).await?,
            figures: wrong_figures(scene, sent).await?,
            reconciled: reconciled.status.success(),
        })
    }

    /// The promises that were not kept.
    #[must_use]
    pub fn broken(&self) -> Vec<String> {
        let mut broken = Vec::new();
        for (store, difference) in [("ledger", &self.ledger), ("analytics", &self.analytics)] {
            let Difference { lost, extra, miscounted } = difference;
            for (what, ids) in [("lost", lost), ("extra", extra)] {
                if !ids.is_empty() {
                    let first: Vec<&str> = ids.iter().take(SHOWN).map(String::as_str).collect();
                    broken.push(format!("{store}: {} {what}: {} …", ids.len(), first.join(", ")));
                }
            }
            if *miscounted > 0 {
                broken
                    .push(format!("{store}: sessions count {miscounted} events more or less than they show"));
            }
        }
        for (store, settled) in [("ledger", self.ledger_settled), ("analytics", self.analytics_settled)] {
            if settled > SETTLE_WITHIN {
                broken.push(format!("{store}: settled {:.1} s after the last start", settled.as_secs_f64()));
            }
        }
        broken.extend(self.figures.iter().cloned());
        if self.books["balanced"] != true || self.books["in_flight"] != 0 || !self.reconciled {
            broken.push(format!("the books: {}", self.books));
        }
        broken
    }
}

async fn settled_books(scene: &Scene) -> anyhow::Result<Value> {
    let books = scene.books().await?;
    ensure!(books["in_flight"] == 0 && books["balanced"] == true, "the books are not settled: {books}");
    Ok(books)
}

async fn settled_analytics(scene: &Scene, sent: &Sent) -> anyhow::Result<()> {
    let known = scene.analysed().await?;
    ensure!(known >= u64::from(sent.events), "analytics knows {known} of {} events", sent.events);
    let wrong = wrong_figures(scene, sent).await?;
    ensure!(wrong.is_empty(), "{wrong:?}");
    Ok(())
}

async fn wrong_figures(scene: &Scene, sent: &Sent) -> anyhow::Result<Vec<String>> {
    let stand = &scene.stand;
    let answer = stand.api.get(&stand.keys.read, &format!("/v1/overview?{}", told::PERIOD)).await?;
    ensure!(answer.status == 200, "overview: {answer:?}");
    let found = &answer.body["total"]["sessions"];
    let should_be = told::figures(sent.events, sent.sessions);
    let wrong = should_be.into_iter().filter(|(figure, count)| found[figure] != *count);
    Ok(wrong.map(|(figure, count)| format!("overview: {figure} is {}, not {count}", found[figure])).collect())
}

//! What was refused of each source: counted in memory, told to the store a few rows at a time.
//!
//! A flood of refusals is a flood of additions here and no more: at most one row a source and reason is told every ten
//! seconds. Only sources of the registry are counted, never names out of requests.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::id::{SourceId, TenantId};
use domain::registry::Source;
use domain::source_state::Refusal;
use domain::timestamp::Timestamp;
use http_kit::problem::ProblemKind;
use ports::sources::{RefusalCount, SourceWatch};
use tokio_util::sync::CancellationToken;

/// The pause between two tellings: how long the last refusals are known to this process alone.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// What was refused and not told yet: one row a source and reason, as many as the registry has sources.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<Counts>);

type Counts = BTreeMap<(TenantId, SourceId, Refusal), Count>;

#[derive(Clone, Copy, Debug)]
struct Count {
    times: u64,
    last_at: Timestamp,
}

impl Refusals {
    /// Counts a refusal, if it is one of the source's making.
    pub(crate) fn count(&self, source: &Source, problem: ProblemKind, now: Timestamp) {
        if let Some(reason) = reason_of(problem) {
            let key = (source.tenant.clone(), source.id.clone(), reason);
            add(&mut self.held(), key, Count { times: 1, last_at: now });
        }
    }

    /// Tells a store what was refused, until `shutdown` and once more then. What cannot be told now is told later.
    pub async fn tell(self: Arc<Self>, watch: Arc<dyn SourceWatch>, shutdown: CancellationToken) {
        let mut is_failing = false;
        loop {
            let is_over = tokio::select! {
                () = shutdown.cancelled() => true,
                () = tokio::time::sleep(TELL_EVERY) => false,
            };
            let told = self.tell_once(&*watch).await;
            if let Err(cause) = &told
                && !is_failing
            {
                let error: &dyn std::error::Error = cause;
                tracing::warn!(error, "failed to tell what was refused: it is told later");
            }
            is_failing = told.is_err();
            if is_over {
                return;
            }
        }
    }

    async fn tell_once(&self, watch: &dyn SourceWatch) -> Result<(), ports::ledger::LedgerError> {
        let counts = std::mem::take(&mut *self.held());
        let rows: Vec<_> = counts.iter().map(|(key, count)| row(key, *count)).collect();
        if rows.is_empty() {
            return Ok(());
        }
        watch.add_refusals(&rows).await.inspect_err(|_not_told| {
            let mut held = self.held();
            for (key, count) in counts {
                add(&mut held, key, count);
            }
        })
    }

    fn held(&self) -> MutexGuard<'_, Counts> {
        // Counts are whole whatever their holder was doing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn add(counts: &mut Counts, key: (TenantId, SourceId, Refusal), more: Count) {
    let count = counts.entry(key).or_insert(Count { times: 0, last_at: more.last_at });
    count.times += more.times;
    count.last_at = count.last_at.max(more.last_at);
}

fn row((tenant, source, reason): &(TenantId, SourceId, Refusal), count: Count) -> RefusalCount {
    RefusalCount {
        tenant: tenant.clone(),
        source: source.clone(),
        reason: *reason,
        times: count.times,
        last_at: count.last_at,
    }
}

/// What the owner of a source is told of a problem; nothing where it is ours, or nobody's source is meant.
const fn reason_of(problem: ProblemKind) -> Option<Refusal> {
    use ProblemKind as P;
    Some(match problem {
        P::SignatureMissing | P::Unauthorized => Refusal::NoProof,
        P::SignatureInvalid | P::InvalidKey | P::RevokedKey | P::Forbidden => Refusal::WrongProof,
        P::SignatureExpired => Refusal::ExpiredProof,
        P::BadRequest
        | P::InvalidJson
        | P::EmptyBody
        | P::IncompleteBody
        | P::DecompressionFailed
        | P::InvalidParameter
        | P::IdempotencyKeyInvalid
        | P::RequestTimeout
        | P::MethodNotAllowed
        | P::UnsupportedMediaType
        | P::UnsupportedEncoding => Refusal::Unreadable,
        P::InvalidEvent => Refusal::Invalid,
        P::Conflict | P::IdempotencyConflict => Refusal::Repeated,
        P::BodyTooLarge | P::EventTooLarge | P::BatchTooLarge => Refusal::TooLarge,
        P::RateLimited => Refusal::TooFast,
        P::NotFound
        | P::InvalidCursor
        | P::Internal
        // What came is kept; only the bot behind the source did not get it.
        | P::BotUnavailable
        | P::BusUnavailable
        | P::BusFull
        | P::StoreUnavailable => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use async_trait::async_trait;
    use domain::registry::SourceKind;
    use domain::source_state::{Period, SourceState};
    use ports::ledger::LedgerError;

    use super::*;

    /// Adds up what it is told, unless it is down.
    #[derive(Default)]
    struct Told {
        rows: Mutex<Vec<RefusalCount>>,
        is_down: AtomicBool,
    }

    #[async_trait]
    impl SourceWatch for Told {
        async fn states(&self, _: Option<&TenantId>, _: Timestamp) -> Result<Vec<SourceState>, LedgerError> {
            Ok(Vec::new())
        }

        async fn add_refusals(&self, refusals: &[RefusalCount]) -> Result<(), LedgerError> {
            if self.is_down.load(Ordering::Relaxed) {
                return Err(LedgerError::Unavailable("down".into()));
            }
            self.rows.lock().unwrap().extend_from_slice(refusals);
            Ok(())
        }

        async fn forget_periods(&self, _: Period) -> Result<u64, LedgerError> {
            Ok(0)
        }
    }

    fn source() -> Source {
        Source {
            id: SourceId::parse("bot").unwrap(),
            tenant: TenantId::parse("salon").unwrap(),
            kind: SourceKind::Telegram,
            name: String::new(),
            secrets: Vec::new(),
            mapping: None,
            rate_limit: None,
            forward_to: None,
            created_at: Timestamp::EPOCH,
            revoked_at: None,
        }
    }

    #[tokio::test]
    async fn a_flood_of_refusals_is_one_row_a_reason() {
        let (refusals, told) = (Refusals::default(), Told::default());
        for second in 0..10_000 {
            let now = Timestamp::EPOCH.plus(Duration::from_secs(second));
            refusals.count(&source(), ProblemKind::SignatureInvalid, now);
            refusals.count(&source(), ProblemKind::BusFull, now);
        }
        refusals.count(&source(), ProblemKind::RateLimited, Timestamp::EPOCH);
        refusals.tell_once(&told).await.unwrap();
        refusals.tell_once(&told).await.unwrap();
        let rows = told.rows.lock().unwrap();
        let row = |row: &RefusalCount| (row.reason, row.times, row.last_at.unix_micros() / 1_000_000);
        let rows: Vec<_> = rows.iter().map(row).collect();
        assert_eq!(rows, [(Refusal::WrongProof, 10_000, 9_999), (Refusal::TooFast, 1, 0)]);
    }

    #[tokio::test]
    async fn what_cannot_be_told_is_told_with_the_next_and_at_the_end() {
        let (refusals, told) = (Arc::new(Refusals::default()), Arc::new(Told::default()));
        told.is_down.store(true, Ordering::Relaxed);
        refusals.count(&source(), ProblemKind::InvalidJson, Timestamp::EPOCH);
        refusals.tell_once(&*told).await.unwrap_err();
        told.is_down.store(false, Ordering::Relaxed);
        refusals.count(&source(), ProblemKind::InvalidJson, Timestamp::EPOCH);
        let shutdown = CancellationToken::new();
        shutdown.cancel();
        refusals.tell(told.clone(), shutdown).await;
        assert_eq!(told.rows.lock().unwrap()[0].times, 2);
    }
}

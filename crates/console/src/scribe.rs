//! Writes down who reads what was sealed, before it is shown.
//!
//! Readers who come at the same time share a write: the first to get the turn writes for everybody who waits. A write that
//! fails fails for all it was for, at once: a store that is down is not asked by each of them in turn.

use std::sync::{Arc, Mutex, PoisonError};

use domain::audit::{About, AuditEntry, Deed, Who};
use domain::id::TenantId;
use http_kit::problem::Problem;
use ports::audit::AuditLog;
use ports::clock::Clock;
use ports::ledger::LedgerError;
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{Mutex as Turn, oneshot};

use crate::{Console, failure};

/// What is to be written, and whom to tell.
type Waiting = Vec<(AuditEntry, oneshot::Sender<bool>)>;

/// One for all requests of a process.
pub(crate) struct Scribe {
    log: Arc<dyn AuditLog>,
    clock: Arc<dyn Clock>,
    waiting: Mutex<Waiting>,
    turn: Turn<()>,
}

impl Scribe {
    pub(crate) fn new(console: &Console) -> Self {
        let (log, clock) = (Arc::clone(&console.audit), Arc::clone(&console.clock));
        Self { log, clock, waiting: Mutex::default(), turn: Turn::default() }
    }

    /// Writes down that somebody is about to be shown what was said.
    pub(crate) async fn read(&self, (tenant, who): (&TenantId, &Who), about: About) -> Result<(), Problem> {
        let entry = AuditEntry {
            at: self.clock.now(),
            tenant: tenant.clone(),
            who: who.clone(),
            deed: Deed::Read,
            about,
            reason: None,
        };
        self.write(entry).await.map_err(failure::of_ledger)
    }

    async fn write(&self, entry: AuditEntry) -> Result<(), LedgerError> {
        let (told, mut outcome) = oneshot::channel();
        self.waiting().push((entry.clone(), told));
        let _turn = self.turn.lock().await;
        match outcome.try_recv() {
            Ok(true) => Ok(()),
            Ok(false) => Err(LedgerError::Unavailable("it was not written along with others".into())),
            Err(TryRecvError::Empty) => {
                let taken = std::mem::take(&mut *self.waiting());
                self.write_all(taken).await
            }
            // Who had the turn went away in the middle, perhaps before it was written: twice is better than never.
            Err(TryRecvError::Closed) => self.log.add_audit(&[entry]).await,
        }
    }

    async fn write_all(&self, waiting: Waiting) -> Result<(), LedgerError> {
        let (entries, told): (Vec<_>, Vec<_>) = waiting.into_iter().unzip();
        let written = self.log.add_audit(&entries).await;
        for told in told {
            // One of them is our own, and others may have gone away.
            let _gone = told.send(written.is_ok());
        }
        written
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Waiting> {
        // A poisoned lock only says that another thread panicked; the list itself is whole.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use async_trait::async_trait;
    use domain::id::LeadId;
    use domain::timestamp::Timestamp;
    use ports::audit::{AuditQuery, AuditRow};
    use ports::clock::SystemClock;
    use tokio::sync::Semaphore;
    use tokio::task::{AbortHandle, JoinSet};

    use super::*;

    /// Writes when it is let, and fails when it is told to.
    struct SlowLog {
        gate: Semaphore,
        fails: AtomicBool,
        calls: AtomicUsize,
        written: Mutex<Vec<AuditEntry>>,
    }

    #[async_trait]
    impl AuditLog for SlowLog {
        async fn add_audit(&self, entries: &[AuditEntry]) -> Result<(), LedgerError> {
            self.calls.fetch_add(1, Ordering::Relaxed);
            self.gate.acquire().await.unwrap().forget();
            if self.fails.load(Ordering::Relaxed) {
                return Err(LedgerError::Unavailable("unplugged".into()));
            }
            self.written.lock().unwrap().extend_from_slice(entries);
            Ok(())
        }

        async fn audit(&self, _: &AuditQuery) -> Result<Vec<AuditRow>, LedgerError> {
            unreachable!("nobody looks")
        }
    }

    fn scribe() -> (Arc<Scribe>, Arc<SlowLog>) {
        let log = Arc::new(SlowLog {
            gate: Semaphore::new(0),
            fails: AtomicBool::new(false),
            calls: AtomicUsize::new(0),
            written: Mutex::default(),
        });
        let scribe = Scribe {
            log: Arc::clone(&log) as _,
            clock: Arc::new(SystemClock),
            waiting: Mutex::default(),
            turn: Turn::default(),
        };
        (Arc::new(scribe), log)
    }

    fn entry(lead: u64) -> AuditEntry {
        AuditEntry {
            at: Timestamp::EPOCH,
            tenant: TenantId::parse("salon").unwrap(),
            who: Who::Visitor,
            deed: Deed::Read,
            about: About::Lead(LeadId::from_number(lead)),
            reason: None,
        }
    }

    /// One writes and is held up; then so many come.
    async fn crowd(scribe: &Arc<Scribe>, log: &SlowLog, many: u64) -> (JoinSet<bool>, Vec<AbortHandle>) {
        let (mut readers, mut handles) = (JoinSet::new(), Vec::new());
        for lead in 0..=many {
            let scribe = Arc::clone(scribe);
            handles.push(readers.spawn(async move { scribe.write(entry(lead)).await.is_ok() }));
            while log.calls.load(Ordering::Relaxed) == 0 {
                tokio::task::yield_now().await;
            }
        }
        while scribe.waiting().len() < usize::try_from(many).unwrap() {
            tokio::task::yield_now().await;
        }
        (readers, handles)
    }

    #[tokio::test]
    async fn readers_who_come_together_share_a_write() {
        let (scribe, log) = scribe();
        let (readers, _) = crowd(&scribe, &log, 20).await;
        log.gate.add_permits(2);
        assert_eq!(readers.join_all().await, [true; 21]);
        assert_eq!(log.calls.load(Ordering::Relaxed), 2);
        assert_eq!(log.written.lock().unwrap().len(), 21, "each once");
    }

    #[tokio::test]
    async fn a_write_that_fails_fails_for_all_it_was_for_at_once() {
        let (scribe, log) = scribe();
        let (readers, _) = crowd(&scribe, &log, 20).await;
        log.fails.store(true, Ordering::Relaxed);
        log.gate.add_permits(2);
        assert_eq!(readers.join_all().await, [false; 21]);
        assert_eq!(log.calls.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn who_goes_away_while_writing_takes_nobody_along() {
        let (scribe, log) = scribe();
        let (mut readers, handles) = crowd(&scribe, &log, 3).await;
        // The next to have the turn writes for the three, and goes away while it does.
        log.gate.add_permits(1);
        while log.calls.load(Ordering::Relaxed) < 2 {
            tokio::task::yield_now().await;
        }
        handles[1].abort();
        log.gate.add_permits(2);
        let mut gone = 0;
        while let Some(reader) = readers.join_next().await {
            match reader {
                Ok(is_written) => assert!(is_written),
                Err(_aborted) => gone += 1,
            }
        }
        let mut leads: Vec<_> = log.written.lock().unwrap().iter().map(|entry| entry.about.id()).collect();
        leads.dedup();
        assert_eq!((gone, leads), (1, ["BX-0", "BX-2", "BX-3"].map(str::to_owned).into()));
    }
}

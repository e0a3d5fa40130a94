//! Letters out of a stream of somebody's own Redis, as a consumer group.
//!
//! A door is one consumer of the group, under a name of its own. What it has read and not acknowledged waits in the
//! group's list of pending entries (`XREADGROUP`); what another consumer has had there for longer than
//! [`QueueOptions::hold_for`] without a word is taken over (`XAUTOCLAIM`), which is how the letters of a door that was
//! killed come to the next. A letter is taken off with `XACK`: the entry stays in the stream, whose owner trims it.
//!
//! The group is made where there is none, at the oldest entry of the stream, for nobody knows what was read before. The
//! user of Redis needs `~stream +xreadgroup +xautoclaim +xclaim +xack +xpending +xgroup`, and `+eval +xinfo` where consumers
//! that are gone shall be tidied away.
//!
//! Reading waits inside Redis, on a connection of its own: whatever is said meanwhile goes over the other.

mod entry;
mod held;
mod session;
mod target;

use std::sync::{Arc, Mutex as Lock, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use ports::queue::{Answer, Letter, LetterTag, OpenQueueError, QueueDoor, QueueError, QueueOptions, ReplyTo};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use held::Held;
use session::Session;
use target::Target;

/// The addresses this crate understands begin like this.
pub const SCHEMES: [&str; 2] = ["redis", "rediss"];

/// A door at a stream.
pub struct RedisQueue {
    target: Target,
    session: Mutex<Option<Arc<Session>>>,
    held: Lock<Held>,
    /// When to look again for what others hold no more; at once when never.
    next_look: Lock<Option<Instant>>,
    /// Locked while somebody receives, or two together would hold more than they may.
    receiving: Mutex<()>,
}

impl RedisQueue {
    /// Connects to nothing yet.
    pub fn new(options: &QueueOptions) -> Result<Self, OpenQueueError> {
        Ok(Self {
            target: Target::new(options)?,
            session: Mutex::default(),
            held: Lock::new(Held::of(options.held)),
            next_look: Lock::default(),
            receiving: Mutex::default(),
        })
    }

    /// The session there is, or a new one.
    async fn session(&self) -> Result<Arc<Session>, QueueError> {
        let mut session = self.session.lock().await;
        if let Some(session) = session.as_ref() {
            return Ok(session.clone());
        }
        let made = Arc::new(Session::begin(&self.target).await?);
        *session = Some(made.clone());
        Ok(made)
    }

    /// Has the next call begin anew after this one failed.
    async fn judged<T>(
        &self,
        session: &Arc<Session>,
        outcome: Result<T, QueueError>,
    ) -> Result<T, QueueError> {
        if outcome.is_err() {
            self.session.lock().await.take_if(|current| Arc::ptr_eq(current, session));
        }
        outcome
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next_look(&self) -> MutexGuard<'_, Option<Instant>> {
        self.next_look.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What others held and said nothing of, then what is new.
    async fn receive_on(&self, session: &Session, wait: Duration) -> Result<Vec<Letter>, QueueError> {
        let until = Instant::now() + wait;
        loop {
            let free = self.held().free();
            if free == 0 {
                tokio::time::sleep_until(until).await;
                return Ok(Vec::new());
            }
            let is_due = self.next_look().is_none_or(|at| at <= Instant::now());
            if is_due {
                let forgotten = session.take_over(&self.target, free).await?;
                *self.next_look() = Some(Instant::now() + self.target.look_every());
                let letters = self.held().take(forgotten);
                if !letters.is_empty() {
                    return Ok(letters);
                }
            }
            let next_look = self.next_look().unwrap_or(until);
            let patience = until.min(next_look).saturating_duration_since(Instant::now());
            let new = session.read(&self.target, free, patience).await?;
            let letters = self.held().take(new);
            if !letters.is_empty() || Instant::now() >= until {
                return Ok(letters);
            }
        }
    }
}

#[async_trait]
impl QueueDoor for RedisQueue {
    async fn receive(&self, wait: Duration) -> Result<Vec<Letter>, QueueError> {
        let _one_at_a_time = self.receiving.lock().await;
        let session = self.session().await?;
        let received = self.receive_on(&session, wait).await;
        self.judged(&session, received).await
    }

    /// Once this is tried the letters are not held any more: if it fails they come again.
    async fn acknowledge(&self, tags: &[LetterTag]) -> Result<(), QueueError> {
        let ids = self.held().strike(tags);
        if ids.is_empty() {
            return Ok(());
        }
        let session = self.session().await?;
        let acknowledged = session.acknowledge(&self.target, &ids).await;
        self.judged(&session, acknowledged).await
    }

    async fn hold(&self, tags: &[LetterTag]) -> Result<(), QueueError> {
        let ids = self.held().among(tags);
        if ids.is_empty() {
            return Ok(());
        }
        let session = self.session().await?;
        let held = session.claim(&self.target, &ids, Duration::ZERO).await;
        self.judged(&session, held).await
    }

    /// A stream knows nobody who waits.
    async fn answer(&self, _to: &ReplyTo, _answer: Answer) -> Result<bool, QueueError> {
        Ok(false)
    }

    async fn close(&self) {
        let ids = self.held().strike_all();
        // They may be this very door's to take, when it comes back.
        *self.next_look() = None;
        let Some(session) = self.session.lock().await.take() else { return };
        let leave = async {
            if !ids.is_empty() {
                session.claim(&self.target, &ids, self.target.hold_for).await?;
            }
            session.leave(&self.target).await
        };
        let left = timeout_at(Instant::now() + self.target.timeout, leave).await;
        if let Ok(Err(error)) = left {
            let error: &dyn std::error::Error = &error;
            tracing::debug!(error, "left the stream without a farewell");
        }
    }
}

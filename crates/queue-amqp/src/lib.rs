//! Letters out of a queue of RabbitMQ, or another broker that speaks AMQP 0.9.1.
//!
//! A door is one connection with one channel that consumes. The broker pushes up to [`QueueOptions::held`] letters ahead
//! and takes back what is not acknowledged when the channel ends, however that comes. Whatever goes wrong ends the
//! connection, and the next call makes a new one: what belongs together is made anew together.
//!
//! The queue has to be there; it is its owner who knows how it must be declared. The user of the broker needs `read` on
//! the queue and, where answers are wanted, `write` on `amq.default`.
//!
//! Answers go over a channel of their own, for a broker that does not let us publish ends the channel we tried it on.

mod headers;
mod session;
mod tags;
mod target;
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ports::queue::{Answer, Letter, LetterTag, OpenQueueError, QueueDoor, QueueError, QueueOptions, ReplyTo};
use tokio::sync::Mutex;
use tokio::time::timeout;

use session::Session;
use target::Target;

/// The addresses this crate understands begin like this.
pub const SCHEMES: [&str; 2] = ["amqp", "amqps"];

/// A door at a queue.
pub struct AmqpQueue {
    target: Target,
    session: Mutex<Option<Arc<Session>>>,
    /// Numbers sessions, so that tags of an old one are not taken for those of the next.
    sessions: AtomicU64,
}

impl AmqpQueue {
    /// Connects to nothing yet.
    pub fn new(options: &QueueOptions) -> Result<Self, OpenQueueError> {
        let (session, sessions) = (Mutex::default(), AtomicU64::new(0));
        Ok(Self { target: Target::new(options)?, session, sessions })
    }

    /// The session there is, or a new one.
    async fn session(&self) -> Result<Arc<Session>, QueueError> {
        let mut session = self.session.lock().await;
        if let Some(session) = session.as_ref().filter(|session| session.is_open()) {
            return Ok(session.clone());
        }
        *session = None;
        let number = self.sessions.fetch_add(1, Ordering::Relaxed);
        let made = timeout(self.target.timeout, Session::begin(number, &self.target)).await;
        let made = Arc::new(made.map_err(|elapsed| QueueError(elapsed.into()))??);
        *session = Some(made.clone());
        Ok(made)
    }

    /// The session there is, if any.
    async fn current(&self) -> Option<Arc<Session>> {
        self.session.lock().await.clone()
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
}

#[async_trait]
impl QueueDoor for AmqpQueue {
    async fn receive(&self, wait: Duration) -> Result<Vec<Letter>, QueueError> {
        let session = self.session().await?;
        let received = session.receive(wait).await;
        self.judged(&session, received).await
    }

    async fn acknowledge(&self, tags: &[LetterTag]) -> Result<(), QueueError> {
        let Some(session) = self.current().await else { return Ok(()) };
        let acknowledged = session.acknowledge(tags).await;
        self.judged(&session, acknowledged).await
    }

    /// The broker sees from the connection that we are there.
    async fn hold(&self, _tags: &[LetterTag]) -> Result<(), QueueError> {
        Ok(())
    }

    async fn answer(&self, to: &ReplyTo, answer: Answer) -> Result<bool, QueueError> {
        let session = self.session().await?;
        let answered = timeout(self.target.timeout, session.answer(to, answer)).await;
        let answered = answered.unwrap_or_else(|elapsed| Err(QueueError(elapsed.into())));
        self.judged(&session, answered).await
    }

    async fn close(&self) {
        if let Some(session) = self.session.lock().await.take() {
            drop(timeout(self.target.timeout, session.end()).await);
        }
    }
}

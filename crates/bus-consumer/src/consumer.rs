//! Claim, handle, settle.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use ports::Cause;
use ports::bus::{Delivery, DeliveryTag, EventBus, Message, Origin, Settlement, Subscription, Topic};
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::metrics::{ConsumerMetrics, Outcome};

/// What a service does with messages.
pub trait Handler: Send + Sync + 'static {
    /// Handles some messages; one verdict a message, in the same order.
    ///
    /// May be called again with messages it has seen: effects must be idempotent.
    fn handle(&self, batch: &[Delivery]) -> impl Future<Output = Vec<Verdict>> + Send;
}

/// What is to become of a message.
#[derive(Debug)]
pub enum Verdict {
    /// Its effect is durable; these messages follow from it.
    Done(Vec<(Topic, Message)>),
    /// The message is fine, the world is not: handle it again in a while.
    Retry(Cause),
    /// No retry will help: give it up at once. The reason must hold no content of the message.
    Reject {
        /// Why, for a person.
        reason: String,
    },
}

impl Verdict {
    /// Takes apart a message that carries several receipts: each of them comes again by itself, so that one that kills
    /// its handler, or cannot be read, takes none of the others with it.
    #[must_use]
    pub fn apart(to: Topic, message: &Message, parts: Vec<Bytes>) -> Self {
        let alone = |part| Message::new(message.tenant.clone(), message.partition, part);
        Self::Done(parts.into_iter().map(|part| (to, alone(part))).collect())
    }
}

/// How the loop goes about it.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Messages claimed at once, at the most.
    pub batch: usize,
    /// How long one claim waits for a first message.
    pub wait: Duration,
    /// Deliveries of one message before it is given up without being handled.
    pub max_attempts: u32,
    /// The pause after the world was found down; doubles up to thirty times itself.
    pub pause: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self { batch: 500, wait: Duration::from_secs(5), max_attempts: 5, pause: Duration::from_millis(100) }
    }
}

/// One consumer of a group.
pub struct Consumer<H> {
    /// Where messages come from.
    pub bus: Arc<dyn EventBus>,
    /// What is read, for whom and as whom.
    pub subscription: Subscription,
    /// How.
    pub policy: Policy,
    /// Where it is counted.
    pub metrics: ConsumerMetrics,
    /// What is done.
    pub handler: H,
}

impl<H: Handler> Consumer<H> {
    /// Claims and settles messages until `shutdown`; finishes the batch in hand first.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut pause = Pause::new(self.policy.pause);
        while !shutdown.is_cancelled() {
            let claimed = tokio::select! {
                // Dropping a claim half-way is safe: what it claimed comes back after the claim TTL.
                () = shutdown.cancelled() => return,
                claimed = self.bus.claim(&self.subscription, self.policy.batch, self.policy.wait) => claimed,
            };
            match claimed {
                Ok(deliveries) => {
                    pause.reset();
                    self.work_through(deliveries, &shutdown).await;
                }
                Err(cause) => {
                    warn!(
                        consumer = self.name(),
                        error = &cause as &dyn std::error::Error,
                        "failed to claim"
                    );
                    pause.wait(&shutdown).await;
                }
            }
        }
    }

    fn name(&self) -> &'static str {
        self.subscription.group.as_str()
    }

    /// Handles deliveries until each is settled, given up or left to be delivered again.
    async fn work_through(&self, deliveries: Vec<Delivery>, shutdown: &CancellationToken) {
        let (exhausted, mut open): (Vec<_>, Vec<_>) =
            deliveries.into_iter().partition(|delivery| delivery.attempt > self.policy.max_attempts);
        let mut settlements: Vec<_> = exhausted
            .iter()
            .map(|delivery| self.give_up(delivery, "handling it failed or stopped the process each time"))
            .collect();
        let mut pause = Pause::new(self.policy.pause);
        loop {
            let verdicts = self.handle_alive(&open).await;
            let mut again = Vec::new();
            for (delivery, verdict) in open.into_iter().zip(verdicts) {
                match verdict {
                    Some(Verdict::Done(outputs)) => {
                        self.metrics.count(Outcome::Done, 1);
                        settlements.push(Settlement { tag: delivery.tag, outputs });
                    }
                    Some(Verdict::Reject { reason }) => settlements.push(self.give_up(&delivery, &reason)),
                    Some(Verdict::Retry(cause)) => {
                        if again.is_empty() {
                            warn!(
                                consumer = self.name(),
                                error = &*cause as &dyn std::error::Error,
                                "will retry"
                            );
                        }
                        again.push(delivery);
                    }
                    // Left claimed: the bus delivers it again and counts the attempt.
                    None => self.metrics.count(Outcome::Crashed, 1),
                }
            }
            self.settle(std::mem::take(&mut settlements), shutdown).await;
            if again.is_empty() {
                return;
            }
            self.metrics.count(Outcome::Retried, again.len());
            open = again;
            if !self.holding(&open, pause.wait(shutdown)).await {
                self.release(&open).await;
                return;
            }
        }
    }

    /// Handles a batch while keeping it claimed. `None` for a message whose handling panicked.
    async fn handle_alive(&self, batch: &[Delivery]) -> Vec<Option<Verdict>> {
        if batch.is_empty() {
            return Vec::new();
        }
        let timer = self.metrics.start_timer();
        let handled = self.holding(batch, self.catching(batch)).await;
        timer.observe_duration();
        let verdicts = match handled {
            Some(verdicts) => verdicts.into_iter().map(Some).collect(),
            None => self.handle_apart(batch).await,
        };
        if verdicts.len() == batch.len() {
            return verdicts;
        }
        error!(
            consumer = self.name(),
            "a handler gave {} verdicts on {} messages",
            verdicts.len(),
            batch.len()
        );
        batch.iter().map(|_no_verdict| None).collect()
    }

    /// After a panic: one by one, so that only the message that causes it is held back.
    async fn handle_apart(&self, batch: &[Delivery]) -> Vec<Option<Verdict>> {
        let mut verdicts = Vec::with_capacity(batch.len());
        for delivery in batch.chunks(1) {
            let alone = self.holding(batch, self.catching(delivery)).await;
            verdicts.push(alone.and_then(|verdicts| verdicts.into_iter().next()));
        }
        verdicts
    }

    async fn catching(&self, batch: &[Delivery]) -> Option<Vec<Verdict>> {
        // Unwind safety: a handler keeps nothing between calls but handles to stores, whose work is transactional.
        let caught = AssertUnwindSafe(self.handler.handle(batch)).catch_unwind().await;
        if caught.is_err() {
            error!(consumer = self.name(), messages = batch.len(), "a handler panicked");
        }
        caught.ok()
    }

    /// Awaits `work` and extends the claims meanwhile, so that slow work is not handed to somebody else.
    async fn holding<T>(&self, batch: &[Delivery], work: impl Future<Output = T>) -> T {
        let tags: Vec<DeliveryTag> = batch.iter().map(|delivery| delivery.tag.clone()).collect();
        let mut work = std::pin::pin!(work);
        let mut beat = tokio::time::interval(self.subscription.claim_ttl / 3);
        beat.tick().await;
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                _ = beat.tick() => {
                    // A claim that cannot be extended is one the bus may hand out again: harmless, and logged.
                    if let Err(cause) = self.bus.extend(&self.subscription, &tags).await {
                        warn!(consumer = self.name(), error = &cause as &dyn std::error::Error, "failed to extend");
                    }
                }
            }
        }
    }

    /// Gives back what the world was too down to handle, so that shutting down costs it neither an attempt nor the
    /// wait for its claim to expire.
    async fn release(&self, open: &[Delivery]) {
        let tags: Vec<DeliveryTag> = open.iter().map(|delivery| delivery.tag.clone()).collect();
        if let Err(cause) = self.bus.release(&self.subscription, &tags).await {
            // It comes back all the same, after the claim TTL and with the attempt counted.
            warn!(consumer = self.name(), error = &cause as &dyn std::error::Error, "failed to release");
        }
    }

    /// Settles, and tries until it succeeds or the process stops: the effects are durable already.
    async fn settle(&self, settlements: Vec<Settlement>, shutdown: &CancellationToken) {
        let mut pause = Pause::new(self.policy.pause);
        while !settlements.is_empty() {
            match self.bus.settle(&self.subscription, settlements.clone()).await {
                Ok(()) => return,
                Err(cause) => {
                    warn!(
                        consumer = self.name(),
                        error = &cause as &dyn std::error::Error,
                        "failed to settle"
                    );
                }
            }
            if !pause.wait(shutdown).await {
                return;
            }
        }
    }

    fn give_up(&self, delivery: &Delivery, reason: &str) -> Settlement {
        let Subscription { topic, group, .. } = self.subscription;
        let to = if topic == Topic::Quarantine { Topic::Dead } else { Topic::Quarantine };
        error!(consumer = self.name(), attempts = delivery.attempt, reason, "gave up on a message");
        self.metrics.count(Outcome::DeadLettered, 1);
        let origin = Origin { topic, group, attempts: delivery.attempt, reason: reason.to_owned() };
        let letter = Message { origin: Some(origin), ..delivery.message.clone() };
        Settlement { tag: delivery.tag.clone(), outputs: vec![(to, letter)] }
    }
}

/// Waits a little longer each time.
struct Pause {
    first: Duration,
    next: Duration,
}

impl Pause {
    fn new(first: Duration) -> Self {
        Self { first, next: first }
    }

    fn reset(&mut self) {
        self.next = self.first;
    }

    /// Waits; `false` when told to shut down meanwhile.
    async fn wait(&mut self, shutdown: &CancellationToken) -> bool {
        let now = self.next;
        self.next = (now * 2).min(self.first * 30);
        tokio::select! {
            () = shutdown.cancelled() => false,
            () = tokio::time::sleep(now) => true,
        }
    }
}

#[cfg(test)]
mod tests;

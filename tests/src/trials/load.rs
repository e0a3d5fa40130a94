//! Senders: each sends one event, or one batch, until it is taken, and only then the next.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::api::{Answer, Api};

/// What a sender waits before it tries the same event again.
const RETRY: Duration = Duration::from_millis(10);
/// After so long without success a sender gives up: nothing that is tried lasts half as long.
const GIVE_UP: Duration = Duration::from_secs(240);
/// Events in the batches of every fourth connection.
const BATCH: u32 = 20;
/// How many answers that should not be are kept to be shown.
const SHOWN: usize = 5;

/// What is sent.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Connections; every fourth sends batches.
    pub connections: u32,
    /// Conversations the events belong to.
    pub sessions: u32,
    /// Events a second; without a number, as many as are taken.
    pub rate: Option<u32>,
    /// Makes the event of a number in one of so many conversations.
    pub event: fn(u32, u32) -> Value,
}

/// Senders at work. Dropping it stops them on the spot.
pub struct Load {
    shared: Arc<Shared>,
    senders: JoinSet<anyhow::Result<()>>,
    begun: Instant,
    /// What was seen before the present phase.
    mark: Seen,
}

/// What senders have seen.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Events answered with 2xx.
    pub acknowledged: u32,
    /// Requests answered with 503 and `Retry-After`.
    pub refused: u32,
    /// Requests that found nobody at the port.
    pub unreached: u32,
    /// Requests whose connection broke before the answer, or that were not answered in time.
    pub broken: u32,
    /// The longest time from the first try of a request to its 2xx.
    pub slowest: Duration,
    /// Requests answered with anything else: a fault of the server.
    pub odd: u32,
    /// The first of these answers.
    pub odd_answers: Vec<String>,
}

/// What was sent when all is said.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Events 0 until here were sent, and each was acknowledged.
    pub events: u32,
    /// Conversations they belong to.
    pub sessions: u32,
    /// How long it took.
    pub took: Duration,
    /// When the last answer came.
    pub ended: Instant,
    /// What senders saw.
    pub seen: Seen,
}

struct Shared {
    plan: Plan,
    tickets: watch::Sender<Tickets>,
    seen: watch::Sender<Seen>,
}

/// Which events may be sent.
#[derive(Clone, Copy, Debug, Default)]
struct Tickets {
    next: u32,
    open_until: u32,
    closed: bool,
}

impl Load {
    /// Senders that wait for [`Self::open`].
    #[must_use]
    pub fn new(api: &Api, key: &str, plan: Plan) -> Self {
        let (tickets, seen) = (watch::Sender::default(), watch::Sender::default());
        let shared = Arc::new(Shared { plan, tickets, seen });
        let begun = Instant::now();
        let mut senders = JoinSet::new();
        for connection in 0..plan.connections {
            let size = if connection % 4 == 3 { BATCH } else { 1 };
            let (api, key, shared) = (api.clone(), key.to_owned(), shared.clone());
            senders.spawn(Sender { api, key, shared, size, begun }.run());
        }
        Self { shared, senders, begun, mark: Seen::default() }
    }

    /// Lets them send events up to this number, which is not sent any more.
    pub fn open(&self, until: u32) {
        self.shared.tickets.send_modify(|tickets| tickets.open_until = until.max(tickets.next));
    }

    /// Lets them send without end.
    pub fn open_wide(&self) {
        self.open(u32::MAX);
    }

    /// What they have seen so far.
    #[must_use]
    pub fn seen(&self) -> Seen {
        self.shared.seen.borrow().clone()
    }

    /// What they have seen since this was called the last time, or since the beginning. A request in hand then counts
    /// where it is answered.
    pub fn phase(&mut self) -> Seen {
        let mut seen = Seen::default();
        self.shared.seen.send_modify(|now| {
            seen = now.clone();
            now.slowest = Duration::ZERO;
        });
        let before = std::mem::replace(&mut self.mark, seen.clone());
        self.mark.slowest = before.slowest.max(seen.slowest);
        seen.acknowledged -= before.acknowledged;
        seen.refused -= before.refused;
        seen.unreached -= before.unreached;
        seen.broken -= before.broken;
        seen.odd -= before.odd;
        seen
    }

    /// Waits until so many events are acknowledged.
    pub async fn reach(&mut self, acknowledged: u32) -> anyhow::Result<()> {
        self.until(|seen| seen.acknowledged >= acknowledged).await
    }

    /// Waits until senders have seen something.
    ///
    /// # Errors
    /// One of them has given up, or all have ended without seeing it.
    pub async fn until(&mut self, is_there: impl Fn(&Seen) -> bool) -> anyhow::Result<()> {
        let mut seen = self.shared.seen.subscribe();
        loop {
            tokio::select! {
                there = seen.wait_for(|seen| is_there(seen)) => {
                    there?;
                    return Ok(());
                }
                ended = self.senders.join_next() => match ended {
                    Some(ended) => ended.context("a sender panicked")??,
                    None if is_there(&self.shared.seen.borrow()) => return Ok(()),
                    None => bail!("all is sent, and it was not seen"),
                },
            }
        }
    }

    /// Waits until all that is open is acknowledged.
    pub async fn finish(mut self) -> anyhow::Result<Sent> {
        self.shared.tickets.send_modify(|tickets| tickets.closed = true);
        while let Some(ended) = self.senders.join_next().await {
            ended.context("a sender panicked")??;
        }
        let ended = Instant::now();
        let (events, sessions) = (self.shared.tickets.borrow().next, self.shared.plan.sessions);
        let mut seen = self.seen();
        seen.slowest = seen.slowest.max(self.mark.slowest);
        ensure!(seen.acknowledged == events, "{} acknowledged of {events}", seen.acknowledged);
        Ok(Sent { events, sessions, took: ended - self.begun, ended, seen })
    }

    /// Begins no more requests, and waits until those in hand are acknowledged.
    pub async fn stop(self) -> anyhow::Result<Sent> {
        self.shared.tickets.send_modify(|tickets| tickets.open_until = tickets.next);
        self.finish().await
    }
}

struct Sender {
    api: Api,
    key: String,
    shared: Arc<Shared>,
    size: u32,
    begun: Instant,
}

impl Sender {
    async fn run(self) -> anyhow::Result<()> {
        let plan = self.shared.plan;
        while let Some((first, last)) = self.take().await {
            if let Some(rate) = plan.rate {
                let due = self.begun + Duration::from_secs_f64(f64::from(first) / f64::from(rate));
                tokio::time::sleep_until(due.into()).await;
            }
            let event = |number| (plan.event)(number, plan.sessions);
            let body = if self.size == 1 { event(first) } else { (first..last).map(event).collect() };
            self.deliver(&body, last - first).await?;
        }
        Ok(())
    }

    /// The numbers to send next; none when that is all.
    async fn take(&self) -> Option<(u32, u32)> {
        let mut changes = self.shared.tickets.subscribe();
        loop {
            let mut taken = None;
            let mut closed = false;
            self.shared.tickets.send_if_modified(|tickets| {
                let last = tickets.next.saturating_add(self.size).min(tickets.open_until);
                if tickets.next < last {
                    taken = Some((tickets.next, last));
                    tickets.next = last;
                }
                closed = tickets.closed;
                // Nobody waits for numbers to be taken.
                false
            });
            if taken.is_some() || closed || changes.changed().await.is_err() {
                return taken;
            }
        }
    }

    async fn deliver(&self, body: &Value, events: u32) -> anyhow::Result<()> {
        let begun = Instant::now();
        loop {
            let answered = self.api.send(&self.key, body).await;
            let taken = matches!(&answered, Ok(answer) if (200..300).contains(&answer.status));
            self.shared.seen.send_modify(|seen| seen.note(&answered, events, begun.elapsed()));
            if taken {
                return Ok(());
            }
            ensure!(begun.elapsed() < GIVE_UP, "not taken for {GIVE_UP:?}; the last try: {answered:?}");
            tokio::time::sleep(RETRY).await;
        }
    }
}

impl Seen {
    fn note(&mut self, answered: &anyhow::Result<Answer>, events: u32, waited: Duration) {
        match answered {
            Ok(answer) if (200..300).contains(&answer.status) => {
                self.acknowledged += events;
                self.slowest = self.slowest.max(waited);
            }
            Ok(answer) if answer.status == 503 && answer.retry_after.is_some() => self.refused += 1,
            Ok(answer) => {
                self.odd += 1;
                if self.odd_answers.len() < SHOWN {
                    self.odd_answers.push(format!("{answer:?}"));
                }
            }
            Err(cause) if cause.downcast_ref().is_some_and(reqwest::Error::is_connect) => self.unreached += 1,
            Err(_broken) => self.broken += 1,
        }
    }
}

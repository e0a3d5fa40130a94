//! What requests bring at the same time goes to the bus together: receipts of one tenant in one message.
//!
//! While one round is on its way (most of that is the bus' flush to the disk) the next gathers; nobody waits for company.
//! A request hears once everything it brought is durable.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use domain::id::TenantId;
use event_schema::codec::pack;
use http_kit::problem::ProblemKind;
use ports::bus::{BusError, EventBus, Message, Partition, Topic};
use tokio::sync::oneshot;

/// Rounds on their way at the same time.
const ROUNDS: usize = 2;
/// Receipts that must wait for the second of them: enough to be worth a flush of their own. Else they wait for the first
/// to be over, and have more company.
const WORTH_A_SECOND: usize = 64;
/// Receipts in one round. What a single request brings goes in one, however much it is.
const MAX_RECEIPTS: usize = 1_024;
/// Bytes in one round, likewise.
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// Why nothing can be taken now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Full,
    Unavailable,
}

impl Refusal {
    pub(crate) const fn kind(self) -> ProblemKind {
        match self {
            Self::Full => ProblemKind::BusFull,
            Self::Unavailable => ProblemKind::BusUnavailable,
        }
    }
}

impl From<&BusError> for Refusal {
    fn from(error: &BusError) -> Self {
        match error {
            BusError::Full => Self::Full,
            BusError::Unavailable(_) | BusError::Corrupt(_) => Self::Unavailable,
        }
    }
}

/// Where deliveries wait for their round. Clones are the same press.
#[derive(Clone)]
pub(crate) struct Press(Arc<Shared>);

struct Shared {
    bus: Arc<dyn EventBus>,
    partitions: u16,
    /// Rounds go to the partitions in turn, whatever is in them: a round for each partition of each moment would be a
    /// command for every few receipts, and nobody relies on where a conversation goes.
    turn: AtomicU16,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: Vec<Load>,
    /// Receipts among what waits.
    receipts: usize,
    rounds: usize,
}

impl State {
    /// Whether one more round is worth it, beside those that are on their way.
    fn is_worth_a_round(&self, on_their_way: usize) -> bool {
        match on_their_way {
            0 => !self.waiting.is_empty(),
            some => some < ROUNDS && self.receipts >= WORTH_A_SECOND,
        }
    }
}

/// What one request brings.
struct Load {
    tenant: TenantId,
    deliveries: Vec<Bytes>,
    verdict: oneshot::Sender<Result<(), Refusal>>,
}

impl Press {
    pub(crate) fn new(bus: &Arc<dyn EventBus>, partitions: u16) -> Self {
        let (bus, turn, state) = (bus.clone(), AtomicU16::new(0), Mutex::default());
        Self(Arc::new(Shared { bus, partitions, turn, state }))
    }

    /// Publishes all of a request; returns once it is durable. After a refusal some of it may be on the bus.
    pub(crate) async fn publish(&self, tenant: &TenantId, deliveries: Vec<Bytes>) -> Result<(), Refusal> {
        let (verdict, heard) = oneshot::channel();
        self.bring(Load { tenant: tenant.clone(), deliveries, verdict });
        heard.await.unwrap_or(Err(Refusal::Unavailable))
    }

    /// Waits for a round with the others, or begins one.
    #[expect(
        clippy::disallowed_methods,
        reason = "everybody who waits for a round hears how it ended; the request that begins it may leave before"
    )]
    fn bring(&self, load: Load) {
        let mut state = self.0.state();
        state.receipts += load.deliveries.len();
        state.waiting.push(load);
        if state.is_worth_a_round(state.rounds) {
            state.rounds += 1;
            drop(state);
            drop(tokio::spawn(Turn { shared: self.0.clone(), is_over: false }.run()));
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What goes in the next round of a turn, unless there is none and the turn is over.
    fn next_round(&self) -> Option<Vec<Load>> {
        let mut state = self.state();
        if !state.is_worth_a_round(state.rounds - 1) {
            state.rounds -= 1;
            return None;
        }
        let (mut receipts, mut bytes) = (0, 0);
        let fits = state.waiting.iter().take_while(|load| {
            let is_room = receipts < MAX_RECEIPTS && bytes < MAX_BYTES;
            receipts += load.deliveries.len();
            bytes += load.deliveries.iter().map(Bytes::len).sum::<usize>();
            is_room
        });
        let many = fits.count();
        let round: Vec<_> = state.waiting.drain(..many).collect();
        state.receipts -= round.iter().map(|load| load.deliveries.len()).sum::<usize>();
        Some(round)
    }

    async fn publish(&self, round: &mut [Load]) -> Result<(), Refusal> {
        let partition = Partition::from_index(self.turn.fetch_add(1, Ordering::Relaxed) % self.partitions);
        let published = self.bus.publish(Topic::Raw, messages(partition, round)).await;
        published.map_err(|error| {
            let refusal = Refusal::from(&error);
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, requests = round.len(), "failed to publish");
            refusal
        })
    }
}

/// The right to publish rounds, given back however it ends.
struct Turn {
    shared: Arc<Shared>,
    is_over: bool,
}

impl Turn {
    async fn run(mut self) {
        while let Some(mut round) = self.shared.next_round() {
            let verdict = self.shared.publish(&mut round).await;
            for load in round {
                // To a request that was given up meanwhile it is all the same.
                load.verdict.send(verdict).ok();
            }
        }
        self.is_over = true;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        // It broke off. Whoever still waits hears of that rather than wait for a round nobody begins.
        let mut state = self.shared.state();
        state.rounds -= 1;
        if state.rounds == 0 {
            state.waiting.clear();
            state.receipts = 0;
        }
    }
}

/// The messages of a round: what one tenant brought, in its order, in as few as fit.
fn messages(partition: Partition, round: &mut [Load]) -> Vec<Message> {
    let mut tenants: Vec<(TenantId, Vec<Bytes>)> = Vec::new();
    for load in round {
        let deliveries = std::mem::take(&mut load.deliveries);
        match tenants.iter_mut().find(|(tenant, _)| *tenant == load.tenant) {
            Some((_, brought)) => brought.extend(deliveries),
            None => tenants.push((load.tenant.clone(), deliveries)),
        }
    }
    let packed = tenants.into_iter().flat_map(|(tenant, deliveries)| {
        pack::runs(deliveries).into_iter().map(move |run| (tenant.clone(), run))
    });
    let message = |(tenant, run): (TenantId, Vec<Bytes>)| {
        let receipts = run.len();
        Message::new(tenant, partition, pack::join(run)).with_receipts(receipts)
    };
    packed.map(message).collect()
}

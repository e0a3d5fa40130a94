//! What requests bring at the same time goes to the bus together: receipts of one tenant and partition in one message.
//!
//! While one round of a partition is on its way (most of that is the bus' flush to the disk) the next gathers; nobody
//! waits for company. A request hears once everything it brought is durable.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use domain::id::TenantId;
use event_schema::codec::pack;
use futures_util::future::join_all;
use http_kit::problem::ProblemKind;
use ports::bus::{BusError, EventBus, Message, Partition, Topic};
use tokio::sync::oneshot;

/// Rounds of one partition on their way at the same time: a second one, so that neither side waits for the other.
const ROUNDS: usize = 2;
/// Receipts in one round. What a single request brings goes in one, however much it is.
const MAX_RECEIPTS: usize = 1_024;
/// Bytes in one round, likewise.
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// A sealed delivery, encoded, and where it goes.
pub(crate) struct Sealed {
    pub(crate) partition: Partition,
    pub(crate) delivery: Bytes,
}

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

/// Where deliveries wait for their round.
pub(crate) struct Press {
    lanes: Vec<Arc<Lane>>,
}

struct Lane {
    bus: Arc<dyn EventBus>,
    partition: Partition,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: Vec<Load>,
    rounds: usize,
}

/// What one request brings to one partition.
struct Load {
    tenant: TenantId,
    deliveries: Vec<Bytes>,
    verdict: oneshot::Sender<Result<(), Refusal>>,
}

impl Press {
    pub(crate) fn new(bus: &Arc<dyn EventBus>, partitions: u16) -> Self {
        let lane = |index| Lane {
            bus: bus.clone(),
            partition: Partition::from_index(index),
            state: Mutex::default(),
        };
        Self { lanes: (0..partitions).map(|index| Arc::new(lane(index))).collect() }
    }

    /// Publishes all of a request; returns once it is durable. After a refusal some of it may be on the bus.
    pub(crate) async fn publish(&self, tenant: &TenantId, sealed: Vec<Sealed>) -> Result<(), Refusal> {
        let mut by_lane: Vec<Vec<Bytes>> = vec![Vec::new(); self.lanes.len()];
        for Sealed { partition, delivery } in sealed {
            by_lane.get_mut(usize::from(partition.index())).ok_or(Refusal::Unavailable)?.push(delivery);
        }
        let brought = self.lanes.iter().zip(by_lane).filter(|(_, deliveries)| !deliveries.is_empty());
        let heard = brought.map(|(lane, deliveries)| lane.bring(tenant.clone(), deliveries));
        let mut published = Ok(());
        for verdict in join_all(heard.collect::<Vec<_>>()).await {
            match verdict.unwrap_or(Err(Refusal::Unavailable)) {
                // What is known of both: an answer that is missing may yet be a yes.
                Err(Refusal::Unavailable) => return Err(Refusal::Unavailable),
                Err(Refusal::Full) => published = Err(Refusal::Full),
                Ok(()) => {}
            }
        }
        published
    }
}

impl Lane {
    /// Waits for a round with the others, or begins one.
    #[expect(
        clippy::disallowed_methods,
        reason = "everybody who waits for a round hears how it ended; the request that begins it may leave before"
    )]
    fn bring(
        self: &Arc<Self>,
        tenant: TenantId,
        deliveries: Vec<Bytes>,
    ) -> oneshot::Receiver<Result<(), Refusal>> {
        let (verdict, heard) = oneshot::channel();
        let mut state = self.state();
        state.waiting.push(Load { tenant, deliveries, verdict });
        if state.rounds < ROUNDS {
            state.rounds += 1;
            drop(state);
            drop(tokio::spawn(Turn { lane: self.clone(), is_over: false }.run()));
        }
        heard
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What goes in the next round; without anything there is none, and the turn is over.
    fn next_round(&self) -> Option<Vec<Load>> {
        let mut state = self.state();
        if state.waiting.is_empty() {
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
        Some(state.waiting.drain(..many).collect())
    }

    async fn publish(&self, round: &mut [Load]) -> Result<(), Refusal> {
        let published = self.bus.publish(Topic::Raw, messages(self.partition, round)).await;
        published.map_err(|error| {
            let refusal = Refusal::from(&error);
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, requests = round.len(), "failed to publish");
            refusal
        })
    }
}

/// The right to publish rounds of a lane, given back however it ends.
struct Turn {
    lane: Arc<Lane>,
    is_over: bool,
}

impl Turn {
    async fn run(mut self) {
        while let Some(mut round) = self.lane.next_round() {
            let verdict = self.lane.publish(&mut round).await;
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
        let mut state = self.lane.state();
        state.rounds -= 1;
        if state.rounds == 0 {
            state.waiting.clear();
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

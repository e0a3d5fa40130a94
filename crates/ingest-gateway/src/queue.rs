//! A queue as a door: the letters of a customer's own broker, on the way requests go.
//!
//! The operator binds a queue to a source ([`Binding`]); from there on a letter is judged as a request of that source
//! would be, by the same limits and with the same verdicts, and acknowledged once what it brought is durable on the bus.
//! A process that dies in between finds the letter again, and event ids make the second acceptance a duplicate.
//!
//! What HTTP answers with "later" is waited for here: a source that sends too fast slows its queue down, a bus that takes
//! nothing stops it, a source that is revoked closes it. What HTTP refuses is answered where an answer is waited for;
//! else it goes to quarantine with the reason, and off the queue, or it would come round and round.

mod in_hand;
mod letter;
mod metrics;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::id::SourceId;
use domain::registry::Source;
use ports::queue::{Letter, QueueDoor};
use tokio_util::sync::CancellationToken;

use crate::Door;
use crate::publish;
use in_hand::{InHand, Portion};
use letter::{Judged, NotNow, Piece};
pub use metrics::QueueMetrics;
use metrics::{Counts, Outcome, Why};

/// How long a queue is listened at for the first letter: as long as it may take to notice that the process stops.
const LISTEN: Duration = Duration::from_millis(500);
/// The pause after the first failure of a broker; doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How often a source that is not there is looked for.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Whose letters come out of a queue.
#[derive(Clone, Debug)]
pub struct Binding {
    /// The queue's name in the settings, for logs and metrics.
    pub name: String,
    /// The source they are of.
    pub source: SourceId,
    /// Whether each letter must carry the proof its source has over HTTP. A messenger's always must.
    pub signed: bool,
    /// How long we may be silent about what we hold.
    pub hold_for: Duration,
}

/// A queue that is taken from.
pub struct Queue {
    binding: Binding,
    letters: Arc<dyn QueueDoor>,
    door: Arc<Door>,
    counts: Counts,
    leaving: CancellationToken,
}

/// What the log was told last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Beginning,
    Open,
    Away,
    NoSource,
}

/// Why what is in hand goes back.
#[derive(Debug)]
enum Stop {
    /// The process does.
    Leaving,
    /// The source was revoked while its letters waited: the queue is about to be closed.
    Revoked,
}

impl Queue {
    /// Nothing is taken before [`Self::run`].
    #[must_use]
    pub fn new(
        binding: Binding,
        letters: Arc<dyn QueueDoor>,
        door: Arc<Door>,
        metrics: &QueueMetrics,
        leaving: CancellationToken,
    ) -> Self {
        let counts = metrics.of(&binding.name);
        Self { binding, letters, door, counts, leaving }
    }

    /// Takes letters until the process leaves; then finishes what is being published and gives the rest back.
    pub async fn run(self) {
        let mut state = State::Beginning;
        let mut pause = FIRST_PAUSE;
        while !self.leaving.is_cancelled() {
            let Some(source) = self.door.gateway.keyring.find_source(&self.binding.source).await else {
                self.without_source(&mut state).await;
                continue;
            };
            match self.letters.receive(LISTEN).await {
                Ok(letters) => {
                    self.turn(&mut state, State::Open);
                    pause = FIRST_PAUSE;
                    if matches!(self.take(source, letters).await, Err(Stop::Leaving)) {
                        break;
                    }
                }
                Err(cause) => {
                    if self.turn(&mut state, State::Away) {
                        let error: &dyn std::error::Error = &cause;
                        tracing::warn!(error, queue = self.binding.name, "nothing can be taken from a queue");
                    }
                    drop(self.wait(Why::Broker, pause, &mut InHand::default()).await);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
        self.letters.close().await;
        self.counts.connected(false);
    }

    /// Nothing is held meanwhile: another gateway may know the source, or somebody else read the queue.
    async fn without_source(&self, state: &mut State) {
        if self.turn(state, State::NoSource) {
            let (queue, source) = (&self.binding.name, self.binding.source.as_str());
            tracing::warn!(queue, source.id = source, "the source of a queue is unknown or revoked");
            self.letters.close().await;
        }
        drop(self.wait(Why::Source, LOOK_AGAIN, &mut InHand::default()).await);
    }

    /// Whether it was another state before.
    fn turn(&self, state: &mut State, now: State) -> bool {
        let before = std::mem::replace(state, now);
        if before != now {
            self.counts.connected(now == State::Open);
            if now == State::Open {
                tracing::info!(queue = self.binding.name, "letters are taken from a queue");
            }
        }
        before != now
    }

    /// Judges letters, and takes them off the queue portion by portion.
    async fn take(&self, mut source: Arc<Source>, letters: Vec<Letter>) -> Result<(), Stop> {
        let mut in_hand = InHand::of(&letters);
        let mut portion = Portion::default();
        for letter in letters {
            let judged = loop {
                match letter::judge(&self.door, &source, self.binding.signed, &letter).await {
                    Ok(judged) => break judged,
                    Err(NotNow) => {
                        let later = self.door.gateway.config.retry_after;
                        source =
                            self.pause(Why::Registry, later, &source, &mut portion, &mut in_hand).await?;
                    }
                }
            };
            while let Err(wait) = self.door.limits.admit_whole(&source, judged.events()) {
                source = self.pause(Why::Rate, wait, &source, &mut portion, &mut in_hand).await?;
            }
            portion.add(judged);
            if portion.is_full() {
                self.finish(&source, std::mem::take(&mut portion), &mut in_hand).await?;
            }
        }
        self.finish(&source, portion, &mut in_hand).await
    }

    /// Waits with a letter that cannot go on yet; those that were let in need not wait with it. Gives the source as it
    /// is then.
    async fn pause(
        &self,
        why: Why,
        wait: Duration,
        source: &Source,
        portion: &mut Portion,
        in_hand: &mut InHand,
    ) -> Result<Arc<Source>, Stop> {
        self.finish(source, std::mem::take(portion), in_hand).await?;
        self.wait(why, wait, in_hand).await?;
        self.door.gateway.keyring.source(&source.id).ok_or(Stop::Revoked)
    }

    /// Makes durable what a portion brought, answers, and acknowledges.
    async fn finish(&self, source: &Source, portion: Portion, in_hand: &mut InHand) -> Result<(), Stop> {
        let Portion { judged, .. } = portion;
        let at_once = judged.iter().flat_map(|judged| {
            let kept = judged.refused().filter(|_| !judged.is_awaited());
            judged.taken().chain(kept)
        });
        self.make_durable(source, at_once.collect(), in_hand).await?;

        let mut outcomes = Vec::with_capacity(judged.len());
        for judged in &judged {
            outcomes.push((judged, self.tell(judged).await));
        }
        let nobody_told = outcomes.iter().filter(|(judged, outcome)| {
            judged.is_awaited() && matches!(outcome, Some(Outcome::Quarantined | Outcome::Part))
        });
        let late = nobody_told.flat_map(|(judged, _)| judged.refused());
        self.make_durable(source, late.collect(), in_hand).await?;

        // A letter whose answer broke off with the connection comes again.
        let done: Vec<_> =
            outcomes.iter().filter_map(|(judged, outcome)| Some((*judged, outcome.as_ref()?))).collect();
        let tags: Vec<_> = done.iter().map(|(judged, _)| judged.tag().clone()).collect();
        if let Err(cause) = self.letters.acknowledge(&tags).await {
            // They come again, too, and are known by their ids then.
            let error: &dyn std::error::Error = &cause;
            tracing::warn!(error, queue = self.binding.name, "failed to acknowledge what is durable");
        }
        for (judged, outcome) in done {
            self.counts.letter(*outcome);
            judged.count(&self.door.gateway, source);
        }
        in_hand.strike(&tags);
        Ok(())
    }

    /// Answers, where an answer is waited for; says what became of the letter. `None` when nobody can know.
    async fn tell(&self, judged: &Judged) -> Option<Outcome> {
        let unheard = judged.outcome();
        let Some(to) = judged.reply_to() else { return Some(unheard) };
        match self.letters.answer(to, judged.answer()).await {
            Ok(true) => Some(if unheard == Outcome::Taken { unheard } else { Outcome::Told }),
            Ok(false) => Some(unheard),
            Err(cause) => {
                let error: &dyn std::error::Error = &cause;
                tracing::warn!(error, queue = self.binding.name, "failed to answer a letter");
                None
            }
        }
    }

    /// Publishes until the bus takes it. Each try has receipts of its own: a try that failed may have arrived.
    async fn make_durable(
        &self,
        source: &Source,
        pieces: Vec<&Piece>,
        in_hand: &mut InHand,
    ) -> Result<(), Stop> {
        if pieces.is_empty() {
            return Ok(());
        }
        let gateway = &self.door.gateway;
        let keys = gateway.vault.tenant(&source.tenant);
        loop {
            let now = gateway.clock.now();
            let seal = |piece: &&Piece| publish::seal_material(source, &keys, now, &piece.material());
            let sealed: Vec<Bytes> = pieces.iter().map(seal).collect();
            // Refused, it was logged where it failed.
            if self.door.press.publish(&source.tenant, sealed).await.is_ok() {
                return Ok(());
            }
            self.wait(Why::Bus, gateway.config.retry_after, in_hand).await?;
        }
    }

    /// Waits, and says now and then that what is in hand still is.
    async fn wait(&self, why: Why, duration: Duration, in_hand: &mut InHand) -> Result<(), Stop> {
        self.counts.waits(why);
        let until = tokio::time::Instant::now() + duration;
        loop {
            let next_word = in_hand.next_word(self.binding.hold_for).unwrap_or(until);
            tokio::select! {
                () = self.leaving.cancelled() => return Err(Stop::Leaving),
                () = tokio::time::sleep_until(until.min(next_word)) => {}
            }
            if tokio::time::Instant::now() >= until {
                return Ok(());
            }
            if let Err(cause) = self.letters.hold(in_hand.word()).await {
                let error: &dyn std::error::Error = &cause;
                tracing::debug!(error, queue = self.binding.name, "failed to hold letters");
            }
        }
    }
}

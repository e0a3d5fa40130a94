//! Where the next claim of a group looks: in partitions that were said to have something, and now and then in all.
//!
//! A claim is a command for each partition it looks into. Most of the time most partitions have nothing, and whoever has
//! published, settled or given back said where there is something ([`crate::wake`]).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use ports::bus::{EXPIRY_NOTICED_WITHIN, Group, Topic};
use tokio::time::Instant;

use crate::keys::number;

/// What there is to find in a partition, as far as is known. The greater covers the lesser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Hint {
    /// New messages, the largest of so many bytes, and nothing else.
    New { largest: usize },
    /// Something that was handed out before, or nobody knows what.
    Anything,
}

impl Hint {
    /// As a mark, which is greater where the hint is, and more than [`UNMARKED`].
    fn to_mark(self) -> usize {
        match self {
            Self::New { largest } => largest.clamp(1, usize::MAX - 1),
            Self::Anything => usize::MAX,
        }
    }

    fn from_mark(mark: usize) -> Option<Self> {
        match mark {
            UNMARKED => None,
            usize::MAX => Some(Self::Anything),
            largest => Some(Self::New { largest }),
        }
    }
}

/// The mark of a partition that has nothing.
const UNMARKED: usize = 0;

/// The rounds of every group of every topic, as far as this process takes part in them.
pub(crate) struct Rounds(Vec<Round>);

impl Rounds {
    pub(crate) fn new(partitions: usize) -> Self {
        Self((0..Topic::ALL.len() * Group::ALL.len()).map(|_| Round::new(partitions)).collect())
    }

    pub(crate) fn of(&self, topic: Topic, group: Group) -> Option<&Round> {
        let of_group = Group::ALL.iter().position(|known| *known == group)?;
        self.0.get((number(topic) - 1) * Group::ALL.len() + of_group)
    }

    /// Every group of a topic is to look into a partition.
    pub(crate) fn mark(&self, topic: Topic, partition: usize, hint: Hint) {
        for group in Group::ALL {
            if let Some(round) = self.of(topic, group) {
                round.mark(partition, hint);
            }
        }
    }

    /// Every group of a topic is to look everywhere.
    pub(crate) fn mark_all(&self, topic: Topic) {
        Group::ALL.into_iter().filter_map(|group| self.of(topic, group)).for_each(Round::mark_all);
    }
}

/// The round of one group of one topic.
pub(crate) struct Round {
    marks: Vec<AtomicUsize>,
    /// Where the next claim begins, so that no partition is always the last.
    first: AtomicUsize,
    looked_everywhere: Mutex<Option<Instant>>,
}

impl Round {
    fn new(partitions: usize) -> Self {
        let marks = (0..partitions).map(|_| AtomicUsize::new(UNMARKED)).collect();
        Self { marks, first: AtomicUsize::new(0), looked_everywhere: Mutex::new(None) }
    }

    /// Where to look, and for what. A mark goes as its partition comes; whoever finds that there is more there marks it
    /// again. Marks decide nothing for who looks everywhere: another may just have taken them.
    pub(crate) fn look(&self, everywhere: bool) -> impl Iterator<Item = (usize, Hint)> {
        let everywhere = self.is_time_to_look_everywhere() || everywhere;
        let partitions = self.marks.len();
        let first = self.first.fetch_add(1, Ordering::Relaxed) % partitions.max(1);
        let hinted = move |partition: usize| {
            let mark = self.marks.get(partition)?.swap(UNMARKED, Ordering::AcqRel);
            let hint = if everywhere { Some(Hint::Anything) } else { Hint::from_mark(mark) };
            Some((partition, hint?))
        };
        (first..partitions).chain(0..first).filter_map(hinted)
    }

    pub(crate) fn mark(&self, partition: usize, hint: Hint) {
        if let Some(mark) = self.marks.get(partition) {
            mark.fetch_max(hint.to_mark(), Ordering::AcqRel);
        }
    }

    fn mark_all(&self) {
        (0..self.marks.len()).for_each(|partition| self.mark(partition, Hint::Anything));
    }

    /// So that what expires is noticed in time, and what was said on a line that broke just then.
    fn is_time_to_look_everywhere(&self) -> bool {
        let mut looked = self.looked_everywhere.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = looked.is_none_or(|at| at.elapsed() >= EXPIRY_NOTICED_WITHIN);
        if is_time {
            *looked = Some(Instant::now());
        }
        is_time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Hint = Hint::New { largest: 600 };
    const LARGE: Hint = Hint::New { largest: 1_000_000 };

    fn seen(round: &Round) -> Vec<(usize, Hint)> {
        let mut seen: Vec<_> = round.look(false).collect();
        seen.sort_unstable();
        seen
    }

    fn everything(partitions: usize) -> Vec<(usize, Hint)> {
        (0..partitions).map(|partition| (partition, Hint::Anything)).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_claim_looks_where_there_was_said_to_be_something_and_everywhere_now_and_then() {
        let rounds = Rounds::new(3);
        let round = rounds.of(Topic::Events, Group::Ledger).unwrap();
        assert_eq!(seen(round), everything(3), "nobody was told what came before");
        assert!(seen(round).is_empty());
        rounds.mark(Topic::Events, 1, SMALL);
        rounds.mark(Topic::Raw, 2, SMALL);
        assert_eq!(seen(round), [(1, SMALL)]);
        tokio::time::advance(EXPIRY_NOTICED_WITHIN).await;
        assert_eq!(seen(round), everything(3));
        assert_eq!(round.look(true).collect::<Vec<_>>().len(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_claim_has_no_room_for_stays_marked_and_no_partition_is_always_the_first() {
        let rounds = Rounds::new(3);
        let round = rounds.of(Topic::Raw, Group::Normalizer).unwrap();
        let firsts: Vec<_> = (0..3).filter_map(|_| round.look(true).next()).collect();
        assert_eq!(firsts, everything(3));
        (0..3).for_each(|partition| round.mark(partition, SMALL));
        assert_eq!(round.look(false).next(), Some((0, SMALL)));
        assert_eq!(seen(round), [(1, SMALL), (2, SMALL)], "a mark goes as its partition comes, and no other");
    }

    #[tokio::test(start_paused = true)]
    async fn of_two_hints_the_one_that_covers_the_other_stays() {
        let rounds = Rounds::new(1);
        let round = rounds.of(Topic::Raw, Group::Normalizer).unwrap();
        round.look(true).for_each(drop);
        for (hints, told) in [([LARGE, SMALL], LARGE), ([SMALL, Hint::Anything], Hint::Anything)] {
            hints.into_iter().for_each(|hint| round.mark(0, hint));
            assert_eq!(seen(round), [(0, told)]);
        }
        round.mark(0, Hint::New { largest: 0 });
        assert_eq!(seen(round), [(0, Hint::New { largest: 1 })], "a message without content is one, too");
    }
}

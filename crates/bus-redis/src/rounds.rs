//! Where the next claim of a group looks: in partitions that were said to have something, and now and then in all.
//!
//! A claim is a command for each partition it looks into. Most of the time most partitions have nothing, and whoever has
//! published or settled said where there is something ([`crate::wake`]).

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ports::bus::{Group, Topic};
use tokio::time::Instant;

use crate::keys::number;

/// How long a group relies on being told before it looks everywhere by itself: for claims that expire, and for a word
/// that was lost with its connection.
pub(crate) const LOOK_EVERYWHERE: Duration = Duration::from_millis(500);

/// Messages asked for on a guess, at the most: for the guess may be wrong.
const MOST_GUESSED: usize = 32;

/// How large messages are taken to be before any was seen.
const UNKNOWN: usize = 256 * 1024;

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
    pub(crate) fn mark(&self, topic: Topic, partition: usize) {
        for group in Group::ALL {
            if let Some(round) = self.of(topic, group) {
                round.mark(partition);
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
    marks: Vec<AtomicBool>,
    /// Where the next claim begins, so that no partition is always the last.
    first: AtomicUsize,
    looked_everywhere: Mutex<Option<Instant>>,
    /// Bytes of the larger messages of late.
    usual: AtomicUsize,
}

impl Round {
    fn new(partitions: usize) -> Self {
        let marks = (0..partitions).map(|_| AtomicBool::new(false)).collect();
        let usual = AtomicUsize::new(UNKNOWN);
        Self { marks, first: AtomicUsize::new(0), looked_everywhere: Mutex::new(None), usual }
    }

    /// Where to look, and whether that is everywhere. A mark goes as its partition comes; whoever finds that there is
    /// more there marks it again. Marks decide nothing for who looks everywhere: another may just have taken them.
    pub(crate) fn look(&self, everywhere: bool) -> (bool, impl Iterator<Item = usize>) {
        let everywhere = self.is_time_to_look_everywhere() || everywhere;
        if everywhere {
            self.mark_all();
        }
        let partitions = self.marks.len();
        let first = self.first.fetch_add(1, Ordering::Relaxed) % partitions.max(1);
        let marked = move |partition: &usize| {
            self.marks.get(*partition).is_some_and(|mark| mark.swap(false, Ordering::AcqRel) || everywhere)
        };
        (everywhere, (first..partitions).chain(0..first).filter(marked))
    }

    /// How many messages to ask for where their sizes are not known before they are there: as many as there is room for
    /// if they are no larger than those of late. None, if there is no room even for one.
    pub(crate) fn guess(&self, room: usize) -> usize {
        let usual = self.usual.load(Ordering::Relaxed).max(1);
        (room / usual).min(MOST_GUESSED)
    }

    /// Remembers how large the messages of a claim were. Forgets large ones slowly.
    pub(crate) fn remember(&self, largest: usize) {
        let usual = self.usual.load(Ordering::Relaxed);
        self.usual.store(largest.max(usual - usual / 8), Ordering::Relaxed);
    }

    pub(crate) fn mark(&self, partition: usize) {
        if let Some(mark) = self.marks.get(partition) {
            mark.store(true, Ordering::Release);
        }
    }

    fn mark_all(&self) {
        self.marks.iter().for_each(|mark| mark.store(true, Ordering::Release));
    }

    fn is_time_to_look_everywhere(&self) -> bool {
        let mut looked = self.looked_everywhere.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = looked.is_none_or(|at| at.elapsed() >= LOOK_EVERYWHERE);
        if is_time {
            *looked = Some(Instant::now());
        }
        is_time
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(round: &Round) -> Vec<usize> {
        let mut seen: Vec<_> = round.look(false).1.collect();
        seen.sort_unstable();
        seen
    }

    #[tokio::test(start_paused = true)]
    async fn a_claim_looks_where_there_was_said_to_be_something_and_everywhere_now_and_then() {
        let rounds = Rounds::new(3);
        let round = rounds.of(Topic::Events, Group::Ledger).unwrap();
        assert_eq!(seen(round), [0, 1, 2], "nobody was told what came before");
        assert!(seen(round).is_empty());
        rounds.mark(Topic::Events, 1);
        rounds.mark(Topic::Raw, 2);
        assert_eq!(seen(round), [1]);
        tokio::time::advance(LOOK_EVERYWHERE).await;
        assert_eq!(seen(round), [0, 1, 2]);
        assert_eq!(round.look(true).1.count(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_claim_has_no_room_for_stays_marked_and_no_partition_is_always_the_first() {
        let rounds = Rounds::new(3);
        let round = rounds.of(Topic::Raw, Group::Normalizer).unwrap();
        let firsts: Vec<_> = (0..3).filter_map(|_| round.look(true).1.next()).collect();
        assert_eq!(firsts, [0, 1, 2]);
        assert_eq!(seen(round), [0, 1], "the last claim took the mark of what it looked into, and no other");
    }

    #[test]
    fn small_messages_are_asked_for_by_the_dozen_and_large_ones_are_forgotten_slowly() {
        let round = Round::new(1);
        assert_eq!(round.guess(4 * UNKNOWN), 4, "nothing is known yet");
        (0..80).for_each(|_| round.remember(1_000));
        assert_eq!([4 * UNKNOWN, 2_500, 1].map(|room| round.guess(room)), [MOST_GUESSED, 2, 0]);
        round.remember(UNKNOWN);
        round.remember(1_000);
        assert_eq!(round.guess(4 * UNKNOWN), 4);
    }
}

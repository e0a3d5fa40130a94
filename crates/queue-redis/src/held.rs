//! Which letters this door holds.

use std::collections::HashSet;
use std::num::NonZeroU16;

use ports::queue::{Letter, LetterTag};

/// The ids of entries that were handed out and are not acknowledged.
#[derive(Debug)]
pub(crate) struct Held {
    most: usize,
    ids: HashSet<String>,
}

impl Held {
    pub(crate) fn of(most: NonZeroU16) -> Self {
        Self { most: usize::from(most.get()), ids: HashSet::new() }
    }

    /// How many more may be held.
    pub(crate) fn free(&self) -> usize {
        self.most.saturating_sub(self.ids.len())
    }

    /// Takes letters in. One that is held already is in somebody's hand, and not handed out again.
    pub(crate) fn take(&mut self, letters: Vec<Letter>) -> Vec<Letter> {
        letters.into_iter().filter(|letter| self.ids.insert(letter.tag.0.clone())).collect()
    }

    /// Those that are held.
    pub(crate) fn among(&self, tags: &[LetterTag]) -> Vec<String> {
        let held = tags.iter().filter(|tag| self.ids.contains(&tag.0));
        held.map(|tag| tag.0.clone()).collect()
    }

    /// Strikes letters out; gives those that were held.
    pub(crate) fn strike(&mut self, tags: &[LetterTag]) -> Vec<String> {
        tags.iter().filter_map(|tag| self.ids.take(&tag.0)).collect()
    }

    pub(crate) fn strike_all(&mut self) -> Vec<String> {
        self.ids.drain().collect()
    }
}

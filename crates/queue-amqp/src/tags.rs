//! Which letters are in hand, and how to name many of them at once.

use std::collections::BTreeSet;

use ports::queue::LetterTag;

/// How to say that letters are done with.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Done {
    /// Everything up to here.
    pub(crate) up_to: Option<u64>,
    /// And these.
    pub(crate) besides: Vec<u64>,
}

/// The letters of one session that are not acknowledged.
#[derive(Debug, Default)]
pub(crate) struct InHand(BTreeSet<u64>);

impl InHand {
    pub(crate) fn take(&mut self, number: u64) {
        self.0.insert(number);
    }

    /// Strikes letters out. Nearly always they are the oldest in hand, and the broker is told in one word.
    pub(crate) fn strike(&mut self, numbers: &[u64]) -> Done {
        let mut struck: BTreeSet<u64> =
            numbers.iter().copied().filter(|number| self.0.remove(number)).collect();
        let besides = match self.0.first() {
            None => BTreeSet::new(),
            Some(oldest_left) => struck.split_off(oldest_left),
        };
        Done { up_to: struck.last().copied(), besides: besides.into_iter().collect() }
    }
}

/// A tag names the session and the letter in it.
pub(crate) fn tag(session: u64, number: u64) -> LetterTag {
    LetterTag(format!("{session}-{number}"))
}

/// The numbers of those that belong to a session.
pub(crate) fn numbers(session: u64, tags: &[LetterTag]) -> Vec<u64> {
    let number = |tag: &LetterTag| {
        let (of, number) = tag.0.split_once('-')?;
        number.parse().ok().filter(|_| of.parse() == Ok(session))
    };
    tags.iter().filter_map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_hand(numbers: impl IntoIterator<Item = u64>) -> InHand {
        InHand(numbers.into_iter().collect())
    }

    #[test]
    fn the_oldest_are_named_by_the_last_of_them_and_others_one_by_one() {
        let mut all = in_hand(1..=6);
        assert_eq!(all.strike(&[1, 2, 5]), Done { up_to: Some(2), besides: vec![5] });
        assert_eq!(all.strike(&[6, 3, 4]), Done { up_to: Some(6), besides: vec![] });
        assert_eq!(in_hand(1..=3).strike(&[2, 3]), Done { up_to: None, besides: vec![2, 3] });
    }

    #[test]
    fn what_is_not_in_hand_is_not_named() {
        let mut some = in_hand([4]);
        assert_eq!(some.strike(&[1, 9]), Done { up_to: None, besides: vec![] });
        assert_eq!(some.strike(&[4, 4]), Done { up_to: Some(4), besides: vec![] });
        assert_eq!(some.strike(&[4]), Done { up_to: None, besides: vec![] });
    }

    #[test]
    fn tags_of_another_session_and_of_nobody_are_passed_over() {
        let tags = [tag(1, 7), tag(2, 8), LetterTag("of nobody".to_owned()), tag(2, 9)];
        assert_eq!(numbers(2, &tags), [8, 9]);
    }
}

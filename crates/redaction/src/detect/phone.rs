//! Telephone numbers: in digits with whatever between them, in words, digit by digit, and all of it mixed.

use std::ops::Range;

use super::{Claim, View};
use crate::Kind;
use crate::lexicon::Flags;
use crate::number::Spoken;
use crate::token::{Script, Shape};

/// E.164 has fifteen digits at most.
const MOST_DIGITS: usize = 15;
/// Brackets and strokes between two groups, or "эээ, ну".
const WIDEST_GAP: usize = 3;
const NEAR: usize = 5;

/// How many digits a number has after `+` with this country code, where that is fixed.
const COUNTRIES: &[(&[u8], usize)] = &[
    (&[7], 11),
    (&[1], 11),
    (&[3, 7, 5], 12),
    (&[3, 8, 0], 12),
    (&[9, 9, 8], 12),
    (&[9, 9, 6], 12),
    (&[9, 9, 2], 12),
    (&[9, 9, 3], 11),
    (&[9, 9, 4], 12),
    (&[9, 9, 5], 12),
    (&[3, 7, 4], 11),
    (&[3, 7, 3], 11),
    (&[9, 0], 12),
    (&[9, 7, 1], 12),
    (&[4, 4], 12),
    (&[8, 6], 13),
    (&[3, 3], 11),
    (&[3, 4], 11),
    (&[4, 8], 11),
    (&[9, 1], 12),
    (&[6, 6], 11),
    (&[8, 2], 12),
    (&[3, 5, 7], 11),
];

pub(super) fn detect(view: View<'_>) -> Vec<Claim> {
    let mut claims = Vec::new();
    let mut at = 0;
    while let Some(next) = view.next(at, |token| {
        token.is_digits()
            || token.is(Flags::COUNTS | Flags::PLUS)
            || matches!(token.shape, Shape::Mark('+' | '('))
    }) {
        match phone(&view, next) {
            Some(tokens) => {
                at = tokens.end;
                claims.push(Claim { kind: Kind::Phone, tokens });
            }
            None => at = next + 1,
        }
    }
    claims
}

fn phone(view: &View<'_>, at: usize) -> Option<Range<usize>> {
    let first = view.get(at)?;
    let has_plus = first.is_mark('+') || (first.is(Flags::PLUS) && !view.is_glued(at + 1));
    let in_brackets = first.is_mark('(') && view.is_digits(at + 1);
    if !(has_plus || in_brackets || first.is_digits() || first.entry.number().is_some()) {
        return None;
    }
    if is_tail(view, at) || !(has_plus || in_brackets || goes_on(view, at)) {
        return None;
    }
    let mut number = Number::read(view, at + usize::from(has_plus));
    number.starts_in_brackets = in_brackets;
    let is_called_so = view.any_before(at, NEAR, Flags::PHONE | Flags::NUMBER);
    let is_of_an_order = view.is_of_an_order(at);
    let fits = |groups: usize| {
        if has_plus {
            number.is_with_plus(groups)
        } else {
            !is_of_an_order && number.is_phone(groups, is_called_so)
        }
    };
    // The longest: a number of the town is the head of many a longer one.
    let groups = (1..=number.count).rev().find(|groups| number.may_end_at(view, *groups) && fits(*groups))?;
    Some(at..number.groups[groups - 1].end)
}

/// Whether there are digits enough, or something behind them that may lead to more: most numbers are prices and times.
fn goes_on(view: &View<'_>, at: usize) -> bool {
    let token = &view.tokens[at];
    if token.is_digits() && token.len() > 5 {
        return true;
    }
    view.get(at + 1).is_some_and(|next| match next.shape {
        Shape::Digits => true,
        Shape::Mark(mark) => !matches!(mark, ':' | '%' | '!' | '?' | ';' | '₽') && at + 2 < view.tokens.len(),
        Shape::Word(..) => next.is(Flags::COUNTS | Flags::FILLER),
        Shape::Found => false,
    })
}

/// The tail of a word, of a longer number, of a sum.
fn is_tail(view: &View<'_>, at: usize) -> bool {
    let Some(before) = at.checked_sub(1).filter(|_| view.is_digits(at) && view.is_glued(at)) else {
        return false;
    };
    let is_told = view.is(before, Flags::PHONE) || before > 0 && view.is(before - 1, Flags::PHONE);
    !is_told
        && matches!(
            view.tokens[before].shape,
            Shape::Word(..) | Shape::Mark('.' | ',' | '/' | ':' | '=' | '#')
        )
}

/// A group of digits that stand together, or one number in words.
#[derive(Clone, Copy, Default)]
struct Group {
    length: usize,
    /// Where it ends, in tokens.
    end: usize,
    in_words: bool,
    /// Written with a bracket or a stroke before it.
    joined: bool,
}

struct Number {
    digits: [u8; MOST_DIGITS],
    total: usize,
    groups: [Group; MOST_DIGITS],
    count: usize,
    starts_in_brackets: bool,
}

impl Number {
    fn read(view: &View<'_>, start: usize) -> Self {
        let mut number = Self {
            digits: [0; MOST_DIGITS],
            total: 0,
            groups: [Group::default(); MOST_DIGITS],
            count: 0,
            starts_in_brackets: false,
        };
        let mut at = start;
        if view.is_mark(at, '(') {
            at += 1;
        }
        while number.count < MOST_DIGITS {
            let Some(token) = view.get(at) else { break };
            let joined = number.count > 0 && !view.tokens[at - 1].is_digits() && !view.is_word(at - 1);
            let spoken = crate::date::spoken_number(view, at);
            let pushed = if token.is_digits() {
                at += 1;
                number.push(view.word(at - 1).bytes().map(|digit| digit - b'0'), at, false, joined)
            } else if let Some(spoken) = spoken {
                let (digits, tokens) = completed(view, at, spoken);
                at += tokens;
                number.push(digits.iter().copied(), at, true, false)
            } else {
                false
            };
            if !pushed {
                break;
            }
            match number.after_gap(view, at) {
                Some(next) => at = next,
                None => break,
            }
        }
        number
    }

    fn push(
        &mut self,
        digits: impl ExactSizeIterator<Item = u8>,
        end: usize,
        in_words: bool,
        joined: bool,
    ) -> bool {
        let length = digits.len();
        let Some(places) = self.digits.get_mut(self.total..self.total + length) else { return false };
        for (place, digit) in places.iter_mut().zip(digits) {
            *place = digit;
        }
        self.total += length;
        self.groups[self.count] = Group { length, end, in_words, joined };
        self.count += 1;
        true
    }

    /// Where the next group begins, if what stands between may stand inside a number.
    fn after_gap(&self, view: &View<'_>, start: usize) -> Option<usize> {
        let was_in_words = self.groups[self.count - 1].in_words;
        let mut at = start;
        while at - start <= WIDEST_GAP {
            let token = view.get(at)?;
            if token.new_line {
                return None;
            }
            let is_spoken = token.entry.number().is_some() && token.is_word();
            if token.is_digits() || is_spoken {
                return Some(at);
            }
            let spoken_around = was_in_words || at > start || self.is_in_words(self.count);
            let passes = match token.shape {
                Shape::Mark('-' | '–' | '—' | '‑' | '−' | '(' | ')' | '.' | '/' | '_' | '*' | '·') => {
                    true
                }
                Shape::Mark(',') => {
                    spoken_around
                        || self.groups[..self.count].iter().all(|group| group.length <= 3)
                            && view.is_glued(at + 1)
                }
                Shape::Mark('…') => spoken_around,
                Shape::Word(..) => token.is(Flags::FILLER),
                _ => false,
            };
            if !passes {
                return None;
            }
            at += 1;
        }
        None
    }

    fn is_in_words(&self, groups: usize) -> bool {
        self.groups[..groups].iter().any(|group| group.in_words)
    }

    fn digits_of(&self, groups: usize) -> &[u8] {
        let total = self.groups[..groups].iter().map(|group| group.length).sum();
        &self.digits[..total]
    }

    /// Nothing of the number sticks to what follows.
    fn may_end_at(&self, view: &View<'_>, groups: usize) -> bool {
        let end = self.groups[groups - 1].end;
        let Some(next) = view.get(end) else { return true };
        // The rest of an id: "9131234567ab".
        let is_latin = matches!(next.shape, Shape::Word(Script::Latin, _));
        let goes_on = next.glued
            && (next.is_digits()
                || (is_latin && groups == 1)
                || (matches!(next.shape, Shape::Mark('-' | '/' | ':' | '='))
                    && view.is_glued(end + 1)
                    && view.is_digits(end + 1)));
        let is_a_sum = groups == 1 && next.is(Flags::UNIT) && !self.is_in_words(groups);
        !goes_on && !is_a_sum
    }

    fn is_with_plus(&self, groups: usize) -> bool {
        let digits = self.digits_of(groups);
        if let Some((_, length)) = COUNTRIES.iter().find(|(code, _)| digits.starts_with(code)) {
            return digits.len() == *length;
        }
        // As long as it can be: which of its groups is the last, only the country knows.
        (8..=13).contains(&digits.len())
    }

    fn is_phone(&self, groups: usize, is_called_so: bool) -> bool {
        let digits = self.digits_of(groups);
        if !matches!(digits.len(), 6 | 7 | 10..=15) {
            return false;
        }
        let in_words = self.is_in_words(groups);
        let mut lengths = [0; MOST_DIGITS];
        for (length, group) in lengths.iter_mut().zip(&self.groups[..groups]) {
            *length = group.length;
        }
        let lengths = &lengths[..groups];
        let all_single = lengths.iter().all(|length| *length == 1);
        let joined = self.groups[1..groups].iter().all(|group| group.joined);
        let free_form = in_words || all_single;
        match (digits.len(), digits[0]) {
            (11, 7 | 8) if matches!(digits[1], 3 | 4 | 8 | 9) || (digits[0] == 7 && digits[1] == 7) => {
                free_form
                    || is_called_so
                    || is_trunk_shape(lengths) && !(lengths.len() == 1 && digits[1] == 8 && digits[2] != 0)
            }
            // With a code of its own after a trunk zero: "020 7946 0958".
            (11, 0) => is_called_so || matches!(lengths, [3, 4, 4] | [5, 6] | [5, 3, 3]),
            (10, 9) => free_form || is_mobile_shape(lengths),
            (10, 2..) => {
                (lengths == [3, 3, 4] && (self.starts_in_brackets || joined))
                    || (matches!(digits[0], 3 | 4 | 8) && self.starts_in_brackets)
                    || (is_called_so && (free_form || is_mobile_shape(lengths)))
            }
            (7, 2..) => {
                (joined && lengths == [3, 2, 2])
                    || (is_called_so
                        && (free_form || matches!(lengths, [7] | [1, 3, 3] | [3, 4] | [3, 2, 2])))
            }
            (6, 2..) => is_called_so && (free_form || lengths == [2, 2, 2]),
            (12, _) => {
                is_foreign(digits)
                    && (lengths.len() > 2 && lengths[0] == 3 || lengths.len() == 1 && is_called_so)
            }
            (12..=15, 0) => digits[1] == 0 && lengths[0] == 2,
            _ => false,
        }
    }
}

/// "девятьсот 13" is 913.
fn completed(view: &View<'_>, at: usize, spoken: Spoken) -> (Vec<u8>, usize) {
    let mut digits = spoken.digits().to_vec();
    let zeros = digits.iter().rev().take_while(|digit| **digit == 0).count().min(digits.len() - 1);
    let tail =
        view.get(at + spoken.tokens).filter(|next| next.is_digits() && next.len() == zeros && !next.new_line);
    let Some(tail) = tail else { return (digits, spoken.tokens) };
    let head = digits.len() - zeros;
    digits.truncate(head);
    digits.extend(tail.text(view.text).bytes().map(|digit| digit - b'0'));
    (digits, spoken.tokens + 1)
}

/// "8 913 123-45-67", "8913 1234567", "89131234567": not four numbers that make eleven digits by chance.
fn is_trunk_shape(lengths: &[usize]) -> bool {
    let begins = matches!(lengths[0], 1 | 2 | 4 | 11);
    let tail = match lengths[0] {
        1 => &lengths[1..],
        _ => lengths,
    };
    let middle_is_short = tail.len() < 3 || tail[1..tail.len() - 1].iter().all(|length| *length <= 3);
    begins && middle_is_short && tail.first().is_none_or(|length| matches!(length, 2..=6 | 10 | 11))
}

fn is_mobile_shape(lengths: &[usize]) -> bool {
    matches!(
        lengths,
        [10] | [3, 7]
            | [3, 3, 4]
            | [3, 3, 2, 2]
            | [3, 2, 2, 3]
            | [3, 2, 3, 2]
            | [3, 4, 3]
            | [6, 4]
            | [3, 1, 1, 1, 2, 2]
    ) && lengths != [3, 4, 3]
}

fn is_foreign(digits: &[u8]) -> bool {
    COUNTRIES
        .iter()
        .any(|(code, length)| code.len() == 3 && digits.starts_with(code) && digits.len() == *length)
}

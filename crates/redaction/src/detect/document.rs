//! Numbers of cards and papers: what has sixteen digits, eleven, ten.

use std::ops::Range;

use super::{Claim, View};
use crate::Kind;
use crate::lexicon::Flags;
use crate::token::{Script, Shape, Token};

/// The most digits any of them has.
const MOST_DIGITS: usize = 20;
/// A cue stands so near.
const NEAR: usize = 8;

pub(super) fn detect(view: View<'_>) -> Vec<Claim> {
    let mut claims = Vec::new();
    let mut at = 0;
    while let Some(digits) = view.next(at, Token::is_digits) {
        let before = digits.checked_sub(1).filter(|before| *before >= at);
        let lettered = before.and_then(|letters| lettered_passport(&view, letters));
        match lettered.or_else(|| number(&view, digits)) {
            Some(claim) => {
                at = claim.tokens.end;
                claims.push(claim);
            }
            None => at = digits + 1,
        }
    }
    claims
}

/// Digits in groups, as they stand: "2202 2780 5504 0640".
struct Groups {
    digits: [u8; MOST_DIGITS],
    total: usize,
    lengths: [usize; MOST_DIGITS],
    count: usize,
    /// Where each group ends, in tokens.
    ends: [usize; MOST_DIGITS],
}

impl Groups {
    /// The groups from `start` on, as far as what stands between them may stand inside one number.
    fn read(view: &View<'_>, start: usize) -> Self {
        let mut groups = Self {
            digits: [0; MOST_DIGITS],
            total: 0,
            lengths: [0; MOST_DIGITS],
            count: 0,
            ends: [0; MOST_DIGITS],
        };
        let mut at = start;
        while groups.count < MOST_DIGITS
            && view.is_digits(at)
            && groups.push(view.word(at).as_bytes(), at + 1)
        {
            at += 1;
            let joint =
                |at: usize| matches!(view.get(at).map(|t| t.shape), Some(Shape::Mark('-' | '–' | '—' | '.')));
            if joint(at) && view.is_digits(at + 1) {
                at += 1;
            } else if let Some(next) = after_series(view, at) {
                at = next;
            }
            if view.get(at).is_some_and(|token| token.new_line) {
                break;
            }
        }
        groups
    }

    fn push(&mut self, digits: &[u8], end: usize) -> bool {
        let Some(place) = self.digits.get_mut(self.total..self.total + digits.len()) else { return false };
        for (place, digit) in place.iter_mut().zip(digits) {
            *place = digit - b'0';
        }
        self.total += digits.len();
        self.lengths[self.count] = digits.len();
        self.ends[self.count] = end;
        self.count += 1;
        true
    }

    /// The first groups that have so many digits together: how many, and where they end.
    fn of(&self, wanted: usize) -> Option<(&[u8], &[usize], usize)> {
        let mut total = 0;
        for (index, length) in self.lengths[..self.count].iter().enumerate() {
            total += length;
            if total == wanted {
                return Some((&self.digits[..wanted], &self.lengths[..=index], self.ends[index]));
            }
        }
        None
    }
}

/// Between series and number of a passport: "№", "номер", ", номер".
fn after_series(view: &View<'_>, at: usize) -> Option<usize> {
    let mut next = at;
    if view.is_mark(next, ',') {
        next += 1;
    }
    let is_sign = view.is_mark(next, '№')
        || view.is_mark(next, '#')
        || (view.is(next, Flags::NUMBER) && !view.is_mark(next, ','));
    if !is_sign {
        return None;
    }
    next += 1;
    if view.is_mark(next, ':') || view.is_mark(next, '.') {
        next += 1;
    }
    view.is_digits(next).then_some(next)
}

fn number(view: &View<'_>, at: usize) -> Option<Claim> {
    // The tail of a longer number, or of a word.
    let is_tail = at > 0
        && view.is_glued(at)
        && match view.tokens[at - 1].shape {
            Shape::Word(..) | Shape::Mark('+' | '.' | '/' | '=') => true,
            Shape::Mark('-') => view.is_glued(at - 1) && at > 1 && view.is_word(at - 2),
            _ => false,
        };
    if is_tail {
        return None;
    }
    let goes_on = |next: &Token| match next.shape {
        Shape::Digits => true,
        Shape::Mark(mark) => matches!(mark, '-' | '–' | '—' | '.' | ',' | '№' | '#'),
        _ => next.is(Flags::NUMBER),
    };
    if view.tokens[at].len() < 9 && !view.get(at + 1).is_some_and(goes_on) {
        return None;
    }
    let groups = Groups::read(view, at);
    if groups.total < 9 {
        return None;
    }
    let claim = |kind, end| Some(Claim { kind, tokens: at..end });
    if let Some((digits, lengths, end)) = groups.of(16) {
        let is_whole = lengths.len() == 1 || lengths.iter().all(|length| *length >= 2);
        let is_told_after = || (end..end + 3).any(|next| view.is(next, Flags::OMS));
        let cue = nearest(view, at, Flags::OMS | Flags::CARD);
        let wants_policy = cue == Some(Flags::OMS) || (cue.is_none() && is_told_after());
        if is_whole && wants_policy {
            return claim(Kind::Oms, end);
        }
        if is_whole && passes_luhn(digits) && !view.is_of_an_order(at) {
            return claim(Kind::Card, end);
        }
    }
    for wanted in [19, 18, 15, 13] {
        if let Some((digits, lengths, end)) = groups.of(wanted) {
            let is_card = matches!(digits[0], 2..=6)
                && passes_luhn(digits)
                && (lengths.len() > 1 || wanted != 13)
                && (lengths.len() > 2 || view.any_before(at, NEAR, Flags::CARD));
            if is_card && !view.is_of_an_order(at) {
                return claim(Kind::Card, end);
            }
        }
    }
    if let Some((digits, lengths, end)) = groups.of(11) {
        let is_written_so = lengths == [3, 3, 3, 2];
        let is_called_so = view.any_before(at, NEAR, Flags::SNILS);
        if (is_written_so && has_snils_sum(digits)) || (is_called_so && (is_written_so || lengths.len() <= 2))
        {
            return claim(Kind::Snils, end);
        }
    }
    passport(view, at, &groups).and_then(|end| claim(Kind::Passport, end))
}

fn passport(view: &View<'_>, at: usize, groups: &Groups) -> Option<usize> {
    let is_called_so = view.any_before(at, NEAR, Flags::PASSPORT | Flags::SERIES);
    if let Some((_, lengths, end)) = groups.of(10) {
        let is_written_so = matches!(lengths, [4, 6] | [2, 2, 6]);
        let follows_digits = at > 0 && view.is_digits(at - 1);
        let stands_free = !follows_digits && !view.is_of_an_order(at) && !view.is(end, Flags::UNIT);
        if (is_called_so && (is_written_so || lengths == [10])) || (is_written_so && stands_free) {
            return Some(end);
        }
    }
    let (_, lengths, end) = groups.of(9)?;
    (is_called_so && matches!(lengths, [9] | [2, 7])).then_some(end)
}

/// "AB1234567", when it is called a passport.
fn lettered_passport(view: &View<'_>, at: usize) -> Option<Claim> {
    let letters = view.get(at).filter(|token| matches!(token.shape, Shape::Word(Script::Latin, _)))?;
    let digits = view.get(at + 1).filter(|token| token.is_digits())?;
    let is_one = letters.len() <= 2 && (6..=8).contains(&digits.len()) && letters.starts_with_a_capital();
    (is_one && view.any_before(at, NEAR, Flags::PASSPORT))
        .then_some(Claim { kind: Kind::Passport, tokens: Range { start: at, end: at + 2 } })
}

/// Which of two cues stands nearer before a number.
fn nearest(view: &View<'_>, at: usize, flags: Flags) -> Option<Flags> {
    let cue = view.before(at, NEAR).find(|token| token.is(flags))?;
    Some(if cue.is(Flags::OMS) { Flags::OMS } else { Flags::CARD })
}

fn passes_luhn(digits: &[u8]) -> bool {
    let doubled = |digit: u8| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, digit)| u32::from(if index % 2 == 1 { doubled(*digit) } else { *digit }))
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != 0)
}

/// The last two of the eleven digits are a sum over the nine before them.
fn has_snils_sum(digits: &[u8]) -> bool {
    let sum: u32 =
        digits.iter().take(9).zip((1..=9).rev()).map(|(digit, weight)| u32::from(*digit) * weight).sum();
    let expected = if sum % 101 == 100 { 0 } else { sum % 101 };
    digits[..9].iter().any(|digit| *digit != 0)
        && expected == u32::from(digits[9]) * 10 + u32::from(digits[10])
}

//! Dates of birth: a date is one only when something beside it says so. Dates of visits stay.

use std::ops::Range;

use super::{Claim, View};
use crate::Kind;
use crate::date::Date;
use crate::lexicon::Flags;
use crate::token::Shape;

/// "Дата рождения ребёнка — 2017…": so many tokens may stand between.
const NEAR: usize = 6;
/// A date beside a name with this year or an earlier one is no visit.
const LATEST_BESIDE_A_NAME: u16 = 2020;

pub(super) fn detect(view: View<'_>) -> Vec<Claim> {
    let mut claims = Vec::new();
    let mut at = 0;
    while let Some(next) =
        view.next(at, |token| token.is_digits() || token.is(Flags::MONTH | Flags::COUNTS | Flags::ORDINAL))
    {
        let found = Date::read(&view, next).and_then(|date| birth(&view, next, date));
        match found {
            Some(tokens) => {
                at = tokens.end;
                claims.push(Claim { kind: Kind::BirthDate, tokens });
            }
            None => at = next + 1,
        }
    }
    claims
}

fn birth(view: &View<'_>, at: usize, date: Date) -> Option<Range<usize>> {
    if let Some(end) = after_of_birth(view, date) {
        return Some(at..end);
    }
    let is_told_after = date.has_day && (date.end..date.end + 4).any(|near| is_born(view, near));
    let is_birth = if date.has_day {
        is_told_before(view, at, date) || is_told_after || is_beside_a_name(view, at, date)
    } else {
        is_year_of_birth(view, at)
    };
    is_birth.then_some(at..date.end)
}

/// "г.р.", "года рождения", "рожд.": where it ends.
fn after_of_birth(view: &View<'_>, date: Date) -> Option<usize> {
    date.year?;
    let end = date.end;
    let has_year_word = view.is(end - 1, Flags::YEAR);
    if has_year_word && view.is_mark(end, '.') && view.word(end + 1) == "р" {
        return Some(end + 2 + usize::from(view.is_mark(end + 2, '.')));
    }
    if has_year_word && view.word(end) == "р" {
        return Some(end + 1);
    }
    let is_of_birth = view.get(end).is_some_and(|token| token.is(Flags::BIRTH) && token.len() > "др".len());
    (is_of_birth && (has_year_word || view.word(end).starts_with("рожд"))).then_some(end + 1)
}

/// "родилась 3 марта", "дата рождения: 03.03.1988"
fn is_told_before(view: &View<'_>, at: usize, date: Date) -> bool {
    for (distance, token) in (1..).zip(view.before(at, NEAR)) {
        if is_abbreviated(view, at - distance) {
            return true;
        }
        if token.is(Flags::VISIT) || token.shape == Shape::Found || (token.is_digits() && date.year.is_none())
        {
            return false;
        }
        if token.is(Flags::BIRTH) {
            return !is_party(view, at - distance);
        }
    }
    false
}

/// "д.р.", "г. р.", "д/р"
fn is_abbreviated(view: &View<'_>, at: usize) -> bool {
    at >= 2
        && matches!(view.word(at), "р" | "Р")
        && (view.is_mark(at - 1, '.') || view.is_mark(at - 1, '/'))
        && matches!(view.word(at - 2), "д" | "Д" | "г" | "Г")
}

/// "на день рождения", "ко дню рождения", "в день рождения": of a present, and of a visit.
fn is_party(view: &View<'_>, birth: usize) -> bool {
    birth >= 2
        && view.is(birth - 1, Flags::DAY)
        && (view.is(birth - 2, Flags::PREPOSITION) && !matches!(view.word(birth - 2), "у" | "У")
            || view.word(birth - 2) == "в")
}

fn is_born(view: &View<'_>, at: usize) -> bool {
    let word = view.word(at);
    view.is(at, Flags::BIRTH) && (word.starts_with("роди") || word == "born")
}

/// "Внук Артур, 12.09.2015"
fn is_beside_a_name(view: &View<'_>, at: usize, date: Date) -> bool {
    let Some(year) = date.year.filter(|year| *year <= LATEST_BESIDE_A_NAME) else { return false };
    let Some(mut before) = at.checked_sub(1) else { return false };
    if view.is_mark(before, ',') || view.is_mark(before, '(') {
        let Some(word) = before.checked_sub(1) else { return false };
        before = word;
    }
    let token = &view.tokens[before];
    year >= 1900
        && token.starts_with_a_capital()
        && token.is(Flags::FIRST_NAME | Flags::PATRONYMIC | Flags::SURNAME | Flags::MAYBE_NAME)
}

/// "год рождения 1977", "г.р. 1990"
fn is_year_of_birth(view: &View<'_>, at: usize) -> bool {
    if (1..=3).any(|distance| at >= distance && is_abbreviated(view, at - distance)) {
        return true;
    }
    let mut before = view.before(at, 3).filter(|token| token.is_word());
    let of_birth = before.next().is_some_and(|token| token.is(Flags::BIRTH));
    of_birth && before.next().is_some_and(|token| token.is(Flags::YEAR))
}

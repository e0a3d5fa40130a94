//! Dates, in digits and in words, wherever they stand.

use crate::detect::View;
use crate::lexicon::Flags;
use crate::number::{Spoken, small_number};

/// A date that begins at some token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Date {
    /// The token after it.
    pub(crate) end: usize,
    /// With four digits.
    pub(crate) year: Option<u16>,
    pub(crate) has_day: bool,
}

impl Date {
    /// Reads a date at `at`, "года" included.
    pub(crate) fn read(view: &View<'_>, at: usize) -> Option<Self> {
        let date = in_digits(view, at)
            .or_else(|| day_and_month(view, at))
            .or_else(|| month_and_day(view, at))
            .or_else(|| in_words(view, at))
            .or_else(|| year_alone(view, at))?;
        Some(Self { end: after_year_word(view, date.end, date.year.is_some()), ..date })
    }
}

/// "23.08.1991", "04/12/79", "2017-06-30"
fn in_digits(view: &View<'_>, at: usize) -> Option<Date> {
    let part = |index: usize| {
        let token = view.get(at + index)?;
        (index == 0 || token.glued).then_some(())?;
        Some((small_number(view.text, token)?, token.len()))
    };
    let (first, first_length) = part(0)?;
    let mark = view.get(at + 1).map(|token| token.shape)?;
    let is_joint = ['.', '/', '-'].iter().any(|joint| mark == crate::token::Shape::Mark(*joint));
    if !is_joint || view.get(at + 3).map(|token| token.shape) != Some(mark) {
        return None;
    }
    let (second, _) = part(2)?;
    let (third, third_length) = part(4)?;
    let end = at + 5;
    let full = |year: u16, length: usize| match length {
        4 => is_year(year).then_some(year),
        2 => Some(if year > 30 { 1900 + year } else { 2000 + year }),
        _ => None,
    };
    if first_length == 4 {
        let year = full(first, 4)?;
        return (is_month(second) && is_day(third)).then_some(Date { end, year: Some(year), has_day: true });
    }
    let year = full(third, third_length)?;
    let is_date = (is_day(first) && is_month(second)) || (is_month(first) && is_day(second));
    is_date.then_some(Date { end, year: Some(year), has_day: true })
}

/// "5 ноября 2018", "12 May 1985", "9 мая 45"
fn day_and_month(view: &View<'_>, at: usize) -> Option<Date> {
    let day = small_number(view.text, view.get(at)?).filter(|day| is_day(*day))?;
    let mut month = at + 1;
    // "3rd May", "3-го мая"
    if view.is_glued(month) && view.is_mark(month, '-') {
        month += 1;
    }
    if view.is_glued(month) && view.is_word(month) && !view.is(month, Flags::MONTH) {
        month += 1;
    }
    if view.is(month, Flags::MONTH) && day > 0 { Some(with_year(view, month + 1)) } else { None }
}

/// "March 3, 1988"
fn month_and_day(view: &View<'_>, at: usize) -> Option<Date> {
    if !view.is(at, Flags::MONTH) {
        return None;
    }
    let day = if view.is_mark(at + 1, '.') { at + 2 } else { at + 1 };
    small_number(view.text, view.get(day)?).filter(|day| is_day(*day))?;
    let suffix = usize::from(view.is_glued(day + 1) && view.is_word(day + 1));
    Some(with_year(view, day + 1 + suffix))
}

fn with_year(view: &View<'_>, after: usize) -> Date {
    let at = after + usize::from(view.is_mark(after, ',') || view.is_mark(after, '.'));
    let number = view.get(at).and_then(|token| Some((small_number(view.text, token)?, token.len())));
    let year = match number {
        Some((year, 4)) if is_year(year) => Some(year),
        Some((year, 2)) if at == after && year > 30 => Some(1900 + year),
        Some((year, 2)) if at == after && view.is(at + 1, Flags::YEAR) => Some(2000 + year),
        _ => None,
    };
    match year {
        Some(_) => Date { end: at + 1, year, has_day: true },
        None => Date { end: after, year: None, has_day: true },
    }
}

/// "двадцать второго июня тысяча девятьсот семидесятого"
fn in_words(view: &View<'_>, at: usize) -> Option<Date> {
    let day_end = ordinal(view, at, 2)?;
    if !view.is(day_end, Flags::MONTH) {
        return None;
    }
    let after = day_end + 1;
    let year = year_in_words(view, after);
    Some(Date { end: year.unwrap_or(after), year: year.map(|_| 1900), has_day: true })
}

/// "восемьдесят пятого", "тысяча девятьсот семидесятого", "двухтысячного": where it ends.
fn year_in_words(view: &View<'_>, at: usize) -> Option<usize> {
    let is_thousand = |at: usize| matches!(view.word(at).to_lowercase().as_str(), "тысяча" | "тысячи");
    let mut head = at;
    if is_thousand(head) {
        head += 1;
    } else if is_thousand(head + 1) {
        head += 2;
    }
    ordinal(view, head, 3)
}

/// Number words with an ordinal at their end.
fn ordinal(view: &View<'_>, at: usize, most: usize) -> Option<usize> {
    let mut end = at;
    while end - at + 1 < most && view.get(end).is_some_and(|token| token.entry.number().is_some()) {
        end += 1;
    }
    view.is(end, Flags::ORDINAL).then_some(end + 1)
}

/// "1985 г.р.", "1951 года рождения": a year that says itself that somebody was born in it.
fn year_alone(view: &View<'_>, at: usize) -> Option<Date> {
    let token = view.get(at)?;
    let year = small_number(view.text, token).filter(|year| token.len() == 4 && is_year(*year))?;
    Some(Date { end: at + 1, year: Some(year), has_day: false })
}

fn after_year_word(view: &View<'_>, at: usize, has_year: bool) -> usize {
    if has_year && view.is(at, Flags::YEAR) { at + 1 } else { at }
}

fn is_day(day: u16) -> bool {
    (1..=31).contains(&day)
}

fn is_month(month: u16) -> bool {
    (1..=12).contains(&month)
}

fn is_year(year: u16) -> bool {
    (1900..=2099).contains(&year)
}

/// Whether a number in words stands at `at`; how many tokens it takes.
pub(crate) fn spoken_number(view: &View<'_>, at: usize) -> Option<Spoken> {
    view.tokens.get(at..).and_then(Spoken::read)
}

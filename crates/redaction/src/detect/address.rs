//! Postal addresses down to a house or a flat. A street without a number stays: half a town lives there.

use std::borrow::Cow;
use std::ops::Range;

use super::{Claim, View};
use crate::Kind;
use crate::date::spoken_number;
use crate::lexicon::Flags;
use crate::token::{Case, Script, Shape, Token};

/// A street's name has so many words at most.
const LONGEST_NAME: usize = 4;
/// "1-я улица Красных Партизан, дом №": the number is so far from the beginning.
const FARTHEST_NUMBER: usize = 10;
/// "Живу", "адрес" stand so near.
const NEAR: usize = 5;

pub(super) fn detect(view: View<'_>) -> Vec<Claim> {
    let mut claims: Vec<Claim> = Vec::new();
    let mut free_from = 0;
    let mut at = 0;
    let mut number = 0;
    while at < view.tokens.len() {
        // Nothing is an address that has no number near.
        while number < view.tokens.len() && (number < at || !is_number(&view.tokens[number])) {
            number += 1;
        }
        if number == view.tokens.len() {
            break;
        }
        at = at.max(number.saturating_sub(FARTHEST_NUMBER));
        let found = russian(&view, at).or_else(|| english(&view, at));
        let Some(end) = found else {
            at += 1;
            continue;
        };
        let start = with_town(&view, at, free_from);
        claims.push(Claim { kind: Kind::Address, tokens: Range { start, end } });
        (at, free_from) = (end, end);
    }
    claims
}

fn is_number(token: &Token) -> bool {
    token.is_digits() || token.is(Flags::COUNTS)
}

/// Where an address that begins with a street, a house or a flat ends.
fn russian(view: &View<'_>, at: usize) -> Option<usize> {
    let token = view.get(at)?;
    if token.is(Flags::STREET)
        && let Some(end) = after_street_word(view, at)
    {
        return Some(end);
    }
    if !token.is_word() && !token.is_digits() {
        return None;
    }
    if token.is(Flags::HOUSE)
        && let Some(end) = house_and_flat(view, at)
    {
        return Some(end);
    }
    if token.is(Flags::FLAT)
        && let Some(end) = flat_alone(view, at)
    {
        return Some(end);
    }
    before_street_word(view, at).or_else(|| bare_street(view, at))
}

/// "ул. Кирова, д. 27", "улица гоголя дом пять"
fn after_street_word(view: &View<'_>, at: usize) -> Option<usize> {
    // "пр-т", "б-р"
    let is_cut =
        view.is_mark(at + 1, '-') && view.is_glued(at + 1) && view.is_glued(at + 2) && view.is_word(at + 2);
    let mut next = after_dot(view, if is_cut { at + 3 } else { at + 1 });
    let first = next;
    while next - first < LONGEST_NAME && is_part_of_a_name(view, next, next == first) {
        next += 1;
        // "Б. Хмельницкого", "Верх-Тула"
        let is_initial = view.is_mark(next, '.') && view.tokens[next - 1].len() <= 2;
        let is_hyphen = view.is_mark(next, '-')
            && view.is_glued(next)
            && view.is_glued(next + 1)
            && view.is_word(next + 1);
        if is_initial || is_hyphen {
            next += 1;
        }
        if let Some(end) = house(view, next, false) {
            return Some(end);
        }
    }
    None
}

/// A word of a street's name, or the number in "10 лет Октября".
fn is_part_of_a_name(view: &View<'_>, at: usize, is_first: bool) -> bool {
    let Some(token) = view.get(at) else { return false };
    if token.is(Flags::HOUSE) && token.len() > 2 || token.is(Flags::FLAT) {
        return false;
    }
    let is_named_by_number = is_first
        && token.is_digits()
        && view.is_word(at + 1)
        && (view.is(at + 1, Flags::UNIT)
            || view.is(at + 1, Flags::MONTH)
            || view.tokens[at + 1].starts_with_a_capital());
    is_named_by_number || (token.is_word() && token.entry.number().is_none())
}

/// "Красный проспект 65", "3-я Северная улица, дом 8", "на Красном проспекте 17"
fn before_street_word(view: &View<'_>, at: usize) -> Option<usize> {
    let mut next = at;
    if view.is_digits(next) {
        let is_ordinal = view.is_mark(next + 1, '-')
            && view.is_glued(next + 1)
            && view.is_word(next + 2)
            && view.is_glued(next + 2);
        if !is_ordinal {
            return None;
        }
        next += 3;
    }
    let first = next;
    while next - first < 2 {
        let token = view.get(next).filter(|token| token.is_word())?;
        if !token.starts_with_a_capital() && !token.is(Flags::STREET_NAME) {
            return None;
        }
        next += 1;
        if view.is(next, Flags::STREET) {
            return house(view, after_dot(view, next + 1), false);
        }
    }
    None
}

/// "на Ленина 45 кв 7", "Титова 14, квартира 88", "Карла Маркса 7"
fn bare_street(view: &View<'_>, at: usize) -> Option<usize> {
    let token = view.get(at).filter(|token| token.is_word())?;
    if let Some(end) = street_of_a_person(view, at) {
        return Some(end);
    }
    let mut name_end = at + 1;
    if !token.is(Flags::STREET_NAME) && view.is(name_end, Flags::STREET_NAME) && token.starts_with_a_capital()
    {
        name_end += 1;
    }
    let is_known =
        view.is(name_end - 1, Flags::STREET_NAME) && view.tokens[name_end - 1].starts_with_a_capital();
    let looks_like_one = match token.shape {
        Shape::Word(_, case @ (Case::Title | Case::Upper)) => {
            !token.is(NO_STREET) && is_genitive(view.word(at), case)
        }
        _ => false,
    };
    if !is_known && !looks_like_one {
        return None;
    }
    let goes_on =
        view.is_mark(name_end, ',') && view.is(name_end + 1, Flags::HOUSE) || view.is(name_end, Flags::HOUSE);
    let is_on_it = at > 0 && view.word(at - 1).to_lowercase() == "на";
    let is_lived_on = view.any_before(at, NEAR, Flags::LIVES)
        || (at >= 2 && view.is(at - 2, Flags::TOWN | Flags::SETTLEMENT));
    let end = house(view, name_end, !(goes_on || is_lived_on))?;
    let has_flat = view.tokens[name_end..end].iter().any(|token| token.is(Flags::FLAT | Flags::HOUSE));
    let is_sure = has_flat || (is_known && !view.is(at, Flags::MAYBE_SURNAME)) || is_on_it || is_lived_on;
    is_sure.then_some(end)
}

/// "Бориса Богаткова 201, кв. 15", "на Дуси Ковальчук 77"
fn street_of_a_person(view: &View<'_>, at: usize) -> Option<usize> {
    let is_genitive = |at: usize| view.word(at).ends_with(['а', 'я', 'и', 'ы']);
    let is_name = view.is(at, Flags::FIRST_NAME | Flags::MAYBE_NAME)
        && view.tokens[at].starts_with_a_capital()
        && is_genitive(at);
    if !is_name
        || !view
            .get(at + 1)
            .is_some_and(|token| token.starts_with_a_capital() && !token.is(Flags::PATRONYMIC))
    {
        return None;
    }
    let end = house(view, at + 2, false)?;
    let is_on_it = at > 0 && view.word(at - 1).to_lowercase() == "на";
    let has_flat = view.tokens[at + 2..end].iter().any(|token| token.is(Flags::FLAT | Flags::HOUSE));
    (has_flat || is_on_it || view.any_before(at, NEAR, Flags::LIVES)).then_some(end)
}

const NO_STREET: Flags = Flags::FIRST_NAME
    .with(Flags::PATRONYMIC)
    .with(Flags::NO_NAME)
    .with(Flags::PERSON)
    .with(Flags::MONTH)
    .with(Flags::UNIT)
    .with(Flags::STREET)
    .with(Flags::ORDER)
    .with(Flags::HOUSE)
    .with(Flags::TOWN)
    .with(Flags::CARD)
    .with(Flags::PASSPORT);

/// Streets are somebody's or an adjective: Титова, Горького, Советской.
fn is_genitive(word: &str, case: Case) -> bool {
    const ENDINGS: [&str; 11] =
        ["ова", "ева", "ёва", "ина", "ого", "его", "ской", "цкой", "ская", "ной", "ная"];
    // Behind its capital a word is in lower case already, and the endings are shorter than any of these.
    let lower: Cow<'_, str> = if case == Case::Title { word.into() } else { word.to_lowercase().into() };
    ENDINGS.iter().any(|end| lower.ends_with(end)) && word.chars().count() >= 5
}

/// "дом 5, квартира 12"
fn house_and_flat(view: &View<'_>, at: usize) -> Option<usize> {
    let end = house(view, at, false)?;
    view.tokens[at..end].iter().any(|token| token.is(Flags::FLAT)).then_some(end)
}

/// "кв. 12", but not "квартира 45 м²"
fn flat_alone(view: &View<'_>, at: usize) -> Option<usize> {
    let word = view.word(at).to_lowercase();
    if !matches!(word.as_str(), "кв" | "квартира" | "квартире" | "apt" | "apartment") {
        return None;
    }
    let end = number(view, after_dot(view, at + 1), 4)?;
    (!is_measured(view, end)).then_some(end)
}

/// The number of a house and what may follow it: building, flat, entrance. `strictly` leaves a number alone that
/// may be a time or a sum.
fn house(view: &View<'_>, at: usize, strictly: bool) -> Option<usize> {
    let mut next = if view.is_mark(at, ',') { at + 1 } else { at };
    let has_word = view.is(next, Flags::HOUSE);
    if has_word {
        next = after_dot(view, next + 1);
    }
    if view.is_mark(next, '№') {
        next += 1;
    }
    let start = next;
    let mut end = number(view, start, 4)?;
    if is_measured(view, end) || (strictly && !has_word && view.is_mark(end, ',') && view.is_digits(end + 1))
    {
        return None;
    }
    end = within_house(view, end);
    while let Some(further) = part_of_house(view, end) {
        end = further;
    }
    Some(end)
}

/// "11/2", "12-45", "14а", "7к2"
fn within_house(view: &View<'_>, mut at: usize) -> usize {
    let is_joint = |at| {
        matches!(view.get(at).map(|token| token.shape), Some(Shape::Mark('/' | '-'))) && view.is_glued(at)
    };
    while is_joint(at) && view.is_digits(at + 1) && view.is_glued(at + 1) {
        at += 2;
    }
    at
}

/// ", корп. 1", " кв 14", ", офис 3"
fn part_of_house(view: &View<'_>, at: usize) -> Option<usize> {
    let mut next = if view.is_mark(at, ',') { at + 1 } else { at };
    if !view.is(next, Flags::FLAT | Flags::BUILDING) {
        return None;
    }
    next = after_dot(view, next + 1);
    let end = number(view, next, 4)?;
    (!is_measured(view, end)).then_some(end)
}

/// A number of few digits with a letter behind it, or one in words: where it ends.
fn number(view: &View<'_>, at: usize, most_digits: usize) -> Option<usize> {
    let token = view.get(at)?;
    if !token.is_digits() {
        return spoken_number(view, at).map(|spoken| at + spoken.tokens);
    }
    if token.len() > most_digits {
        return None;
    }
    let is_letter =
        |token: &Token| token.is_word() && token.glued && token.len() <= 2 && !token.is(Flags::UNIT);
    let mut end = at + 1;
    if view.get(end).is_some_and(is_letter) {
        end += 1;
        end += usize::from(view.is_glued(end) && view.is_digits(end));
    }
    Some(end)
}

/// Metres, rubles, hours, years, or the minutes of a time.
fn is_measured(view: &View<'_>, end: usize) -> bool {
    let Some(next) = view.get(end) else { return false };
    let is_clock = next.is_mark(':') && next.glued && view.is_digits(end + 1) && view.is_glued(end + 1);
    let is_fraction = matches!(next.shape, Shape::Mark('.' | ','))
        && next.glued
        && view.is_digits(end + 1)
        && view.is_glued(end + 1);
    let is_flat = next.is(Flags::FLAT)
        && !matches!(view.get(end + 1).map(|token| token.shape), Some(Shape::Word(..)))
        && !view.is(end + 2, Flags::UNIT);
    is_clock
        || is_fraction
        || matches!(next.shape, Shape::Mark('%' | '₽' | '$' | '€' | '²'))
        || next.is(Flags::MONTH)
        || (next.is(Flags::UNIT) && !is_flat && !next.is(Flags::BUILDING))
}

fn after_dot(view: &View<'_>, at: usize) -> usize {
    if view.is_mark(at, '.') || view.is_mark(at, ':') { at + 1 } else { at }
}

/// The index, the region and the town before a street: "630099, г. Новосибирск, ", "Москва, ", "село Верх-Тула, ".
fn with_town(view: &View<'_>, at: usize, free_from: usize) -> usize {
    let mut start = with_ordinal(view, at, free_from);
    for _part in 0..3 {
        let Some(part) = town_before(view, start, free_from) else { break };
        start = part;
    }
    let index = start.checked_sub(2).filter(|index| *index >= free_from);
    match index {
        Some(index)
            if view.is_mark(start - 1, ',') && view.is_digits(index) && view.tokens[index].len() == 6 =>
        {
            index
        }
        _ => start,
    }
}

/// "1-й переулок Мира"
fn with_ordinal(view: &View<'_>, at: usize, free_from: usize) -> usize {
    let Some(number) = at.checked_sub(3).filter(|number| *number >= free_from) else { return at };
    let is_one =
        view.is_digits(number) && view.is_mark(at - 2, '-') && view.is_glued(at - 1) && view.is_word(at - 1);
    if is_one { number } else { at }
}

/// What ends in a comma at `end` and is a town or a region: where it begins.
fn town_before(view: &View<'_>, end: usize, free_from: usize) -> Option<usize> {
    let comma = end.checked_sub(1).filter(|comma| *comma >= free_from && view.is_mark(*comma, ','))?;
    let mut start = comma;
    while start > free_from && comma - start < 4 {
        let token = &view.tokens[start - 1];
        let is_sign = token.is(Flags::TOWN | Flags::SETTLEMENT);
        let is_name =
            token.is_word() && token.starts_with_a_capital() && !token.is(Flags::LIVES | Flags::BIRTH);
        let is_dot = token.is_mark('.') && start >= 2 && view.is(start - 2, Flags::SETTLEMENT);
        let is_hyphen = token.is_mark('-') && token.glued;
        if !(is_sign || is_name || is_dot || is_hyphen) {
            break;
        }
        start -= 1;
    }
    let sign = start
        + view.tokens[start..comma].iter().position(|token| token.is(Flags::TOWN | Flags::SETTLEMENT))?;
    let is_region = ["обл", "кра", "рай"].iter().any(|begins| view.word(sign).starts_with(begins));
    Some(if is_region { start } else { sign })
}

/// "221 Baker Street, apt 5"
fn english(view: &View<'_>, at: usize) -> Option<usize> {
    let first = view.get(at).filter(|token| token.is_digits() && token.len() <= 5)?;
    if first.glued && at > 0 {
        return None;
    }
    let mut next = at + 1;
    let is_title = |token: &&Token| matches!(token.shape, Shape::Word(Script::Latin, Case::Title));
    while next - at <= 3 && view.get(next).filter(is_title).is_some() {
        next += 1;
        if view.is(next, Flags::ENGLISH_STREET) && view.get(next).filter(is_title).is_some() {
            let mut end = after_dot(view, next + 1).max(next + 1);
            if !view.is_mark(end, ',') {
                end = next + 1;
            }
            while let Some(further) = english_part(view, end) {
                end = further;
            }
            return Some(end);
        }
    }
    None
}

/// ", apt 5", ", London"
fn english_part(view: &View<'_>, at: usize) -> Option<usize> {
    let next = if view.is_mark(at, ',') { at + 1 } else { at };
    if view.is(next, Flags::FLAT) {
        return number(view, after_dot(view, next + 1), 5);
    }
    (next > at && view.is(next, Flags::TOWN)).then_some(next + 1)
}

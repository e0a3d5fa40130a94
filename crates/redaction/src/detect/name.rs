//! Names of persons: first names and their short forms, patronymics, surnames, in every case and in Latin letters.
//!
//! A phrase is a run of words each of which may be part of a name. It is a name if one of them is surely one, or if what
//! stands around it says so. Ordinary words that are names as well (вера, роман, слава) need a capital and company.

use std::borrow::Cow;
use std::ops::Range;

use super::{Claim, View};
use crate::Kind;
use crate::lexicon::{Flags, Surname, is_patronymic, surname_by_ending};
use crate::token::{Case, Script, Shape, Token};

/// "Петрова-Водкина Анна Сергеевна" and a bit.
const LONGEST: usize = 8;

/// Flags without which, and without a capital, nothing is a name.
pub(super) const MAY_BE: Flags = Flags::FIRST_NAME
    .with(Flags::MAYBE_NAME)
    .with(Flags::PATRONYMIC)
    .with(Flags::SURNAME)
    .with(Flags::MAYBE_SURNAME)
    .with(Flags::SAYS_NAME);

pub(super) fn detect(view: View<'_>) -> Vec<Claim> {
    let mut claims = Vec::new();
    let mut at = 0;
    while let Some(next) = view.next(at, may_begin) {
        let Some((tokens, is_a_persons)) = phrase(&view, next) else {
            at = next + 1;
            continue;
        };
        at = tokens.end;
        if is_a_persons {
            claims.push(Claim { kind: Kind::Name, tokens });
        }
    }
    claims
}

fn may_begin(token: &Token) -> bool {
    match token.shape {
        Shape::Word(_, Case::Title | Case::Upper) => true,
        Shape::Word(..) => token.is(MAY_BE),
        _ => false,
    }
}

/// What a word may be in a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    First,
    MaybeFirst,
    Patronymic,
    Surname(Surname),
    /// A surname that is an ordinary word.
    MaybeSurname,
    /// "А."
    Initial,
}

/// The words from `at` on that are a name, and whether it is a person's and not a salon's.
fn phrase(view: &View<'_>, at: usize) -> Option<(Range<usize>, bool)> {
    let role = role(view, at).filter(|_| !is_inside_a_word(view, at))?;
    let (end, roles) = run(view, at, role);
    let is_sure = roles.iter().flatten().any(|role| matches!(role, Role::First | Role::Patronymic));
    if is_no_brand(view, at, end) {
        (is_sure || is_a_name_here(view, at, end, role)).then_some((at..end, true))
    } else {
        Some((at..end, false))
    }
}

/// Part of a handle or of an address: "anna_brows", "x.anna".
fn is_inside_a_word(view: &View<'_>, at: usize) -> bool {
    let joins = |token: &Token| {
        matches!(token.shape, Shape::Mark('_' | '@' | '/' | '=' | '&' | '#')) || token.is_digits()
    };
    (view.is_glued(at) && at > 0 && joins(&view.tokens[at - 1]))
        || view.get(at + 1).is_some_and(|token| token.glued && joins(token))
}

fn role(view: &View<'_>, at: usize) -> Option<Role> {
    let token = view.get(at)?;
    let Shape::Word(script, case) = token.shape else { return None };
    let has_capital = matches!(case, Case::Title | Case::Upper);
    if token.is(Flags::FIRST_NAME) && (has_capital || case == Case::Lower) {
        return Some(Role::First);
    }
    if token.is(Flags::PATRONYMIC) {
        return Some(Role::Patronymic);
    }
    if token.is(Flags::MAYBE_NAME) && (has_capital || is_named_before(view, at)) {
        return Some(Role::MaybeFirst);
    }
    if !has_capital {
        return (token.is(Flags::SURNAME) && is_named_before(view, at))
            .then_some(Role::Surname(Surname::Strong));
    }
    if token.is(Flags::SURNAME) {
        return Some(Role::Surname(Surname::Certain));
    }
    if token.is(Flags::MAYBE_SURNAME) {
        return Some(Role::MaybeSurname);
    }
    if is_initial(view, at) {
        return Some(Role::Initial);
    }
    if token.is(NOT_A_SURNAME) || (case == Case::Upper && token.len() <= 8) {
        return None;
    }
    // Whatever it is: "доктор Гросс", "имя Сун", "Mrs Baker".
    if case == Case::Title && (is_told_of_a_person(view, at) || is_named_before(view, at)) {
        return Some(Role::Surname(Surname::Strong));
    }
    if script == Script::Cyrillic { by_ending(view.word(at), case) } else { None }
}

const NOT_A_SURNAME: Flags = Flags::NO_NAME
    .with(Flags::TOWN)
    .with(Flags::STREET_NAME)
    .with(Flags::PERSON)
    .with(Flags::ACT)
    .with(Flags::BRAND)
    .with(Flags::UNIT)
    .with(Flags::MONTH)
    .with(Flags::LIVES)
    .with(Flags::PHONE)
    .with(Flags::BIRTH)
    .with(Flags::COUNTS)
    .with(Flags::ORDER)
    .with(Flags::VISIT)
    .with(Flags::ORDINAL)
    .with(Flags::PREPOSITION);

fn by_ending(word: &str, case: Case) -> Option<Role> {
    // Behind its capital a word is in lower case already.
    let lower: Cow<'_, str> = if case == Case::Title { word.into() } else { word.to_lowercase().into() };
    let lower: Cow<'_, str> = if lower.contains('ё') { lower.replace('ё', "е").into() } else { lower };
    if is_patronymic(&lower) {
        return Some(Role::Patronymic);
    }
    surname_by_ending(&lower).map(Role::Surname)
}

/// A single capital with a dot.
fn is_initial(view: &View<'_>, at: usize) -> bool {
    view.get(at).is_some_and(|token| {
        matches!(token.shape, Shape::Word(Script::Cyrillic, Case::Title)) && token.len() == 'А'.len_utf8()
            || matches!(token.shape, Shape::Word(Script::Latin, Case::Title)) && token.len() == 1
    }) && view.is_mark(at + 1, '.')
        && view.is_glued(at + 1)
}

/// The longest run of words from `at` on that may be one name: where it ends, and what is in it.
fn run(view: &View<'_>, at: usize, first: Role) -> (usize, [Option<Role>; LONGEST]) {
    let mut roles = [None; LONGEST];
    roles[0] = Some(first);
    let mut count = 1;
    let mut end = at + 1 + usize::from(first == Role::Initial);
    while count < LONGEST {
        // "Анна-Мария", "Иванова-Петрова"
        let hyphen = usize::from(view.is_mark(end, '-') && view.is_glued(end) && view.is_glued(end + 1));
        let next = end + hyphen;
        let Some(token) = view.get(next) else { break };
        if token.new_line || (token.glued && hyphen == 0 && roles[count - 1] != Some(Role::Initial)) {
            break;
        }
        let Some(role) = next_role(view, next, &roles[..count]) else { break };
        roles[count] = Some(role);
        count += 1;
        end = next + 1 + usize::from(role == Role::Initial);
    }
    (end, roles)
}

/// What a word is behind what is a name already.
fn next_role(view: &View<'_>, at: usize, before: &[Option<Role>]) -> Option<Role> {
    let has = |wanted: fn(&Role) -> bool| before.iter().flatten().any(wanted);
    let has_first = has(|role| matches!(role, Role::First | Role::MaybeFirst));
    let has_surname = has(|role| matches!(role, Role::Surname(_) | Role::MaybeSurname));
    let has_initial = has(|role| matches!(role, Role::Initial));
    let only_initials = !has_first && !has_surname;
    let token = view.get(at)?;
    let is_capital = token.starts_with_a_capital();
    match role(view, at) {
        Some(Role::Patronymic) => Some(Role::Patronymic),
        Some(Role::Initial) if has_first || has_surname || has_initial => Some(Role::Initial),
        Some(Role::First) if !has_first && (is_capital || has_surname) => Some(Role::First),
        Some(Role::MaybeFirst) if !has_first && is_capital => Some(Role::MaybeFirst),
        // "Мария Анна", "Emma Rose", but not "Анна Роза завяла".
        Some(Role::First) if is_capital && view.is_glued(at) => Some(Role::First),
        Some(role @ (Role::Surname(_) | Role::MaybeSurname)) if !has_surname => Some(role),
        // "Мария Магдалина", "Robert James"
        Some(Role::First) if is_capital && !has_surname => Some(Role::Surname(Surname::Weak)),
        None if is_capital && !has_surname && (has_first || only_initials) && !token.is(NOT_A_SURNAME) => {
            (is_family(view, at) || only_initials).then_some(Role::Surname(Surname::Weak))
        }
        _ => None,
    }
}

/// A word with a capital behind a first name that no rule knows: "Нино Беридзе", "Emma Wilson", "Ксения Шульга".
fn is_family(view: &View<'_>, at: usize) -> bool {
    let Some(token) = view.get(at) else { return false };
    let least = if is_latin(token) { 2 } else { 4 };
    matches!(token.shape, Shape::Word(Script::Cyrillic | Script::Latin, Case::Title | Case::Upper))
        && token.len() >= least
        && !token.is(Flags::ENGLISH_WORD)
        && !(token.is(Flags::SAYS_NAME) || token.is(Flags::STREET))
}

fn is_latin(token: &Token) -> bool {
    matches!(token.shape, Shape::Word(Script::Latin, _))
}

/// Whether the words that only may be a name are one, by what stands around them.
fn is_a_name_here(view: &View<'_>, at: usize, end: usize, role: Role) -> bool {
    if is_named_before(view, at) || is_told_of_a_person(view, at) {
        return true;
    }
    let is_alone = end - at == 1;
    match role {
        Role::First | Role::Patronymic => true,
        // "Н. Белова", "Елена С.", "Воробьёва Е. А."
        Role::Initial => !is_alone && end - at > 2,
        Role::Surname(Surname::Certain) => true,
        Role::Surname(Surname::Strong) => !begins_sentence(view, at) || !is_alone || acts(view, end),
        Role::Surname(Surname::Weak) => !is_alone && has_first_or_initial(view, at, end),
        Role::MaybeSurname => !is_alone && has_first_or_initial(view, at, end),
        Role::MaybeFirst => {
            let word = &view.tokens[at];
            if !word.starts_with_a_capital() {
                return false;
            }
            if !is_alone || acts(view, end) {
                return true;
            }
            if is_latin(word) && !begins_sentence(view, at) {
                return !word.is(Flags::MONTH);
            }
            let is_short =
                word.len() <= 3 * 'А'.len_utf8() && !view.is_mark(end, ',') && !view.is_mark(end, '!');
            if begins_sentence(view, at) {
                is_called(view, end)
            } else {
                !is_short || view.is(at - 1, Flags::PREPOSITION) && word.is(Flags::MAYBE_NAME)
            }
        }
    }
}

fn has_first_or_initial(view: &View<'_>, at: usize, end: usize) -> bool {
    (at + 1..end).any(|next| {
        matches!(role(view, next), Some(Role::First | Role::MaybeFirst | Role::Patronymic | Role::Initial))
    })
}

/// "Вера, подойдите", "Слава!"
fn is_called(view: &View<'_>, end: usize) -> bool {
    view.is_mark(end, ',')
        && view.get(end + 1).is_some_and(|token| !token.is(Flags::MAYBE_NAME) && !token.is(Flags::BRAND))
        || view.is_mark(end, '!')
}

/// "Лев записан", "Слава не придёт", "Мира уже звонила"
fn acts(view: &View<'_>, end: usize) -> bool {
    let step = usize::from(matches!(
        view.word(end),
        "не" | "уже" | "сегодня" | "завтра" | "вчера" | "опять" | "тоже"
    ));
    view.is(end + step, Flags::ACT)
}

/// "меня зовут", "на имя", "фамилия:"
fn is_named_before(view: &View<'_>, at: usize) -> bool {
    view.before(at, 2)
        .find(|token| !matches!(token.shape, Shape::Mark(':' | '—' | '-' | '"' | '«')))
        .is_some_and(|token| token.is(Flags::SAYS_NAME))
}

/// "мастер", "доктор", "муж" right before.
fn is_told_of_a_person(view: &View<'_>, at: usize) -> bool {
    let mut before =
        view.before(at, 2).skip_while(|token| matches!(token.shape, Shape::Mark(':' | '—' | '-' | '.')));
    before.next().is_some_and(|token| token.is(Flags::PERSON)) && view.tokens[at].starts_with_a_capital()
}

/// Not "салон Виктория", not «Надежда» as the name of a course.
fn is_no_brand(view: &View<'_>, at: usize, end: usize) -> bool {
    let Some(before) = at.checked_sub(1) else { return true };
    let token = &view.tokens[before];
    let is_abroad =
        token.is(Flags::PREPOSITION) && !matches!(view.word(before), "к" | "у" | "от" | "для" | "ко");
    if token.is(Flags::BRAND | Flags::STREET)
        || is_town(view, before)
        || (is_abroad && end - at == 1 && view.is(at, Flags::STREET_NAME))
    {
        return false;
    }
    let is_quoted = matches!(token.shape, Shape::Mark('«' | '"' | '“' | '„'))
        && view.get(end).is_some_and(|token| matches!(token.shape, Shape::Mark('»' | '"' | '”' | '“')));
    let is_said_before =
        before.checked_sub(1).is_some_and(|word| view.is(word, Flags::SAYS_NAME | Flags::PERSON));
    !is_quoted || is_said_before
}

/// "г. Киров", "города Владимира"
fn is_town(view: &View<'_>, before: usize) -> bool {
    let word = if view.is_mark(before, '.') { before.checked_sub(1) } else { Some(before) };
    word.is_some_and(|word| view.is(word, Flags::SETTLEMENT) && !view.is(word, Flags::HOUSE))
}

fn begins_sentence(view: &View<'_>, at: usize) -> bool {
    let Some(before) = at.checked_sub(1) else { return true };
    view.tokens[at].new_line
        || matches!(
            view.tokens[before].shape,
            Shape::Mark('.' | '!' | '?' | '…' | '"' | '«' | ')' | '*' | '•' | '—' | '-')
        )
}

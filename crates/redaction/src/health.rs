//! Words about somebody's health: diagnoses, symptoms, drugs, procedures, codes of the ICD-10.
//!
//! A clinic's texts may not leave with them, even without a name beside. Words are known by how they begin, which is what
//! Russian endings ask for; the list is broad on purpose: what it takes out too much is missing in an alert, what it
//! leaves in is somebody's diagnosis with a stranger. The salon's everyday words (маникюр, стрижка) are not among them.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::token::{Script, Shape, Token, Tokens};
use crate::{Finding, Kind};

const TERMS: &str = include_str!("lexicon/health.txt");

/// Beginnings of words are sorted by so many letters at their head.
const HEAD: usize = 3;

/// Words about health, in the order of the text and without overlaps; neighbours are one mention.
#[must_use]
pub fn mentions(text: &str) -> Vec<Finding> {
    let tokens = Tokens::read(text).list;
    let mut findings: Vec<Finding> = Vec::new();
    let mut last_token = None;
    let mut at = 0;
    while at < tokens.len() {
        let Some(end) = mention(text, &tokens, at) else {
            at += 1;
            continue;
        };
        let range = tokens[at].start..tokens[end - 1].end;
        match findings.last_mut().filter(|_| last_token == Some(at)) {
            Some(last) => last.range.end = range.end,
            None => findings.push(Finding { kind: Kind::Health, range }),
        }
        (at, last_token) = (end, Some(end));
    }
    findings
}

/// Where a mention that begins at `at` ends.
fn mention(text: &str, tokens: &[Token], at: usize) -> Option<usize> {
    if !tokens[at].is_word() {
        return None;
    }
    if let Some(end) = icd_code(text, tokens, at) {
        return Some(end);
    }
    if is_term(tokens[at].text(text)) {
        return Some(at + 1);
    }
    // "x-ray" is one word, with a mark inside.
    let [mark, rest] = tokens.get(at + 1..at + 3)? else { return None };
    let is_one_word = mark.is_mark('-') && mark.glued && rest.is_word() && rest.glued;
    (is_one_word && is_term(&text[tokens[at].start..rest.end])).then_some(at + 3)
}

fn is_term(word: &str) -> bool {
    let word = word.to_lowercase().replace('ё', "е");
    STEMS.get(head(&word)).is_some_and(|stems| stems.iter().any(|stem| stem.begins(&word)))
}

/// "K02.1", "J45", and with the look-alike Cyrillic letters people type.
fn icd_code(text: &str, tokens: &[Token], at: usize) -> Option<usize> {
    let letter = &tokens[at];
    let is_letter = matches!(letter.shape, Shape::Word(Script::Latin, _)) && letter.len() == 1
        || matches!(letter.text(text), "А" | "В" | "С" | "Е" | "Н" | "К" | "М" | "О" | "Р" | "Т" | "Х");
    let is_number = |at: usize, lengths: &[usize]| {
        tokens.get(at).is_some_and(|token| token.is_digits() && token.glued && lengths.contains(&token.len()))
    };
    if !is_letter || !letter.starts_with_a_capital() || !is_number(at + 1, &[2]) {
        return None;
    }
    let is_glued_on =
        tokens.get(at + 2).is_some_and(|next| next.glued && (next.is_word() || next.is_mark('-')));
    if is_glued_on {
        return None;
    }
    let has_part =
        tokens.get(at + 2).is_some_and(|dot| dot.is_mark('.') && dot.glued) && is_number(at + 3, &[1, 2]);
    Some(if has_part { at + 4 } else { at + 2 })
}

/// How a word about health begins; one with `=` is the whole word.
struct Stem {
    text: &'static str,
    is_whole: bool,
}

impl Stem {
    fn begins(&self, word: &str) -> bool {
        if self.is_whole { word == self.text } else { word.starts_with(self.text) }
    }
}

static STEMS: LazyLock<HashMap<&'static str, Vec<Stem>>> = LazyLock::new(|| {
    let mut stems = HashMap::<_, Vec<Stem>>::new();
    for term in TERMS.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace) {
        let stem = match term.strip_prefix('=') {
            Some(text) => Stem { text, is_whole: true },
            None => Stem { text: term, is_whole: false },
        };
        stems.entry(head(stem.text)).or_default().push(stem);
    }
    stems
});

/// The first letters of a word; all of a shorter one.
fn head(word: &str) -> &str {
    word.char_indices().nth(HEAD).map_or(word, |(end, _)| &word[..end])
}

#[cfg(test)]
mod tests {
    use crate::{Mode, for_export};

    #[test]
    fn a_clinics_text_leaves_without_what_it_says_of_health() {
        for (text, expected) in [
            (
                "У Анны гипертония и мигрень, пьёт бисопролол",
                "У [имя] [здоровье] и [здоровье], пьёт [здоровье]",
            ),
            ("Диагноз J45.0, бронхиальная астма", "[здоровье], [здоровье]"),
            ("после удаления зуба держится температура", "после [здоровье] держится [здоровье]"),
            ("Запишите на УЗИ и гастроскопию к 9:30", "Запишите на [здоровье] и [здоровье] к 9:30"),
            ("I have diabetes and take metformin", "I have [здоровье] and take [здоровье]"),
            ("код К02.1 по МКБ", "код [здоровье] по [здоровье]"),
        ] {
            assert_eq!(for_export(text, Mode::Clinic), expected);
        }
    }

    #[test]
    fn what_is_not_about_health_stays() {
        for text in [
            "Запишите на пятницу в 18:30, кабинет 12",
            "Стрижка и укладка 3 500 ₽, адрес на сайте",
            "Рак по гороскопу, ракурс другой",
            "Оплата картой, промокод B12-2026 действует до мая",
            "болельщики пришли",
        ] {
            assert_eq!(for_export(text, Mode::Clinic), text);
        }
    }

    #[test]
    fn exporting_twice_changes_nothing() {
        let text = "Иванова Мария, 12.03.1978 г.р., K21.0, рефлюкс, омепразол 20 мг, тел. 8 913 123-45-67";
        let once = for_export(text, Mode::Clinic).into_owned();
        assert_eq!(for_export(&once, Mode::Clinic), once);
        assert_eq!(once, "[имя], [дата рождения], [здоровье], [здоровье], [здоровье] 20 мг, тел. [телефон]");
    }

    #[test]
    fn without_a_clinic_health_stays_and_persons_go() {
        assert_eq!(for_export("У Анны мигрень", Mode::Personal), "У [имя] мигрень");
    }
}

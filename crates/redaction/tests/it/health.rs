//! No word of the dictionary of health leaves a clinic, in whatever form it is written.

use std::sync::LazyLock;

use proptest::prelude::*;
use redaction::{Mode, for_export};

/// Beginnings of words, and whole words.
static TERMS: LazyLock<Vec<(&str, bool)>> = LazyLock::new(|| {
    let lines = include_str!("../../src/lexicon/health.txt").lines().filter(|line| !line.starts_with('#'));
    let terms = lines.flat_map(str::split_whitespace);
    terms.map(|term| term.strip_prefix('=').map_or((term, false), |whole| (whole, true))).collect()
});

/// What Russian and English put after a stem.
const ENDINGS: &[&str] = &[
    "", "а", "я", "у", "ю", "ы", "и", "е", "о", "ой", "ей", "ою", "ом", "ем", "ам", "ям", "ами", "ями", "ах",
    "ях", "ов", "ия", "ии", "ию", "ией", "ий", "ая", "ую", "ый", "ого", "ому", "ыми", "ить", "ит", "ный",
    "s", "ed", "ing", "ic", "es",
];

const BEFORE: &[&str] =
    &["", "у меня ", "Анна: ", "(", "«", "запишите, ", "12 ", "после ", "не ", "пьёт\n", "[имя] "];
const AFTER: &[&str] =
    &["", ".", ", спасибо", "!", ")", "»", " в пятницу", "\n8 913 123-45-67", " [телефон]", "?"];

#[derive(Clone, Copy, Debug)]
enum Case {
    Lower,
    Upper,
    Title,
    Yo,
}

fn written(word: &str, case: Case) -> String {
    let mut letters = word.chars();
    match case {
        Case::Lower => word.to_owned(),
        Case::Upper => word.to_uppercase(),
        Case::Title => {
            letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        }
        Case::Yo => word.replace('е', "ё"),
    }
}

/// Whether a word of this text is, or begins with, the term.
fn says(text: &str, (term, is_whole): (&str, bool)) -> bool {
    let text = text.to_lowercase().replace('ё', "е");
    let mut words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '-');
    words.any(|word| if is_whole { word == term } else { word.starts_with(term) })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn no_word_of_the_dictionary_leaves_a_clinic_in_any_form(
        term in (0..TERMS.len()).prop_map(|at| TERMS[at]),
        ending in prop::sample::select(ENDINGS),
        before in prop::sample::select(BEFORE),
        after in prop::sample::select(AFTER),
        case in prop_oneof![Just(Case::Lower), Just(Case::Upper), Just(Case::Title), Just(Case::Yo)],
    ) {
        let word = if term.1 { term.0.to_owned() } else { format!("{}{ending}", term.0) };
        let said = format!("{before}{}{after}", written(&word, case));
        let leaves = for_export(&said, Mode::Clinic);
        prop_assert!(!says(&leaves, term), "{said:?} leaves as {leaves:?}");
    }
}

#[test]
fn every_word_of_the_dictionary_is_taken_out_as_it_stands() {
    let stays = TERMS.iter().filter(|term| says(&for_export(term.0, Mode::Clinic), **term));
    assert_eq!(stays.collect::<Vec<_>>(), Vec::<&(&str, bool)>::new());
}

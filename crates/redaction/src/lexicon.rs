//! The one dictionary: every word form that means something to a detector, by the hash of its lower-case form.
//!
//! Names lie in three files beside this one, in their base forms; cases, patronymics and Latin spellings are made from
//! them by rule when the dictionary is first used. All of it was written for this crate.

mod declension;
mod latin;
mod table;
mod vocabulary;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::LazyLock;

pub(crate) use declension::{Surname, is_patronymic, surname_by_ending};
pub(crate) use table::Table;

use crate::number::NUMBER_WORDS;

/// What a word may be: a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flags(u64);

macro_rules! flags {
    ($($(#[$doc:meta])* $name:ident = $bit:literal;)*) => {
        impl Flags {
            $($(#[$doc])* pub(crate) const $name: Self = Self(1 << $bit);)*
        }
    };
}

flags! {
    /// A first name, in whatever case it is written.
    FIRST_NAME = 0;
    /// A first name that is an ordinary word, too: with a capital and the right company.
    MAYBE_NAME = 1;
    PATRONYMIC = 2;
    /// With a capital.
    SURNAME = 3;
    /// With a capital and the right company.
    MAYBE_SURNAME = 4;
    /// "Меня зовут", "фамилия": what follows is a name even without a capital.
    SAYS_NAME = 5;
    /// A profession or a relation: "мастер", "муж".
    PERSON = 6;
    /// What a person does to be spoken of: "записан", "звонила".
    ACT = 7;
    /// What is called by a name and is no person: "салон", "крем".
    BRAND = 8;
    /// Never part of a name, whatever its capital.
    NO_NAME = 9;
    /// "к", "у", "с": often before a name.
    PREPOSITION = 10;
    STREET = 11;
    /// A street's name as such: "ленина".
    STREET_NAME = 12;
    HOUSE = 13;
    /// "корпус", "строение".
    BUILDING = 14;
    FLAT = 15;
    SETTLEMENT = 16;
    /// A town by its name.
    TOWN = 17;
    /// "живу", "адрес".
    LIVES = 18;
    /// After a number: rubles, metres, years.
    UNIT = 19;
    MONTH = 20;
    /// "рождения", "родился".
    BIRTH = 21;
    PHONE = 22;
    CARD = 23;
    PASSPORT = 24;
    SNILS = 25;
    OMS = 26;
    /// An order, an article, a contract: their numbers are nobody's.
    ORDER = 27;
    /// "номер", "№" in words: says nothing by itself.
    NUMBER = 28;
    /// "эээ", "ну", "так", between the digits of who dictates.
    FILLER = 29;
    /// "собака", "at".
    AT = 30;
    /// "точка", "dot".
    DOT = 31;
    /// "мейл", "яндекс", "gmail".
    MAIL_HOST = 32;
    /// "ру", "com".
    TOP_DOMAIN = 33;
    /// "дефис", "тире", "подчёркивание".
    DASH = 34;
    /// "года", "г".
    YEAR = 35;
    ORDINAL = 36;
    /// "плюс".
    PLUS = 37;
    /// "street", "avenue".
    ENGLISH_STREET = 38;
    /// "день", before "рождения".
    DAY = 39;
    /// "запишите", "приём": the date beside it is a visit's.
    VISIT = 40;
    /// "double", "triple".
    TIMES = 41;
    /// "нижнее", before "подчёркивание".
    LOW = 42;
    /// "серия", "series".
    SERIES = 43;
    /// "ago", "мне": neither a name nor a part of a date.
    ENGLISH_WORD = 44;
    /// A number in words.
    COUNTS = 45;
}

impl Flags {
    pub(crate) const NONE: Self = Self(0);

    #[must_use]
    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// What the dictionary knows of a word: small, for the dictionary is read at every word.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// Above the flags lies what a number in words counts.
    pub(crate) flags: Flags,
}

impl Entry {
    pub(crate) const UNKNOWN: Self = Self { flags: Flags::NONE };
    const NUMBER_AT: u32 = 48;

    /// What it counts, for a word that is a number.
    pub(crate) fn number(&self) -> Option<u16> {
        let number = u16::try_from(self.flags.0 >> Self::NUMBER_AT).ok();
        number.filter(|_| self.flags.any(Flags::COUNTS))
    }

    fn counting(number: u16) -> Flags {
        Flags::COUNTS.with(Flags(u64::from(number) << Self::NUMBER_AT))
    }
}

/// The hash of a word, made letter by letter while it is read.
///
/// It stands for the word: some forty thousand forms do not share 64 bits by chance, and what somebody makes up to
/// collide is one word more that is taken for a name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct WordHash(u64);

impl WordHash {
    /// Odd, and without a pattern: the fraction of the golden ratio.
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

    pub(crate) fn with(self, letter: u32) -> Self {
        Self((self.0.rotate_left(23) ^ u64::from(letter)).wrapping_mul(Self::FACTOR))
    }

    fn of(form: &str) -> Self {
        form.chars().fold(Self::default(), |hash, letter| hash.with(u32::from(letter)))
    }
}

/// What is looked up is a hash already; its halves are folded, for a table looks at both ends.
#[derive(Default)]
pub(crate) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, _bytes: &[u8]) {}

    fn write_u64(&mut self, key: u64) {
        self.0 = key ^ (key >> 32);
    }
}

/// Forms while they are gathered.
type Forms = HashMap<WordHash, Entry, BuildHasherDefault<AsItIs>>;

/// The dictionary: built once, from constants.
pub(crate) static LEXICON: LazyLock<Table> = LazyLock::new(|| Table::of(&forms()));

const FIRST_NAMES: &str = include_str!("lexicon/first_names.txt");
const HOMOGRAPHS: &str = include_str!("lexicon/homographs.txt");
const SURNAMES: &str = include_str!("lexicon/surnames.txt");
const ENGLISH_NAMES: &str = include_str!("lexicon/english_names.txt");

/// Every form and what it may be.
fn forms() -> Forms {
    let mut book = Book::default();
    for line in words_of(FIRST_NAMES) {
        book.add_first_name(line);
    }
    for form in words_of(HOMOGRAPHS).flat_map(str::split_whitespace) {
        book.doubt(form);
    }
    for surname in words_of(SURNAMES).flat_map(str::split_whitespace) {
        let (surname, flags) = doubted(surname, Flags::SURNAME, Flags::MAYBE_SURNAME);
        declension::surname_forms(&normal(surname), |form| book.add(form, flags));
    }
    for name in words_of(ENGLISH_NAMES).flat_map(str::split_whitespace) {
        let (name, flags) = doubted(name, Flags::FIRST_NAME, Flags::MAYBE_NAME);
        book.add(&normal(name), flags);
    }
    for (name, _) in words_of(ENGLISH_NAMES)
        .flat_map(str::split_whitespace)
        .map(|name| doubted(name, Flags::NONE, Flags::MAYBE_NAME))
        .filter(|(_, flags)| flags.any(Flags::MAYBE_NAME))
    {
        book.doubt(&normal(name));
    }
    for (flags, words) in vocabulary::VOCABULARY {
        for word in words.split_whitespace() {
            book.add(&normal(word), *flags);
        }
    }
    for (value, words) in NUMBER_WORDS {
        for word in words.split_whitespace() {
            book.add(&normal(word), Entry::counting(*value));
        }
    }
    book.forms
}

/// What the forms are written into.
#[derive(Default)]
struct Book {
    forms: Forms,
}

impl Book {
    /// A line of the file: `f` or `m`, a name, and its short forms.
    fn add_first_name(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        let is_masculine = words.next() == Some("m");
        for (index, word) in words.enumerate() {
            let (name, flags) = doubted(word, Flags::FIRST_NAME, Flags::MAYBE_NAME);
            let name = normal(name);
            declension::first_name_forms(&name, is_masculine, |form| self.add(form, flags));
            declension::vocative(&name, |form| self.add(form, Flags::MAYBE_NAME));
            if is_masculine && index == 0 {
                declension::patronymics(&name, |form| self.add(form, Flags::PATRONYMIC));
            }
            if flags == Flags::FIRST_NAME {
                latin::spellings(&name, |form| self.add(form, Flags::FIRST_NAME));
            }
        }
    }

    fn add(&mut self, form: &str, flags: Flags) {
        let entry = self.forms.entry(WordHash::of(form)).or_insert(Entry::UNKNOWN);
        entry.flags = entry.flags.with(flags);
    }

    /// What was thought a name is an ordinary word as well.
    fn doubt(&mut self, form: &str) {
        if let Some(entry) = self.forms.get_mut(&WordHash::of(form)) {
            entry.flags = entry.flags.without(Flags::FIRST_NAME).with(Flags::MAYBE_NAME);
        }
    }
}

/// The form that is looked up: lower case, е for ё.
fn normal(word: &str) -> String {
    word.to_lowercase().replace('ё', "е")
}

fn doubted(word: &str, sure: Flags, unsure: Flags) -> (&str, Flags) {
    word.strip_prefix('~').map_or((word, sure), |word| (word, unsure))
}

fn words_of(file: &'static str) -> impl Iterator<Item = &'static str> {
    file.lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(word: &str) -> Flags {
        LEXICON.get(WordHash::of(word)).flags
    }

    #[test]
    fn a_name_is_known_in_every_case_and_in_latin() {
        for form in [
            "анна",
            "анны",
            "анне",
            "анну",
            "анной",
            "наташей",
            "игорем",
            "петра",
            "павлу",
            "марией",
            "olga",
            "yulia",
        ] {
            assert!(flags(form).any(Flags::FIRST_NAME), "{form}");
        }
        for form in ["сергеевны", "ильиничне", "юрьевич", "дмитриевна", "николаевичу"]
        {
            assert!(flags(form).any(Flags::PATRONYMIC), "{form}");
        }
        for form in ["кузнецова", "кузнецову", "коваленко", "покровской", "хабибуллину"]
        {
            assert!(flags(form).any(Flags::SURNAME), "{form}");
        }
    }

    #[test]
    fn an_ordinary_word_is_no_sure_name() {
        for form in ["вера", "надежды", "кости", "марта", "роман", "света", "мира", "любой", "лизу"]
        {
            assert!(!flags(form).any(Flags::FIRST_NAME), "{form}");
        }
    }

    #[test]
    fn every_homograph_is_a_form_of_a_name() {
        let is_none = |form: &&str| !flags(form).any(Flags::MAYBE_NAME);
        let none: Vec<_> = words_of(HOMOGRAPHS).flat_map(str::split_whitespace).filter(is_none).collect();
        assert!(none.is_empty(), "{none:?}");
    }
}

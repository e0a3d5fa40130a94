//! The key file as text.
//!
//! One line a key: what it is for, and the key; lines that begin with `#` are for people.
//!
//! ```text
//! names KEY
//! seals KEY CONTACTS
//! next KEY CONTACTS
//! opens 2026-11-23T09:00:00Z KEY CONTACTS
//! ```
//!
//! `CONTACTS` is the secret half of a key for contacts, or `public:` and the public half where contacts are only sealed;
//! a file of an earlier release has none. One of a still earlier release is a single key without a word. It names and it
//! seals.

use std::str::FromStr;

use domain::timestamp::Timestamp;
use zeroize::Zeroizing;

use super::contacts::ContactsKey;
use super::{Former, Generation, KeyError, MasterKey, MasterKeys};

/// What people are told who open the file.
const HEAD: &str =
    "# Ключи Letopis: без этого файла прочесть записи нельзя. Храните копию отдельно от баз данных.
# The keys of Letopis: without this file no record can be read. Keep a copy apart from the databases.
";

/// What people are told who open one that opens no contacts.
const HEAD_OF_SERVICES: &str =
    "# Ключи Letopis для служб: контакты ими запечатываются, но не открываются. Полный файл ключей хранится отдельно.
# The keys of Letopis for services: they seal contacts and do not open them. The full key file is kept apart.
";

impl MasterKeys {
    /// Reads a key file.
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
        let lines: Vec<_> = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')).collect();
        match lines.as_slice() {
            [] => return Err(KeyError::Malformed),
            [(_, line)] if !line.contains(' ') => return MasterKey::parse(line).map(Self::of_one),
            _ => {}
        }
        let (mut names, mut seals, mut next, mut former) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (number, line) in lines {
            match line.parse().map_err(|_cause| KeyError::Line(number))? {
                Line::Names(key) => names.push(key),
                Line::Seals(generation) => seals.push(generation),
                Line::Next(generation) => next.push(generation),
                Line::Opens(generation) => former.push(generation),
            }
        }
        let next = if next.is_empty() { None } else { Some(one(next)?) };
        Ok(Self { names: one(names)?, seals: one(seals)?, next, former })
    }

    /// The text of the key file.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let head = if self.opens_contacts() { HEAD } else { HEAD_OF_SERVICES };
        let mut text = Zeroizing::new(head.to_owned());
        let mut add = |words: &[&str]| {
            words.iter().for_each(|word| text.push_str(word));
            text.push('\n');
        };
        add(&["names ", &self.names.to_text()]);
        add(&["seals ", &self.seals.to_words()]);
        if let Some(next) = &self.next {
            add(&["next ", &next.to_words()]);
        }
        for Former { generation, since } in &self.former {
            add(&["opens ", &since.to_string(), " ", &generation.to_words()]);
        }
        text
    }
}

fn one<T>(mut keys: Vec<T>) -> Result<T, KeyError> {
    keys.pop().filter(|_| keys.is_empty()).ok_or(KeyError::Roles)
}

enum Line {
    Names(MasterKey),
    Seals(Generation),
    Next(Generation),
    Opens(Former),
}

impl FromStr for Line {
    type Err = KeyError;

    fn from_str(line: &str) -> Result<Self, KeyError> {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        Ok(match words.as_slice() {
            ["names", key] => Self::Names(MasterKey::parse(key)?),
            ["seals", keys @ ..] => Self::Seals(Generation::parse(keys)?),
            ["next", keys @ ..] => Self::Next(Generation::parse(keys)?),
            ["opens", since, keys @ ..] => Self::Opens(Former {
                since: Timestamp::parse(since).map_err(|_no_instant| KeyError::Malformed)?,
                generation: Generation::parse(keys)?,
            }),
            _ => return Err(KeyError::Malformed),
        })
    }
}

impl Generation {
    fn parse(words: &[&str]) -> Result<Self, KeyError> {
        match words {
            [key] => Ok(MasterKey::parse(key)?.into()),
            [key, contacts] => {
                Ok(Self { key: MasterKey::parse(key)?, contacts: Some(ContactsKey::parse(contacts)?) })
            }
            _ => Err(KeyError::Malformed),
        }
    }

    fn to_words(&self) -> Zeroizing<String> {
        let mut words = self.key.to_text();
        if let Some(contacts) = &self.contacts {
            words.push(' ');
            words.push_str(&contacts.to_text());
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(byte: u8) -> MasterKey {
        MasterKey::from_bytes([byte; 32])
    }

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    #[test]
    fn a_file_reads_back_with_every_key_in_its_place() {
        let keys = MasterKeys::generate().unwrap();
        assert_ne!(keys.names, keys.seals.key);
        let once = keys.with_next(key(1).into()).unwrap().promoted(at("2026-11-23T09:00:00Z")).unwrap();
        let twice = once.clone().with_next(Generation::generate().unwrap()).unwrap();
        for keys in [once, twice.clone(), twice.promoted(at("2026-11-24T09:00:00.5Z")).unwrap()] {
            assert_eq!(MasterKeys::parse(&keys.to_text()).unwrap(), keys);
            let services = keys.for_services();
            assert_eq!(MasterKeys::parse(&services.to_text()).unwrap(), services);
        }
    }

    #[test]
    fn the_file_of_services_says_what_it_is_and_holds_no_secret_half() {
        let keys = MasterKeys::generate().unwrap();
        let secret = keys.seals.contacts.as_ref().unwrap().to_text();
        let text = keys.clone().for_services().to_text();
        assert!(keys.to_text().contains(&**secret) && !text.contains(&**secret));
        assert!(text.starts_with("# Ключи Letopis для служб") && text.contains(" public:"));
        assert!(keys.to_text().starts_with("# Ключи Letopis: без этого файла"));
    }

    #[test]
    fn a_file_of_one_key_names_and_seals() {
        let text = format!("{}\n", *key(3).to_text());
        assert_eq!(MasterKeys::parse(&text).unwrap(), MasterKeys::of_one(key(3)));
        for wrong in ["", "short", "!!!!", &"A".repeat(44)] {
            assert!(MasterKeys::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_file_of_the_release_before_contacts_had_a_key_is_read_and_written_as_it_was() {
        let [names, seals, next, former] = [1, 2, 3, 4].map(|byte| key(byte).to_text());
        let text = format!(
            "{HEAD}names {}\nseals {}\nnext {}\nopens 2026-11-23T09:00:00Z {}\n",
            *names, *seals, *next, *former
        );
        let keys = MasterKeys::parse(&text).unwrap();
        assert_eq!(*keys.to_text(), text);
        assert!(keys.generations().all(|generation| generation.contacts.is_none()));
        assert!(keys.opens_contacts());
        assert_eq!(keys.clone().for_services(), keys);
    }

    #[test]
    fn a_damaged_file_is_refused_by_its_line() {
        let good = MasterKeys::of_one(key(1)).to_text();
        let (one, other) = (key(1).to_text(), key(2).to_text());
        // The order of the point of zero is one: nothing could be sealed to it.
        let nowhere = "A".repeat(43);
        for (damaged, expected) in [
            (good.replace("names ", "named "), "line 3"),
            (good.replace("seals A", "seals !"), "line 4"),
            (good.replace("seals", "seals public:"), "line 4"),
            (format!("{}opens yesterday {}\n", *good, *other), "line 5"),
            (format!("{}next {} {}x\n", *good, *other, *other), "line 5"),
            (format!("{}next {} secret:{}\n", *good, *other, *other), "line 5"),
            (format!("{}next {} public:{nowhere}\n", *good, *other), "line 5"),
            (format!("{}next {} {} {}\n", *good, *other, *other, *other), "line 5"),
            (format!("{}next\n", *good), "line 5"),
            (good.replace("names", &format!("names {}", *other)), "line 3"),
            (format!("{}seals {}\n", *good, *other), "one line `names`"),
            (good.lines().take(3).fold(String::new(), |text, line| text + line + "\n"), "one line `names`"),
        ] {
            let refused = MasterKeys::parse(&damaged).unwrap_err().to_string();
            assert!(refused.contains(expected), "{refused}");
            assert!(!refused.contains(&**one) && !refused.contains(&**other), "{refused}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_reading_panic(text in "(names|seals|next|opens|public:|[ \nA-Za-z0-9_:-]){0,60}") {
            let _refused = MasterKeys::parse(&text);
        }
    }
}

//! Takes what names or reaches a person out of free text: phones, addresses, cards, papers, birth dates, names.
//!
//! ```
//! let text = "Это Анна, мой номер 8 (913) 123-45-67, запишите на 18:30";
//! assert_eq!(redaction::redact(text), "Это [имя], мой номер [телефон], запишите на 18:30");
//! ```
//!
//! A text is read once into tokens, each of which is looked up in one dictionary ([`lexicon`]). What was seen on the way
//! decides which detectors have anything to do ([`detect`]); they look at tokens, never at the text, and a bounded number
//! of them around the one they stand at, so that the time is linear whatever somebody sends. What was found becomes one
//! opaque token, and so does a placeholder that was in the text: it is why redacting twice changes nothing.
//!
//! Pure functions of the text: no clock, no settings, no I/O. What is found and what is not, with figures, is in
//! `docs/redaction.md`.

mod date;
mod detect;
pub mod health;
mod lexicon;
mod number;
mod token;

use std::borrow::Cow;
use std::ops::Range;

use crate::token::Tokens;

/// What a piece of text gives away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A telephone number, in digits or in words.
    Phone,
    /// An e-mail address, typed or dictated.
    Email,
    /// The number of a bank card.
    Card,
    /// Series and number of a passport.
    Passport,
    /// СНИЛС, the number of a pension account.
    Snils,
    /// The number of a policy of compulsory health insurance.
    Oms,
    /// The day or year somebody was born.
    BirthDate,
    /// A postal address, down to the house.
    Address,
    /// A link to a person, or one that opens something to whoever has it.
    Link,
    /// A name of a person: first name, patronymic, surname, in any company.
    Name,
    /// A diagnosis, symptom, drug or procedure; see [`health`].
    Health,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::Phone,
        Self::Email,
        Self::Card,
        Self::Passport,
        Self::Snils,
        Self::Oms,
        Self::BirthDate,
        Self::Address,
        Self::Link,
        Self::Name,
        Self::Health,
    ];

    /// What stands in its place.
    #[must_use]
    pub const fn placeholder(self) -> &'static str {
        match self {
            Self::Phone => "[телефон]",
            Self::Email => "[почта]",
            Self::Card => "[карта]",
            Self::Passport => "[паспорт]",
            Self::Snils => "[СНИЛС]",
            Self::Oms => "[полис ОМС]",
            Self::BirthDate => "[дата рождения]",
            Self::Address => "[адрес]",
            Self::Link => "[ссылка]",
            Self::Name => "[имя]",
            Self::Health => "[здоровье]",
        }
    }
}

/// A piece of a text that gives something away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub kind: Kind,
    /// Where it stands, in bytes.
    pub range: Range<usize>,
}

/// How much has to go from a text that leaves for another system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Whatever [`redact`] takes out.
    Personal,
    /// That, and every word about somebody's health: what a clinic may let out.
    Clinic,
}

/// What a text gives away, in the order of the text and without overlaps; words about health are not looked for.
#[must_use]
pub fn find(text: &str) -> Vec<Finding> {
    detect::personal(text, &mut Tokens::read(text))
}

/// The text with a placeholder for everything [`find`] finds; the text itself when that is nothing.
#[must_use]
pub fn redact(text: &str) -> Cow<'_, str> {
    replace(text, &find(text))
}

/// The text as it may leave for a CRM, an alert or an export. Services have it from `privacy::Outgoing`, which asks the tenant
/// for the mode.
#[must_use]
pub fn for_export(text: &str, mode: Mode) -> Cow<'_, str> {
    match mode {
        Mode::Personal => redact(text),
        Mode::Clinic => match redact(text) {
            Cow::Borrowed(text) => replace(text, &health::mentions(text)),
            Cow::Owned(text) => Cow::Owned(replace(&text, &health::mentions(&text)).into_owned()),
        },
    }
}

fn replace<'t>(text: &'t str, findings: &[Finding]) -> Cow<'t, str> {
    if findings.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut redacted = String::with_capacity(text.len());
    let mut rest = 0;
    for finding in findings {
        redacted.push_str(&text[rest..finding.range.start]);
        redacted.push_str(finding.kind.placeholder());
        rest = finding.range.end;
    }
    redacted.push_str(&text[rest..]);
    Cow::Owned(redacted)
}

//! Who acted, and what was done.

use std::fmt;
use std::str::FromStr;

use crate::id::ParseIdError;

/// Who did what the event reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    /// The person who came with a wish.
    Client,
    /// The bot.
    #[default]
    Assistant,
    /// A human of the business.
    Staff,
    /// A timer, a scheduler, a messenger's own notice.
    System,
    /// Bitrix24, or a person inside it.
    Crm,
}

/// The word is not an actor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be one of client, assistant, staff, system, crm")]
pub struct UnknownActor;

impl Actor {
    /// All actors.
    pub const ALL: [Self; 5] = [Self::Client, Self::Assistant, Self::Staff, Self::System, Self::Crm];

    /// The word used in JSON and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Assistant => "assistant",
            Self::Staff => "staff",
            Self::System => "system",
            Self::Crm => "crm",
        }
    }
}

impl FromStr for Actor {
    type Err = UnknownActor;
    fn from_str(word: &str) -> Result<Self, UnknownActor> {
        Self::ALL.into_iter().find(|actor| actor.as_str() == word).ok_or(UnknownActor)
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What was done: a word that means something to the funnel, or any other word, kept as given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each name is the action's own; the meanings stand in docs/event.md")]
pub enum Action {
    Message,
    CreateLead,
    Book,
    Reschedule,
    Confirm,
    Cancel,
    Remind,
    Attend,
    NoShow,
    Pay,
    Review,
    ConsentGrant,
    ConsentWithdraw,
    /// The client declined.
    Refuse,
    /// The assistant did not understand.
    Fallback,
    /// The assistant refused.
    Decline,
    Handoff,
    Call,
    LeadStage,
    /// A person says: what is named here is one client.
    SubjectJoin,
    /// A person says: what is named here is several clients.
    SubjectSplit,
    /// A word of the sender's own.
    Other(Word),
}

const KNOWN: [(&str, Action); 21] = [
    ("message", Action::Message),
    ("create_lead", Action::CreateLead),
    ("book", Action::Book),
    ("reschedule", Action::Reschedule),
    ("confirm", Action::Confirm),
    ("cancel", Action::Cancel),
    ("remind", Action::Remind),
    ("attend", Action::Attend),
    ("no_show", Action::NoShow),
    ("pay", Action::Pay),
    ("review", Action::Review),
    ("consent_grant", Action::ConsentGrant),
    ("consent_withdraw", Action::ConsentWithdraw),
    ("refuse", Action::Refuse),
    ("fallback", Action::Fallback),
    ("decline", Action::Decline),
    ("handoff", Action::Handoff),
    ("call", Action::Call),
    ("lead_stage", Action::LeadStage),
    ("subject_join", Action::SubjectJoin),
    ("subject_split", Action::SubjectSplit),
];

impl Action {
    /// Reads a word; one outside the vocabulary is kept as [`Action::Other`].
    pub fn parse(text: &str) -> Result<Self, ParseIdError> {
        match KNOWN.iter().find(|(word, _)| *word == text) {
            Some((_, action)) => Ok(action.clone()),
            None => Word::parse(text).map(Self::Other),
        }
    }

    /// The word used in JSON and in tables.
    #[must_use]
    pub fn as_str(&self) -> &str {
        if let Self::Other(word) = self {
            return word.as_str();
        }
        KNOWN.iter().find(|(_, action)| action == self).map_or("", |(word, _)| word)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A short label of the sender's choosing (an intent, an action, a scenario): at most 64 characters, none a control.
///
/// Labels are stored in the clear, so the alphabet is kept to what a program would use for a name: letters, digits
/// and `_ - . : /`. A sentence, an e-mail address or a spaced phone number does not fit. A label with ten digits or
/// more is refused too, for it may be a phone number; a date as a version (`2025-01-15`) has eight.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word(Box<str>);

impl Word {
    /// The longest label, in characters.
    pub const MAX_CHARS: usize = 64;
    const EXPECTED: &str = "letters, fewer than ten digits, and _ - . : /";

    /// Checks a label.
    pub fn parse(text: &str) -> Result<Self, ParseIdError> {
        if text.is_empty() {
            return Err(ParseIdError::Empty);
        }
        if text.chars().count() > Self::MAX_CHARS {
            return Err(ParseIdError::TooLong { max: Self::MAX_CHARS });
        }
        let fits = text.chars().all(|c| c.is_alphanumeric() || "_-.:/".contains(c));
        if !fits || text.chars().filter(|c| c.is_numeric()).count() >= 10 {
            return Err(ParseIdError::Alphabet { expected: Self::EXPECTED });
        }
        Ok(Self(text.into()))
    }

    /// The text inside.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_word_reads_back_as_itself() {
        for (word, action) in &KNOWN {
            assert_eq!(Action::parse(word).as_ref(), Ok(action));
            assert_eq!(action.as_str(), *word);
        }
    }

    #[test]
    fn a_word_outside_the_vocabulary_is_kept() {
        assert_eq!(Action::parse("send_price_list").unwrap().as_str(), "send_price_list");
        assert_eq!(Action::parse("отправить_прайс").unwrap().as_str(), "отправить_прайс");
    }

    #[test]
    fn a_label_cannot_carry_a_phone_an_address_or_a_sentence() {
        for text in ["", "79131234567", "+79131234567", "a@b.ru", "Анна Смирнова", "x\u{0}y", &"a".repeat(65)]
        {
            assert!(Action::parse(text).is_err(), "{text:?}");
        }
    }
}

//! Channels: the doors a client knocks on.

use std::fmt;
use std::str::FromStr;

/// The closed vocabulary of channels.
///
/// What a conversation runs through, not how we were told of it: a WhatsApp message reported by the bot itself and
/// one reported by Meta's webhook both have the channel `whatsapp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each name is the channel's own")]
pub enum Channel {
    Telegram,
    Whatsapp,
    Instagram,
    Max,
    Vk,
    Avito,
    Site,
    Phone,
    Sms,
    Email,
    Crm,
    Booking,
    Other,
}

impl Channel {
    /// All channels, in the order they are listed to people.
    pub const ALL: [Self; 13] = [
        Self::Telegram,
        Self::Whatsapp,
        Self::Instagram,
        Self::Max,
        Self::Vk,
        Self::Avito,
        Self::Site,
        Self::Phone,
        Self::Sms,
        Self::Email,
        Self::Crm,
        Self::Booking,
        Self::Other,
    ];

    /// The word used in JSON, in tables and in labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Telegram => "telegram",
            Self::Whatsapp => "whatsapp",
            Self::Instagram => "instagram",
            Self::Max => "max",
            Self::Vk => "vk",
            Self::Avito => "avito",
            Self::Site => "site",
            Self::Phone => "phone",
            Self::Sms => "sms",
            Self::Email => "email",
            Self::Crm => "crm",
            Self::Booking => "booking",
            Self::Other => "other",
        }
    }
}

/// The word is not in the vocabulary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be one of telegram, whatsapp, instagram, max, vk, avito, site, phone, sms, email, crm, booking, other"
)]
pub struct UnknownChannel;

impl FromStr for Channel {
    type Err = UnknownChannel;
    fn from_str(word: &str) -> Result<Self, UnknownChannel> {
        Self::ALL.into_iter().find(|channel| channel.as_str() == word).ok_or(UnknownChannel)
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

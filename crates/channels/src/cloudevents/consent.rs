//! The question by which a sender of webhooks makes sure that it is wanted.
//!
//! <https://github.com/cloudevents/spec/blob/main/cloudevents/http-webhook.md#4-abuse-protection>

use crate::{Delivery, VerifyError, proof};

/// The longest name of a system: that of a name in the DNS.
const NAME: usize = 253;

/// What is consented to. It opens nothing: each delivery proves itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Who may send: the one who asked.
    pub origin: String,
    /// How many requests a minute.
    pub rate: u64,
}

impl Consent {
    /// Answers the question, which comes as `OPTIONS`; nothing when none is asked, or by no name. `most` is how many requests a
    /// minute the source may send.
    ///
    /// Who asks need not prove anything, for a sender may well ask before it is told the secret. Whoever shows a secret,
    /// though, shows the right one: a wrong address is better found now than with the first delivery.
    pub fn asked(delivery: &Delivery<'_>, secrets: &[&[u8]], most: u64) -> Option<Result<Self, VerifyError>> {
        let text = |name| std::str::from_utf8((delivery.header)(name)?).ok().map(str::trim);
        let origin = text("webhook-request-origin").filter(|origin| is_name(origin))?;
        if let Err(wrong @ (VerifyError::WrongProof | VerifyError::NoSecret)) =
            proof::by_bearer_or_token(delivery, secrets)
        {
            return Some(Err(wrong));
        }
        let wanted = text("webhook-request-rate").and_then(|rate| rate.parse().ok());
        Some(Ok(Self { origin: origin.to_owned(), rate: wanted.unwrap_or(most).min(most).max(1) }))
    }
}

/// A name in the DNS, with a port perhaps: it is repeated in a header.
fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    (1..=NAME).contains(&text.len()) && text.bytes().all(is_plain)
}

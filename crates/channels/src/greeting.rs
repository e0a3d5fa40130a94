//! What is said at the door besides the deliveries themselves: whether this is the right address, and thanks.

use std::borrow::Cow;

use domain::registry::SourceKind;

use crate::proof::{is_one_of, verify_token};
use crate::{Delivery, VerifyError, vk, wazzup};

/// The parameter of the address under which VK's confirmation string stands.
const CONFIRM: &str = "confirm";

/// The longest question or answer that is repeated; Meta's has 10 digits, VK's 8.
const REPEATED: usize = 128;

/// What is answered with 200.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Its media type.
    pub media_type: &'static str,
    /// Its body.
    pub body: Cow<'static, str>,
}

impl Reply {
    const fn json(body: &'static str) -> Self {
        Self { media_type: "application/json", body: Cow::Borrowed(body) }
    }

    fn text(body: impl Into<Cow<'static, str>>) -> Self {
        Self { media_type: "text/plain; charset=utf-8", body: body.into() }
    }
}

/// What a messenger expects to hear once its delivery is taken. To Telegram an empty object is "nothing to do": other
/// content would be read as a method to call.
#[must_use]
pub fn thanks(kind: SourceKind) -> Reply {
    match kind {
        SourceKind::Vk => Reply::text("ok"),
        SourceKind::Jivo => Reply::json(r#"{"result":"ok"}"#),
        _ => Reply::json("{}"),
    }
}

/// Answers the question by which Meta makes sure of an address before it delivers there, which comes as a `GET`.
///
/// `None` for kinds that ask nothing.
pub fn handshake(
    kind: SourceKind,
    delivery: &Delivery<'_>,
    secrets: &[&[u8]],
) -> Option<Result<Reply, VerifyError>> {
    if !matches!(kind, SourceKind::Whatsapp | SourceKind::Instagram) {
        return None;
    }
    let parameter =
        |name: &'static str| (delivery.query)(name).ok_or_else(|| VerifyError::missing("parameter", name));
    Some((|| {
        let (token, challenge) = (parameter("hub.verify_token")?, parameter("hub.challenge")?);
        let tokens: Vec<String> = secrets.iter().map(|secret| verify_token(secret)).collect();
        let tokens: Vec<&[u8]> = tokens.iter().map(String::as_bytes).collect();
        is_one_of(&tokens, token.as_bytes())?;
        repeated(&challenge).ok_or(VerifyError::WrongProof)
    })())
}

/// Answers a delivery that brings nothing and only asks for an answer. It has proved itself, as far as it can.
///
/// `None` for what brings something.
pub fn small_talk(kind: SourceKind, delivery: &Delivery<'_>) -> Option<Result<Reply, VerifyError>> {
    match kind {
        SourceKind::Vk if vk::asks_to_confirm(delivery.body) => {
            let missing = || VerifyError::missing("parameter", CONFIRM);
            let confirmation = (delivery.query)(CONFIRM).ok_or_else(missing);
            Some(confirmation.and_then(|text| repeated(&text).ok_or(VerifyError::WrongProof)))
        }
        SourceKind::Wazzup if wazzup::is_test(delivery.body) => Some(Ok(thanks(kind))),
        _ => None,
    }
}

/// What Meta is to be told as the verify token of a source, made from its secret.
#[must_use]
pub fn token_for_meta(secret: &[u8]) -> String {
    verify_token(secret)
}

/// Gives back what was asked with, if it looks like what is asked with: this is no place to have a page printed.
fn repeated(text: &str) -> Option<Reply> {
    let is_plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
    (!text.is_empty() && text.len() <= REPEATED && is_plain(text)).then(|| Reply::text(text.to_owned()))
}

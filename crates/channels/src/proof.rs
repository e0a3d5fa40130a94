//! Proofs that a delivery comes from its source: a shared secret, or a signature made with one.

use std::borrow::Cow;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};

use crate::{Delivery, VerifyError};

/// Where messengers that sign nothing carry the secret: in the address they were given.
pub(crate) const KEY: &str = "key";

/// Where senders of webhooks carry a bearer token in the address (RFC 6750).
const ACCESS_TOKEN: &str = "access_token";

const SIGNATURE: &str = "x-hub-signature-256";

/// Whether one of the live secrets was given. All of them are compared, whole, whichever fits.
pub(crate) fn is_one_of(secrets: &[&[u8]], given: &[u8]) -> Result<(), VerifyError> {
    if secrets.is_empty() {
        return Err(VerifyError::NoSecret);
    }
    let fits = secrets.iter().fold(Choice::from(0), |fits, secret| fits | secret.ct_eq(given));
    if bool::from(fits) { Ok(()) } else { Err(VerifyError::WrongProof) }
}

/// The secret stands in a header.
pub(crate) fn in_header(delivery: &Delivery<'_>, secrets: &[&[u8]], name: &str) -> Result<(), VerifyError> {
    let given = (delivery.header)(name).ok_or_else(|| VerifyError::missing("header", name))?;
    is_one_of(secrets, given)
}

/// The secret stands in the address, as the parameter `key`.
pub(crate) fn in_address(delivery: &Delivery<'_>, secrets: &[&[u8]]) -> Result<(), VerifyError> {
    in_address_under(delivery, secrets, KEY)
}

/// The secret is a bearer token, or else stands in the address.
pub(crate) fn by_bearer_or_in_address(delivery: &Delivery<'_>, secrets: &[&[u8]]) -> Result<(), VerifyError> {
    match bearer(delivery) {
        Some(token) => is_one_of(secrets, token),
        None => in_address(delivery, secrets),
    }
}

/// The same, where the address may carry the token by its name in OAuth, too.
pub(crate) fn by_bearer_or_token(delivery: &Delivery<'_>, secrets: &[&[u8]]) -> Result<(), VerifyError> {
    match (bearer(delivery), (delivery.query)(ACCESS_TOKEN)) {
        (Some(token), _) => is_one_of(secrets, token),
        (None, Some(token)) => is_one_of(secrets, token.as_bytes()),
        (None, None) => in_address(delivery, secrets),
    }
}

/// The token of a header `Authorization: Bearer …`; the word is the same in any case.
fn bearer<'d>(delivery: &Delivery<'d>) -> Option<&'d [u8]> {
    let (scheme, token) = (delivery.header)("authorization")?.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
}

/// The secret stands in the address, as a parameter of this name.
pub(crate) fn in_address_under(
    delivery: &Delivery<'_>,
    secrets: &[&[u8]],
    name: &str,
) -> Result<(), VerifyError> {
    let given: Cow<'_, str> =
        (delivery.query)(name).ok_or_else(|| VerifyError::missing("parameter", name))?;
    is_one_of(secrets, given.as_bytes())
}

/// Meta's signature: the header `X-Hub-Signature-256` holds `sha256=` and HMAC-SHA-256 over the bytes of the body, in lower
/// case hexadecimal. Meta signs what it transmits, with everything outside ASCII escaped.
///
/// <https://developers.facebook.com/docs/graph-api/webhooks/getting-started#validate-payloads>
pub(crate) fn by_hub_signature(delivery: &Delivery<'_>, secrets: &[&[u8]]) -> Result<(), VerifyError> {
    if secrets.is_empty() {
        return Err(VerifyError::NoSecret);
    }
    let given = (delivery.header)(SIGNATURE).ok_or_else(|| VerifyError::missing("header", SIGNATURE))?;
    let given = given.strip_prefix(b"sha256=").ok_or(VerifyError::WrongProof)?;
    let given = hex::decode(given).map_err(|_not_hexadecimal| VerifyError::WrongProof)?;
    let right = secrets
        .iter()
        .fold(Choice::from(0), |fits, secret| fits | hmac_sha256(secret, delivery.body).ct_eq(&given));
    if bool::from(right) { Ok(()) } else { Err(VerifyError::WrongProof) }
}

/// What Meta is to send in its first request, as whoever sets it up tells it: made from the secret of the app, so that there is
/// nothing more to keep.
pub(crate) fn verify_token(secret: &[u8]) -> String {
    hex::encode(&hmac_sha256(secret, b"letopis verify token")[..16])
}

/// HMAC-SHA-256 under a secret's own bytes.
pub(crate) fn hmac_sha256(secret: &[u8], bytes: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(bytes);
    mac.finalize().into_bytes().into()
}

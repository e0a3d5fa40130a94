//! Standard Webhooks signatures: HMAC-SHA-256 over `{id}.{timestamp}.{body}`.
//!
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use std::str;
use std::time::Duration;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use domain::timestamp::Timestamp;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};

use crate::{Delivery, VerifyError};

/// How far the sender's clock may be from ours, either way.
const TOLERANCE: Duration = Duration::from_secs(5 * 60);

const ID: &str = "webhook-id";
const TIMESTAMP: &str = "webhook-timestamp";
const SIGNATURE: &str = "webhook-signature";

/// Senders disagree about the `=` at the end.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(crate) fn verify(delivery: &Delivery<'_>, secrets: &[&[u8]], now: Timestamp) -> Result<(), VerifyError> {
    if secrets.is_empty() {
        return Err(VerifyError::NoSecret);
    }
    let header = |name| (delivery.header)(name).ok_or_else(|| VerifyError::missing("header", name));
    let (id, timestamp, signatures) = (header(ID)?, header(TIMESTAMP)?, header(SIGNATURE)?);

    let mut fits = Choice::from(0);
    for secret in secrets {
        let right = sign(secret, &[id, b".", timestamp, b".", delivery.body]);
        for given in signatures.split(|&byte| byte == b' ').filter_map(version_one) {
            fits |= right.ct_eq(&given);
        }
    }
    if !bool::from(fits) {
        return Err(VerifyError::WrongProof);
    }
    // Only now is the timestamp known to be the sender's own.
    let sent_at = str::from_utf8(timestamp)
        .ok()
        .and_then(|text| text.parse().ok())
        .and_then(|seconds| Timestamp::from_unix_seconds(seconds).ok())
        .ok_or(VerifyError::Expired)?;
    if sent_at.distance(now) > TOLERANCE { Err(VerifyError::Expired) } else { Ok(()) }
}

/// The signature out of `v1,<base64>`; other versions (`v1a` is asymmetric) are skipped, as the specification asks.
fn version_one(entry: &[u8]) -> Option<Vec<u8>> {
    BASE64.decode(entry.strip_prefix(b"v1,")?).ok()
}

fn sign(secret: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key(secret)).expect("HMAC takes keys of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

/// The key of a secret: what `whsec_` announces in base64, or the secret's own bytes.
fn key(secret: &[u8]) -> Vec<u8> {
    secret
        .strip_prefix(b"whsec_")
        .and_then(|encoded| BASE64.decode(encoded).ok())
        .unwrap_or_else(|| secret.to_vec())
}

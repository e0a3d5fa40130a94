//! How another system proves itself, as the mapping says it does.

use base64::Engine as _;
use subtle::{Choice, ConstantTimeEq as _};

use crate::proof::{hmac_sha256, in_address_under, in_header, is_one_of};
use crate::standard_webhooks::{self, BASE64};
use crate::{Delivery, VerifyError};

/// How a delivery carries the secret, or what was made with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// In a parameter of the address.
    Parameter(String),
    /// In a header.
    Header(String),
    /// As a bearer token.
    Bearer,
    /// HMAC-SHA-256 over the bytes of the body, in a header, after a prefix.
    Hmac { header: String, prefix: String, encoding: Encoding },
    /// As Standard Webhooks has it.
    StandardWebhooks,
}

/// How a signature is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Hex,
    Base64,
}

impl Default for Proof {
    fn default() -> Self {
        Self::Parameter(crate::proof::KEY.to_owned())
    }
}

impl Proof {
    pub(super) fn verify(
        &self,
        delivery: &Delivery<'_>,
        secrets: &[&[u8]],
        now: domain::timestamp::Timestamp,
    ) -> Result<(), VerifyError> {
        match self {
            Self::Parameter(name) => in_address_under(delivery, secrets, name),
            Self::Header(name) => in_header(delivery, secrets, name),
            Self::Bearer => {
                let missing = || VerifyError::missing("header", "authorization");
                let given = (delivery.header)("authorization").ok_or_else(missing)?;
                is_one_of(secrets, given.strip_prefix(b"Bearer ").unwrap_or(given))
            }
            Self::StandardWebhooks => standard_webhooks::verify(delivery, secrets, now),
            Self::Hmac { header, prefix, encoding } => {
                if secrets.is_empty() {
                    return Err(VerifyError::NoSecret);
                }
                let given =
                    (delivery.header)(header).ok_or_else(|| VerifyError::missing("header", header))?;
                let given = given.strip_prefix(prefix.as_bytes()).ok_or(VerifyError::WrongProof)?;
                let given = encoding.decode(given).ok_or(VerifyError::WrongProof)?;
                let right = secrets.iter().fold(Choice::from(0), |fits, secret| {
                    fits | hmac_sha256(secret, delivery.body).as_slice().ct_eq(given.as_slice())
                });
                if bool::from(right) { Ok(()) } else { Err(VerifyError::WrongProof) }
            }
        }
    }
}

impl Encoding {
    fn decode(self, given: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Hex => hex::decode(given).ok(),
            Self::Base64 => BASE64.decode(given).ok(),
        }
    }
}

//! How another system proves itself, as the mapping says it does.

use base64::Engine as _;
use serde_json::Value;
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
    /// In the body itself, at this JSON pointer: of systems that sign nothing and send a token along.
    InBody(String),
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
    /// `read` reads the body, for a proof that stands in it.
    pub(super) fn verify(
        &self,
        delivery: &Delivery<'_>,
        secrets: &[&[u8]],
        now: domain::timestamp::Timestamp,
        read: impl FnOnce(&[u8]) -> Option<Value>,
    ) -> Result<(), VerifyError> {
        match self {
            Self::InBody(pointer) => {
                let body = read(delivery.body).ok_or(VerifyError::WrongProof)?;
                let given = body.pointer(pointer).and_then(Value::as_str);
                let given = given.ok_or_else(|| VerifyError::missing("member", pointer))?;
                is_one_of(secrets, given.as_bytes())
            }
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

    /// What of a body is for the proof and is not kept beside what it says: the secret, and what stands with it in one
    /// object, which is other secrets mostly.
    pub(super) fn of_body<'v>(&self, body: &'v Value) -> Option<&'v Value> {
        let Self::InBody(pointer) = self else { return None };
        let (around, _name) = pointer.rsplit_once('/')?;
        body.pointer(if around.is_empty() { pointer } else { around })
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

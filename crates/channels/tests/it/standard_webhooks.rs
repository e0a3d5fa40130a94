//! Signatures of Standard Webhooks.

use std::fs;

use channels::{VerifyError, verify};
use domain::registry::SourceKind;
use domain::timestamp::Timestamp;
use serde::Deserialize;

use crate::fixtures;

#[derive(Clone, Deserialize)]
struct Delivery {
    secret: String,
    headers: std::collections::BTreeMap<String, String>,
    raw_body: String,
}

impl Delivery {
    fn vector() -> Self {
        serde_json::from_slice(&fs::read(fixtures::folder().join("standard-webhooks.json")).unwrap()).unwrap()
    }

    fn check(&self) -> Result<(), VerifyError> {
        self.check_with(&[self.secret.as_bytes()], 0)
    }

    /// Verifies as if the delivery came `late` seconds after it was signed.
    fn check_with(&self, secrets: &[&[u8]], late: i64) -> Result<(), VerifyError> {
        let now = Timestamp::from_unix_seconds(1_674_087_231 + late).unwrap();
        let header = |name: &str| self.headers.get(name).map(String::as_bytes);
        let body = self.raw_body.as_bytes();
        let delivery = channels::Delivery { header: &header, query: &|_name| None, body };
        verify(SourceKind::Events, &delivery, secrets, now)
    }

    fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.to_owned(), value.to_owned());
        self
    }
}

#[test]
fn the_vector_of_the_specification_is_genuine() {
    assert_eq!(Delivery::vector().check(), Ok(()));
}

#[test]
fn any_of_the_live_secrets_will_do() {
    let delivery = Delivery::vector();
    assert_eq!(delivery.check_with(&[b"whsec_b3RoZXI=", delivery.secret.as_bytes()], 0), Ok(()));
    assert_eq!(delivery.check_with(&[b"whsec_b3RoZXI="], 0), Err(VerifyError::WrongProof));
    assert_eq!(delivery.check_with(&[], 0), Err(VerifyError::NoSecret));
}

#[test]
fn a_secret_may_be_given_as_its_bytes() {
    let delivery = Delivery::vector();
    assert_eq!(delivery.check_with(&[b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], 0), Ok(()));
}

#[test]
fn one_bit_wrong_anywhere_is_wrong() {
    let genuine = Delivery::vector();
    let mut body = genuine.clone();
    body.raw_body = body.raw_body.replace("created", "createe");
    let mut secret = genuine.clone();
    secret.secret = secret.secret.replacen("TWZ", "TWY", 1);
    let id = genuine.clone().with_header("webhook-id", "msg_2KWPBgLlAfxdpx2AI54pPJ85f4V");
    let time = genuine.clone().with_header("webhook-timestamp", "1674087230");
    let signature =
        genuine.with_header("webhook-signature", "v1,Z7dRrsGh1dRiPvSF61CJhy3esRetuCoogKbI7PjP/hA=");
    for (name, delivery) in
        [("body", body), ("secret", secret), ("id", id), ("time", time), ("signature", signature)]
    {
        assert_eq!(delivery.check(), Err(VerifyError::WrongProof), "{name}");
    }
}

#[test]
fn other_versions_and_rubbish_among_the_signatures_are_skipped() {
    let genuine = Delivery::vector();
    let right = genuine.headers["webhook-signature"].clone();
    let many = format!("v2,AAAA v1, v1 , v1,*** {right}");
    assert_eq!(genuine.clone().with_header("webhook-signature", &many).check(), Ok(()));
    let other_version = right.replace("v1,", "v9,");
    let other_version = genuine.with_header("webhook-signature", &other_version);
    assert_eq!(other_version.check(), Err(VerifyError::WrongProof));
}

#[test]
fn a_replay_after_five_minutes_and_a_clock_five_minutes_slow_are_expired() {
    let delivery = Delivery::vector();
    let secret = delivery.secret.as_bytes();
    for (late, expected) in
        [(300, Ok(())), (-300, Ok(())), (301, Err(VerifyError::Expired)), (-301, Err(VerifyError::Expired))]
    {
        assert_eq!(delivery.check_with(&[secret], late), expected, "{late} seconds late");
    }
}

#[test]
fn whether_a_delivery_is_old_is_only_told_to_those_who_know_the_secret() {
    assert_eq!(Delivery::vector().check_with(&[b"other"], 9_000), Err(VerifyError::WrongProof));
}

#[test]
fn a_missing_header_is_named() {
    for header in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        let mut delivery = Delivery::vector();
        delivery.headers.remove(header);
        assert_eq!(delivery.check(), Err(VerifyError::MissingProof { place: "header", name: header.into() }));
    }
}

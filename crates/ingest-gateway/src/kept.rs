//! The answer of a bot as it is kept for when the same delivery comes again: sealed, for it says things to a client.
//!
//! A receipt, which the seal is bound to; then, sealed, one line of JSON about the answer and its body.

use std::str::FromStr as _;
use std::time::Duration;

use actix_web::http::StatusCode;
use bytes::Bytes;
use domain::event::Sealed;
use domain::id::ReceiptId;
use domain::timestamp::Timestamp;
use privacy::TenantKeys;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

/// Characters of a receipt's id.
const RECEIPT: usize = 36;

/// An answer, and when it came.
pub(crate) struct Kept {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) answered_at: Timestamp,
    pub(crate) took: Duration,
}

#[derive(Serialize, Deserialize)]
struct Head {
    status: u16,
    headers: Vec<(String, String)>,
    answered_at: i64,
    took_ms: u64,
}

impl Kept {
    pub(crate) fn seal(&self, keys: &TenantKeys) -> Vec<u8> {
        let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
        let headers = self.headers.iter();
        let head = Head {
            status: self.status.as_u16(),
            headers: headers.filter_map(|(name, value)| Some((name.to_string(), text(value)?))).collect(),
            answered_at: self.answered_at.unix_micros(),
            took_ms: u64::try_from(self.took.as_millis()).unwrap_or(u64::MAX),
        };
        let mut content = serde_json::to_vec(&head).expect("texts and numbers are JSON");
        content.push(b'\n');
        content.extend_from_slice(&self.body);
        let receipt = ReceiptId::generate();
        let mut kept = receipt.to_string().into_bytes();
        kept.extend_from_slice(keys.seal_body(receipt, &content).as_bytes());
        kept
    }

    pub(crate) fn open(keys: &TenantKeys, kept: &[u8]) -> Option<Self> {
        let (receipt, sealed) = kept.split_at_checked(RECEIPT)?;
        let receipt = ReceiptId::from_str(std::str::from_utf8(receipt).ok()?).ok()?;
        let content = keys.open_body(receipt, &Sealed::from_bytes(sealed.to_vec())).ok()?;
        let end = content.iter().position(|byte| *byte == b'\n')?;
        let head: Head = serde_json::from_slice(content.get(..end)?).ok()?;
        let header = |(name, value): &(String, String)| {
            Some((HeaderName::from_str(name).ok()?, HeaderValue::from_str(value).ok()?))
        };
        Some(Self {
            status: StatusCode::from_u16(head.status).ok()?,
            headers: head.headers.iter().filter_map(header).collect(),
            body: Bytes::copy_from_slice(content.get(end + 1..)?),
            answered_at: Timestamp::from_unix_micros(head.answered_at).ok()?,
            took: Duration::from_millis(head.took_ms),
        })
    }
}

#[cfg(test)]
mod tests {
    use domain::id::TenantId;
    use privacy::{MasterKeys, Vault};

    use super::*;

    #[test]
    fn a_kept_answer_opens_as_it_was_for_its_tenant_only_and_shows_nothing_of_itself() {
        let vault = Vault::new(MasterKeys::generate().unwrap());
        let keys = |tenant| vault.tenant(&TenantId::parse(tenant).unwrap());
        let json = HeaderValue::from_static("application/json");
        let kept = Kept {
            status: StatusCode::CREATED,
            headers: HeaderMap::from_iter([(reqwest::header::CONTENT_TYPE, json)]),
            body: Bytes::from_static(b"{\"method\":\"sendMessage\",\n\"text\":\"secret\"}"),
            answered_at: Timestamp::parse("2026-01-01T12:00:00.25Z").unwrap(),
            took: Duration::from_millis(840),
        };
        let sealed = kept.seal(&keys("salon"));
        assert!(!sealed.windows(6).any(|window| window == b"secret"));
        let opened = Kept::open(&keys("salon"), &sealed).unwrap();
        assert_eq!((opened.status, &opened.headers, &opened.body), (kept.status, &kept.headers, &kept.body));
        assert_eq!((opened.answered_at, opened.took), (kept.answered_at, kept.took));
        assert!(Kept::open(&keys("clinic"), &sealed).is_none());
        for length in 0..sealed.len() {
            assert!(Kept::open(&keys("salon"), &sealed[..length]).is_none(), "{length}");
        }
    }
}

//! What an earlier master key sealed, under the current one.
//!
//! Nothing else of it changes: not the id it belongs to, not its digests, not what it says. So a thing that is sealed
//! anew twice, or read meanwhile, is the same thing.

use bytes::Bytes;
use domain::event::{Event, Sealed};
use domain::id::ReceiptId;
use event_schema::codec::{DecodeError, EventBatch, RawDelivery, decode_event, encode_event};

use crate::key::{TenantKeys, Vault};
use crate::seal::{OpenError, SealingKey};

/// What is to become of something that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resealed<T> {
    /// Nothing: all its seals are of the current key, or it has none.
    Current,
    /// This is to take its place.
    Anew(T),
}

impl<T> From<Option<T>> for Resealed<T> {
    fn from(anew: Option<T>) -> Self {
        anew.map_or(Self::Current, Self::Anew)
    }
}

/// Why something is not sealed anew.
#[derive(Debug, thiserror::Error)]
pub enum ResealError {
    /// It is no message of ours.
    #[error(transparent)]
    Unreadable(#[from] DecodeError),
    /// A seal in it does not open: its key is lost, or it is damaged.
    #[error(transparent)]
    Unopenable(#[from] OpenError),
}

impl Vault {
    /// An event as the ledger keeps it.
    pub fn reseal_event(&self, wire: Bytes) -> Result<Resealed<Bytes>, ResealError> {
        let mut event = decode_event(wire)?;
        let changed = self.tenant(&event.tenant).reseal_in(&mut event)?;
        Ok(changed.then(|| encode_event(&event)).into())
    }

    /// A delivery as quarantine keeps it.
    pub fn reseal_delivery(&self, message: Bytes) -> Result<Resealed<Bytes>, ResealError> {
        let delivery = RawDelivery::decode(message)?;
        let keys = self.tenant(&delivery.tenant);
        let anew = keys.reseal_body(delivery.receipt, &delivery.sealed_body)?;
        Ok(anew.map(|sealed_body| RawDelivery { sealed_body, ..delivery }.encode()).into())
    }

    /// Events of a receipt as quarantine keeps them.
    pub fn reseal_batch(&self, message: Bytes) -> Result<Resealed<Bytes>, ResealError> {
        let mut batch = EventBatch::decode(message)?;
        let keys = self.tenant(&batch.tenant);
        let mut changed = false;
        for event in &mut batch.events {
            changed |= keys.reseal_in(event)?;
        }
        Ok(changed.then(|| batch.encode()).into())
    }
}

impl TenantKeys {
    /// What [`TenantKeys::seal_body`] sealed; nothing where it is under the current key already.
    pub fn reseal_body(&self, receipt: ReceiptId, sealed: &Sealed) -> Result<Option<Sealed>, OpenError> {
        SealingKey::reseal(&self.bodies, receipt.as_bytes(), sealed)
    }

    /// Whether a seal of the event changed. One that does not open leaves the event as it was.
    fn reseal_in(&self, event: &mut Event) -> Result<bool, OpenError> {
        let belongs_to = *event.id.as_bytes();
        let reseal = |keys: &[SealingKey], sealed: &Option<Sealed>| {
            let sealed = sealed.as_ref().map(|sealed| SealingKey::reseal(keys, &belongs_to, sealed));
            sealed.transpose().map(Option::flatten)
        };
        let (details, contact) =
            (reseal(&self.details, &event.details)?, reseal(&self.contacts, &event.contact)?);
        let changed = details.is_some() || contact.is_some();
        event.details = details.or(event.details.take());
        event.contact = contact.or(event.contact.take());
        Ok(changed)
    }
}

#[cfg(test)]
mod tests {
    use domain::id::{SourceId, TenantId};
    use domain::timestamp::Timestamp;
    use event_schema::public;
    use proptest::prelude::*;

    use super::*;
    use crate::{MasterKey, MasterKeys, Receipt};

    /// A vault before its key was changed, while the former key still opens, and after that one is gone.
    fn vaults() -> [Vault; 3] {
        let before = MasterKeys::generate().unwrap();
        let changed = before.clone().with_next(MasterKey::generate().unwrap()).unwrap();
        let changed = changed.promoted(Timestamp::from_unix_seconds(1).unwrap()).unwrap();
        let after = changed.clone().retired();
        [before, changed, after].map(Vault::new)
    }

    fn event(vault: &Vault, said: &str) -> Event {
        let tenant = TenantId::parse("salon").unwrap();
        let body = serde_json::json!({
            "channel": "whatsapp", "session_id": "79131234567", "action": "message",
            "timestamp": "2026-11-23T09:00:00Z", "user_text": said, "contact": {"phone": "+7 913 123-45-67"},
        });
        let receipt = Receipt {
            id: ReceiptId::generate(),
            tenant: tenant.clone(),
            source: SourceId::parse("bot").unwrap(),
            received_at: Timestamp::from_unix_seconds(1_795_424_400).unwrap(),
            payload_digest: vault.tenant(&tenant).payload_digest(b""),
        };
        let observation = public::parse(body).unwrap();
        vault.tenant(&tenant).protect(observation, &receipt)
    }

    proptest! {
        #[test]
        fn an_event_sealed_anew_is_the_same_event_and_opens_without_the_former_key(said in "[а-я][а-я ]{0,40}") {
            let [before, changed, after] = vaults();
            let old = event(&before, &said);
            let keys = after.tenant(&old.tenant);
            let details = old.details.clone().unwrap();
            prop_assert!(matches!(keys.open_details(old.id, &details), Err(OpenError::UnknownKey)));
            let Resealed::Anew(wire) = changed.reseal_event(encode_event(&old)).unwrap() else { panic!("anew") };
            let new = decode_event(wire.clone()).unwrap();
            let (details, contact) = (new.details.as_ref().unwrap(), new.contact.as_ref().unwrap());
            prop_assert!(keys.open_details(new.id, details).is_ok());
            prop_assert_eq!(keys.open_contact(new.id, contact).unwrap().phone.unwrap(), "+7 913 123-45-67");
            let without_seals = |event: Event| Event { details: None, contact: None, ..event };
            prop_assert_eq!(without_seals(new), without_seals(old));
            prop_assert_eq!(changed.reseal_event(wire).unwrap(), Resealed::Current);
        }
    }

    #[test]
    fn pseudonyms_and_ids_are_the_same_under_every_key_for_seals() {
        let [before, changed, after] = vaults();
        let named = |vault: &Vault| {
            let event = event(vault, "Здравствуйте");
            (event.id, event.session, event.aliases, event.content_digest)
        };
        assert_eq!(named(&before), named(&changed));
        assert_eq!(named(&before), named(&after));
    }

    #[test]
    fn a_secret_and_a_body_open_without_the_former_key_once_they_are_sealed_anew() {
        let [before, changed, after] = vaults();
        let (source, receipt) = (SourceId::parse("bot").unwrap(), ReceiptId::generate());
        let tenant = TenantId::parse("salon").unwrap();
        let secret = changed.reseal_secret(&source, &before.seal_secret(&source, b"token")).unwrap().unwrap();
        assert_eq!(**after.open_secret(&source, &secret).unwrap(), *b"token");
        assert!(changed.reseal_secret(&source, &secret).unwrap().is_none());
        let body = before.tenant(&tenant).seal_body(receipt, b"{}");
        let body = changed.tenant(&tenant).reseal_body(receipt, &body).unwrap().unwrap();
        assert_eq!(after.tenant(&tenant).open_body(receipt, &body).unwrap(), b"{}");
    }

    #[test]
    fn what_cannot_be_opened_is_named_and_left_as_it_is() {
        let [before, changed, after] = vaults();
        let mut event = event(&before, "Здравствуйте");
        let foreign = after.reseal_event(encode_event(&event));
        assert!(matches!(foreign, Err(ResealError::Unopenable(OpenError::UnknownKey))));
        let mut bytes = event.details.take().unwrap().into_bytes();
        *bytes.last_mut().unwrap() ^= 1;
        event.details = Some(Sealed::from_bytes(bytes));
        let damaged = changed.reseal_event(encode_event(&event));
        assert!(matches!(damaged, Err(ResealError::Unopenable(OpenError::Broken))));
        let garbage = changed.reseal_delivery(Bytes::from_static(b"\xff"));
        assert!(matches!(garbage, Err(ResealError::Unreadable(DecodeError::Malformed(_)))));
    }
}

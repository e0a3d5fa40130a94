//! What an earlier master key sealed, under the current one.
//!
//! Nothing else of it changes: not the id it belongs to, not its digests, not what it says. So a thing that is sealed
//! anew twice, or read meanwhile, is the same thing.

use bytes::Bytes;
use domain::event::{Event, Sealed};
use domain::id::ReceiptId;
use event_schema::codec::{DecodeError, EventBatch, RawDelivery, decode_event, encode_event};

use crate::key::{TenantKeys, Vault};
use crate::seal::{ContactResealed, OpenError, SealingKey};

/// What is to become of something that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resealed<T> {
    /// Nothing: all its seals are of the current key, or it has none.
    Current,
    /// This is to take its place.
    Anew(T),
    /// So is this, and it holds a contact under a former key still: only who has the secret half of that key seals it anew.
    InPart(T),
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
        let seals = self.tenant(&event.tenant).reseal_in(&mut event)?;
        Ok(seals.of(|| encode_event(&event)))
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
        let mut seals = Seals::default();
        for event in &mut batch.events {
            let Seals { changed, left } = keys.reseal_in(event)?;
            seals = Seals { changed: seals.changed | changed, left: seals.left | left };
        }
        Ok(seals.of(|| batch.encode()))
    }
}

impl TenantKeys {
    /// What [`TenantKeys::seal_body`] sealed; nothing where it is under the current key already.
    pub fn reseal_body(&self, receipt: ReceiptId, sealed: &Sealed) -> Result<Option<Sealed>, OpenError> {
        SealingKey::reseal(&self.bodies, receipt.as_bytes(), sealed)
    }

    /// A seal that does not open leaves the event as it was.
    fn reseal_in(&self, event: &mut Event) -> Result<Seals, OpenError> {
        let belongs_to = *event.id.as_bytes();
        let details = match &event.details {
            Some(sealed) => SealingKey::reseal(&self.details, &belongs_to, sealed)?,
            None => None,
        };
        let (contact, left) = match &event.contact {
            Some(sealed) => match self.contacts.reseal(&belongs_to, sealed)? {
                ContactResealed::Current => (None, false),
                ContactResealed::Anew(sealed) => (Some(sealed), false),
                ContactResealed::NotHere => (None, true),
            },
            None => (None, false),
        };
        let changed = details.is_some() || contact.is_some();
        event.details = details.or(event.details.take());
        event.contact = contact.or(event.contact.take());
        Ok(Seals { changed, left })
    }
}

/// What became of seals.
#[derive(Clone, Copy, Default)]
struct Seals {
    changed: bool,
    /// One of a contact was left under a former key.
    left: bool,
}

impl Seals {
    fn of<T>(self, anew: impl FnOnce() -> T) -> Resealed<T> {
        match self {
            Self { left: true, .. } => Resealed::InPart(anew()),
            Self { changed: true, left: false } => Resealed::Anew(anew()),
            Self { changed: false, left: false } => Resealed::Current,
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::id::{SourceId, TenantId};
    use domain::timestamp::Timestamp;
    use event_schema::public;
    use proptest::prelude::*;

    use super::*;
    use crate::master::Generation;
    use crate::{MasterKeys, Receipt};

    /// A vault before its key was changed, while the former key still opens, and after that one is gone.
    fn vaults() -> [Vault; 3] {
        let before = MasterKeys::generate().unwrap();
        let changed = before.clone().with_next(Generation::generate().unwrap()).unwrap();
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

    /// A replay by the console passes it on; the admin's next pass finds it.
    #[test]
    fn services_seal_anew_all_of_an_event_but_its_contact_which_is_left_for_the_full_file() {
        let [before, changed, after] = vaults();
        let services = Vault::new(changed.masters().clone().for_services());
        let old = event(&before, "Здравствуйте");
        let batch = EventBatch {
            receipt: old.receipt,
            tenant: old.tenant.clone(),
            source: old.source.clone(),
            received_at: old.received_at,
            events: vec![old.clone()],
        };
        let Resealed::InPart(message) = services.reseal_batch(batch.encode()).unwrap() else {
            panic!("in part")
        };
        let passed_on = EventBatch::decode(message.clone()).unwrap().events.remove(0);
        assert_eq!(passed_on.contact, old.contact);
        let keys = after.tenant(&old.tenant);
        assert!(keys.open_details(old.id, passed_on.details.as_ref().unwrap()).is_ok());
        let again = services.reseal_batch(message.clone()).unwrap();
        assert_eq!(again, Resealed::InPart(message), "it is not done, and nothing of it changes");
        let Resealed::Anew(wire) = changed.reseal_event(encode_event(&passed_on)).unwrap() else {
            panic!("anew")
        };
        let done = decode_event(wire.clone()).unwrap();
        let contact = keys.open_contact(done.id, done.contact.as_ref().unwrap()).unwrap();
        assert_eq!(contact.phone.unwrap(), "+7 913 123-45-67");
        assert_eq!(services.reseal_event(wire).unwrap(), Resealed::Current);
        let fresh = services.reseal_event(encode_event(&event(&services, "Здравствуйте"))).unwrap();
        assert_eq!(fresh, Resealed::Current);
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

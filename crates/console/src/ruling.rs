//! A person says who is who: what was said becomes ordinary events, which go the way of all events and so are kept, shown and
//! proven like them. For the page and the command line.

use domain::channel::Channel;
use domain::id::{EventId, ReceiptId, SessionId, SourceId, TenantId};
use domain::registry::SourceKind;
use domain::subject::{Identity, IdentityKind};
use domain::timestamp::Timestamp;
use event_schema::codec::RawDelivery;
use ports::bus::{BusError, EventBus, Message, Partition, Topic};
use privacy::Vault;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::person::Person;

/// Where rulings come from, in the ledger.
const SOURCE: &str = "letopis-console";

/// Why nothing was ruled.
#[derive(Debug, thiserror::Error)]
pub enum RulingError {
    /// It is so already.
    #[error("they are one client already")]
    Together,
    /// It is so already.
    #[error("nothing joins this identity to the client")]
    Apart,
    /// No event has a place for both.
    #[error(
        "an event cannot name both: join over an account, an address, a lead or a booking of one of them"
    )]
    NotInOneEvent,
    /// It was not published, or only in part: asking again rules the same once more, which changes nothing.
    #[error("the ruling could not be published")]
    Bus(#[source] BusError),
}

/// Who is asked about, by whom they are asked, and what a ruling is made with.
pub struct Ruler<'a> {
    /// Where rulings go.
    pub bus: &'a dyn EventBus,
    /// Seals them.
    pub vault: &'a Vault,
    /// Whose client it is.
    pub tenant: &'a TenantId,
    /// The present.
    pub now: Timestamp,
}

impl Ruler<'_> {
    /// Says that a client goes by one of these, too: by the first that one event can name beside what the client is known by.
    /// Gives back the events that say so, once they are durable.
    pub async fn join(
        &self,
        person: &Person,
        others: &[Identity],
        reason: &str,
    ) -> Result<Vec<String>, RulingError> {
        if others.iter().any(|other| person.circle.has(other)) {
            return Err(RulingError::Together);
        }
        let own = &person.circle.identities;
        let pair = others.iter().find_map(|other| own.iter().find_map(|own| in_one_event(own, other)));
        let pair = pair.ok_or(RulingError::NotInOneEvent)?;
        self.rule("subject_join", vec![pair], reason).await
    }

    /// Says that one of the things a client is known by is somebody else's. Gives back the events that say so, once they are
    /// durable.
    pub async fn split(
        &self,
        person: &Person,
        identity: &Identity,
        reason: &str,
    ) -> Result<Vec<String>, RulingError> {
        // Every join of this identity, or it would still hang together with the rest over another.
        let joins = person.circle.links.iter().filter(|link| link.holds());
        let pairs: Vec<_> =
            joins.filter_map(|link| in_one_event(identity, link.pair.other(identity)?)).collect();
        if pairs.is_empty() {
            return Err(RulingError::Apart);
        }
        self.rule("subject_split", pairs, reason).await
    }

    /// Publishes an event for each pair.
    async fn rule(&self, action: &str, pairs: Vec<Value>, reason: &str) -> Result<Vec<String>, RulingError> {
        let keys = self.vault.tenant(self.tenant);
        let mut events = Vec::with_capacity(pairs.len());
        let mut messages = Vec::with_capacity(pairs.len());
        for mut event in pairs {
            let id = EventId::from_uuid(Uuid::new_v4());
            event["event_id"] = Value::from(id.to_string());
            event["timestamp"] = Value::from(self.now.to_string());
            event["channel"] = Value::from(Channel::Other.as_str());
            // In no conversation: nobody said it in one.
            event["session_id"] = Value::from(SessionId::of_ruling(id).as_str());
            event["actor"] = Value::from("staff");
            event["action"] = Value::from(action);
            event["attributes"] = json!({ "reason": reason });
            let body = event.to_string().into_bytes();
            let receipt = ReceiptId::generate();
            let delivery = RawDelivery {
                receipt,
                tenant: self.tenant.clone(),
                source: SourceId::parse(SOURCE).expect("a source's id of our own"),
                kind: SourceKind::Events,
                received_at: self.now,
                payload_digest: keys.payload_digest(&body),
                sealed_body: keys.seal_body(receipt, &body),
                refusal: None,
                mapping: None,
            };
            events.push(id.to_string());
            messages.push(Message::new(self.tenant.clone(), Partition::FIRST, delivery.encode()));
        }
        self.bus.publish(Topic::Raw, messages).await.map_err(RulingError::Bus)?;
        tracing::info!(action, events = events.len(), "somebody ruled who is who");
        Ok(events)
    }
}

/// What an event says that names these two and nobody else; `None` where one event cannot.
fn in_one_event(one: &Identity, other: &Identity) -> Option<Value> {
    let mut event = json!({});
    for identity in [one, other] {
        let place = match identity.kind {
            IdentityKind::Phone => "/contact/phone",
            IdentityKind::Email => "/contact/email",
            IdentityKind::Messenger if event.pointer("/contact/messenger_id").is_none() => {
                "/contact/messenger_id"
            }
            IdentityKind::Messenger => "/contact/other_messenger_id",
            IdentityKind::SenderHash => "/user_hash",
            IdentityKind::Lead => "/crm_lead_id",
            IdentityKind::Appointment => "/appointment/id",
        };
        if event.pointer(place).is_some() {
            return None;
        }
        let (parent, key) = place.rsplit_once('/')?;
        let parent = parent.trim_start_matches('/');
        let object = if parent.is_empty() { &mut event } else { &mut event[parent] };
        object[key] = Value::from(identity.as_str());
    }
    Some(event)
}

//! Everything that an earlier master key sealed, under the current one: place by place, page by page, beside what goes on.
//!
//! Keeps no state of its own. A pass that was broken off is begun anew, and what is done already is passed by: reading a
//! seal's key id costs nothing beside opening it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::event::Sealed;
use domain::quarantine::Stage;
use ports::ledger::LedgerError;
use ports::seals::{Place, Replacement, SealedAt, SealedRow, SealedStore};
use privacy::Vault;
use privacy::reseal::{ResealError, Resealed};

/// Rows looked at, and replaced, at a time: few enough for writing to go on meanwhile.
const PAGE: u32 = 500;

/// What a pass does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// Only counts.
    Count,
    /// Seals anew, as fast as it goes.
    Reseal,
    /// Seals anew and rests as long as it works, for whoever else needs the store.
    ResealGently,
}

/// What was found in a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Rows looked at.
    pub rows: u64,
    /// Rows with a seal of an earlier key: sealed anew, or to be.
    pub former: u64,
    /// Rows that no key here opens, or that are damaged. They are left as they are.
    pub unopenable: u64,
}

/// Seals anew what lies in a store.
#[derive(Clone)]
pub struct Resealer {
    /// Where it lies.
    pub store: Arc<dyn SealedStore>,
    /// Opens with every key there is, seals with the current one. One that only seals contacts is of no use here: what
    /// it leaves is counted as under a former key, again and again.
    pub vault: Arc<Vault>,
}

impl Resealer {
    /// How many rows there are to look at, about.
    ///
    /// # Errors
    /// The store does not say.
    pub async fn rows(&self) -> Result<u64, LedgerError> {
        let mut rows = 0;
        for place in Place::ALL {
            rows += self.store.count_sealed(place).await?;
        }
        Ok(rows)
    }

    /// Goes through one place; `seen` is told after each page how many rows it had.
    ///
    /// # Errors
    /// The store does not give or take something. What was done until then is done.
    pub async fn pass(
        &self,
        place: Place,
        pass: Pass,
        mut seen: impl FnMut(u64) + Send,
    ) -> Result<Tally, LedgerError> {
        let mut tally = Tally::default();
        let mut last: Option<SealedAt> = None;
        loop {
            let began = Instant::now();
            let page = self.store.sealed(place, last.as_ref(), PAGE).await?;
            let Some(end) = page.last() else { return Ok(tally) };
            last = Some(end.at.clone());
            let rows = u64::try_from(page.len()).unwrap_or(u64::MAX);
            let replacements = self.look_at(page, &mut tally);
            if pass != Pass::Count && !replacements.is_empty() {
                // A row that changed since it was read is another pass's.
                self.store.replace_sealed(&replacements).await?;
            }
            seen(rows);
            let rest = if pass == Pass::ResealGently { began.elapsed() } else { Duration::ZERO };
            tokio::time::sleep(rest).await;
        }
    }

    fn look_at(&self, page: Vec<SealedRow>, tally: &mut Tally) -> Vec<Replacement> {
        let mut replacements = Vec::new();
        for SealedRow { at, content } in page {
            tally.rows += 1;
            match reseal(&self.vault, &at, content.clone()) {
                Ok(Resealed::Current) => {}
                Ok(Resealed::Anew(after)) => {
                    tally.former += 1;
                    replacements.push(Replacement { at, before: content, after });
                }
                // Not done, and not to be done here: whoever may seal anew has the full key file, or is told so.
                Ok(Resealed::InPart(_)) => tally.former += 1,
                Err(_lost) => tally.unopenable += 1,
            }
        }
        replacements
    }
}

/// A message of the quarantine, under the current key: the same bytes where it is so already, or where nobody can help it.
/// A contact may stay under a former key: a console does not open it. [`Resealer`] does, once it is stored.
pub(crate) fn reseal_message(vault: &Vault, stage: Stage, message: Bytes) -> Bytes {
    match reseal_at(vault, stage, message.clone()) {
        Ok(Resealed::Anew(message) | Resealed::InPart(message)) => message,
        Ok(Resealed::Current) | Err(_) => message,
    }
}

fn reseal_at(vault: &Vault, stage: Stage, message: Bytes) -> Result<Resealed<Bytes>, ResealError> {
    match stage {
        Stage::Normalize => vault.reseal_delivery(message),
        Stage::Record | Stage::Analyse => vault.reseal_batch(message),
    }
}

/// Where a row lies says what it is.
fn reseal(vault: &Vault, at: &SealedAt, content: Bytes) -> Result<Resealed<Bytes>, ResealError> {
    let sealed = |content: &Bytes| Sealed::from_bytes(content.to_vec());
    let anew = |sealed: Option<Sealed>| sealed.map(|sealed| Bytes::from(sealed.into_bytes())).into();
    match at {
        SealedAt::Event { .. } => vault.reseal_event(content),
        SealedAt::Quarantined { stage, .. } => reseal_at(vault, *stage, content),
        SealedAt::Secret { source, .. } | SealedAt::Forward { source } => {
            Ok(anew(vault.reseal_secret(source, &sealed(&content))?))
        }
        SealedAt::Reason { tenant, receipt, .. } => {
            Ok(anew(vault.tenant(tenant).reseal_body(*receipt, &sealed(&content))?))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use domain::event::{Digest, Event};
    use domain::id::{ReceiptId, SourceId, TenantId};
    use domain::timestamp::Timestamp;
    use event_schema::codec::{decode_event, encode_event};
    use event_schema::public;
    use privacy::{Generation, MasterKeys, Receipt};

    use super::*;

    /// Events, and nothing in any other place.
    struct Events(Mutex<Vec<SealedRow>>);

    #[async_trait]
    impl SealedStore for Events {
        async fn count_sealed(&self, _: Place) -> Result<u64, LedgerError> {
            Ok(0)
        }

        async fn sealed(
            &self,
            place: Place,
            after: Option<&SealedAt>,
            _: u32,
        ) -> Result<Vec<SealedRow>, LedgerError> {
            let all = place == Place::Events && after.is_none();
            Ok(if all { self.0.lock().unwrap().clone() } else { Vec::new() })
        }

        async fn replace_sealed(&self, replacements: &[Replacement]) -> Result<u64, LedgerError> {
            let mut rows = self.0.lock().unwrap();
            for Replacement { at, before, after } in replacements {
                let row = rows.iter_mut().find(|row| row.at == *at && row.content == *before).unwrap();
                row.content = after.clone();
            }
            Ok(1)
        }
    }

    fn event(vault: &Vault) -> Event {
        let tenant = TenantId::parse("salon").unwrap();
        let body = serde_json::json!({
            "channel": "site", "session_id": "1", "action": "message", "timestamp": "2026-11-23T09:00:00Z",
            "user_text": "Здравствуйте", "contact": {"phone": "+7 913 123-45-67"},
        });
        let receipt = Receipt {
            id: ReceiptId::generate(),
            tenant: tenant.clone(),
            source: SourceId::parse("bot").unwrap(),
            received_at: Timestamp::from_unix_seconds(1_795_424_400).unwrap(),
            payload_digest: Digest::from_bytes([1; 32]),
        };
        vault.tenant(&tenant).protect(public::parse(body).unwrap(), &receipt)
    }

    fn row(event: &Event) -> SealedRow {
        let at = SealedAt::Event {
            tenant: event.tenant.clone(),
            session: event.session.clone(),
            occurred_at: event.occurred_at,
            id: event.id,
            received_at: event.received_at,
        };
        SealedRow { at, content: encode_event(event) }
    }

    #[tokio::test]
    async fn a_contact_that_services_cannot_open_is_not_counted_as_done_and_the_full_file_does_it() {
        let before = MasterKeys::generate().unwrap();
        let changed = before.clone().with_next(Generation::generate().unwrap()).unwrap();
        let changed = changed.promoted(Timestamp::from_unix_seconds(1).unwrap()).unwrap();
        let sealed = event(&Vault::new(before.for_services()));
        let store = Arc::new(Events(Mutex::new(vec![row(&sealed)])));
        let resealer =
            |masters: MasterKeys| Resealer { store: store.clone(), vault: Arc::new(Vault::new(masters)) };
        let (services, full) = (resealer(changed.clone().for_services()), resealer(changed.clone()));
        let tally = |former| Tally { rows: 1, former, unopenable: 0 };
        for pass in [Pass::Count, Pass::Reseal, Pass::Reseal] {
            assert_eq!(services.pass(Place::Events, pass, |_| ()).await.unwrap(), tally(1));
        }
        assert_eq!(full.pass(Place::Events, Pass::Reseal, |_| ()).await.unwrap(), tally(1));
        assert_eq!(full.pass(Place::Events, Pass::Reseal, |_| ()).await.unwrap(), tally(0));
        assert_eq!(services.pass(Place::Events, Pass::Count, |_| ()).await.unwrap(), tally(0));
        let event = decode_event(store.0.lock().unwrap()[0].content.clone()).unwrap();
        let contact = Vault::new(changed.retired()).tenant(&event.tenant);
        let contact = contact.open_contact(event.id, event.contact.as_ref().unwrap()).unwrap();
        assert_eq!(contact.phone.unwrap(), "+7 913 123-45-67");
    }
}

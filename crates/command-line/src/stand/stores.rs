//! A registry in memory, and a bus and a ledger with nothing in them.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;
use domain::audit::AuditEntry;
use domain::consent::ConsentRecord;
use domain::event::Sealed;
use domain::id::{LeadId, ReceiptId, SessionId, SourceId, TenantId};
use domain::quarantine::{Cause, CauseCount, Dismissal, ListedEntry, QuarantineEntry, Stage};
use domain::registry::{ApiKey, MappingText, Source, SourceSecret, Tenant, Trade};
use domain::rollup::Moment;
use domain::source_state::{Period, SourceState};
use domain::subject::{Identity, Link, Touch};
use domain::timestamp::Timestamp;
use ports::audit::{AuditLog, AuditQuery, AuditRow};
use ports::bus::{
    Backlog, BusError, Delivery, DeliveryTag, EventBus, Group, Message, Settlement, Subscription, Topic,
};
use ports::ledger::{Books, LedgerError, LedgerReader, SessionQuery, SessionRow, StoredEvent};
use ports::quarantine::{QuarantineQuery, QuarantineStore};
use ports::registry::{Registered, Registry, RegistryError, RegistrySnapshot};
use ports::seals::{Place, Replacement, SealedAt, SealedRow, SealedStore};
use ports::sources::{RefusalCount, SourceWatch};
use ports::subjects::SubjectReader;

#[derive(Default)]
pub(crate) struct MemoryRegistry(Mutex<RegistrySnapshot>);

#[async_trait]
impl Registry for MemoryRegistry {
    async fn version(&self) -> Result<u64, RegistryError> {
        Ok(self.0.lock().unwrap().version)
    }

    async fn snapshot(&self) -> Result<RegistrySnapshot, RegistryError> {
        Ok(self.0.lock().unwrap().clone())
    }

    async fn add_tenant(&self, tenant: &Tenant) -> Result<(), RegistryError> {
        let mut held = self.0.lock().unwrap();
        if held.tenants.iter().any(|known| known.id == tenant.id) {
            return Err(RegistryError::Exists);
        }
        held.tenants.push(tenant.clone());
        Ok(())
    }

    async fn set_trade(&self, tenant: &TenantId, trade: Trade) -> Result<(), RegistryError> {
        let mut held = self.0.lock().unwrap();
        let known = held.tenants.iter_mut().find(|known| known.id == *tenant);
        known.ok_or(RegistryError::NotFound)?.trade = trade;
        Ok(())
    }

    async fn add_source(&self, source: &Source) -> Result<(), RegistryError> {
        let mut held = self.0.lock().unwrap();
        if held.sources.iter().any(|known| known.id == source.id) {
            return Err(RegistryError::Exists);
        }
        if !held.tenants.iter().any(|tenant| tenant.id == source.tenant) {
            return Err(RegistryError::NotFound);
        }
        held.sources.push(source.clone());
        Ok(())
    }

    async fn add_key(&self, key: &ApiKey) -> Result<(), RegistryError> {
        let mut held = self.0.lock().unwrap();
        if !held.tenants.iter().any(|tenant| Some(&tenant.id) == key.tenant.as_ref()) {
            return Err(RegistryError::NotFound);
        }
        held.keys.push(key.clone());
        Ok(())
    }

    async fn add_secret(&self, source: &SourceId, secret: &SourceSecret) -> Result<(), RegistryError> {
        self.retire_secrets(source).await?;
        let mut held = self.0.lock().unwrap();
        held.sources.iter_mut().find(|known| known.id == *source).unwrap().secrets.push(secret.clone());
        Ok(())
    }

    async fn retire_secrets(&self, source: &SourceId) -> Result<(), RegistryError> {
        let mut held = self.0.lock().unwrap();
        let known = held.sources.iter_mut().find(|known| known.id == *source);
        let secrets = &mut known.ok_or(RegistryError::NotFound)?.secrets;
        secrets.drain(..secrets.len().saturating_sub(1));
        Ok(())
    }

    async fn set_forward(&self, source: &SourceId, to: Option<&Sealed>) -> Result<(), RegistryError> {
        let mut held = self.0.lock().unwrap();
        let known = held.sources.iter_mut().find(|known| known.id == *source);
        known.ok_or(RegistryError::NotFound)?.forward_to = to.cloned();
        Ok(())
    }

    async fn set_mapping(&self, source: &SourceId, mapping: &MappingText) -> Result<(), RegistryError> {
        let mut held = self.0.lock().unwrap();
        let known = held.sources.iter_mut().find(|known| known.id == *source);
        known.ok_or(RegistryError::NotFound)?.mapping = Some(mapping.clone());
        held.version += 1;
        Ok(())
    }

    async fn revoke(&self, what: &Registered, now: Timestamp) -> Result<(), RegistryError> {
        let mut held = self.0.lock().unwrap();
        let Registered::Tenant(id) = what else { unreachable!("no test revokes anything else") };
        let tenant =
            held.tenants.iter_mut().find(|tenant| tenant.id == *id).ok_or(RegistryError::NotFound)?;
        tenant.revoked_at.get_or_insert(now);
        Ok(())
    }
}

/// A store that holds nothing.
pub(crate) struct Empty;

#[async_trait]
impl LedgerReader for Empty {
    async fn sessions(&self, _: &SessionQuery) -> Result<Vec<SessionRow>, LedgerError> {
        Ok(Vec::new())
    }

    async fn session(&self, _: &TenantId, _: &[SessionId]) -> Result<Option<SessionRow>, LedgerError> {
        Ok(None)
    }

    async fn timeline(
        &self,
        _: &TenantId,
        _: &SessionId,
        _: Option<Moment>,
        _: u32,
    ) -> Result<Vec<StoredEvent>, LedgerError> {
        Ok(Vec::new())
    }

    async fn lead_events(
        &self,
        _: &TenantId,
        _: LeadId,
        _: Option<Moment>,
        _: u32,
    ) -> Result<Vec<StoredEvent>, LedgerError> {
        Ok(Vec::new())
    }

    async fn books(&self) -> Result<Vec<Books>, LedgerError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl SubjectReader for Empty {
    async fn links(&self, _: &TenantId, _: &[Identity]) -> Result<Vec<Link>, LedgerError> {
        Ok(Vec::new())
    }

    async fn touches(&self, _: &TenantId, _: &[Identity]) -> Result<Vec<Touch>, LedgerError> {
        Ok(Vec::new())
    }

    async fn named_in(&self, _: &TenantId, _: &[SessionId]) -> Result<Vec<Touch>, LedgerError> {
        Ok(Vec::new())
    }

    async fn sessions_known(&self, _: &TenantId, _: &[SessionId]) -> Result<Vec<SessionRow>, LedgerError> {
        Ok(Vec::new())
    }

    async fn consents(&self, _: &TenantId, _: &[SessionId]) -> Result<Vec<ConsentRecord>, LedgerError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl QuarantineStore for Empty {
    async fn list(&self, _: &QuarantineQuery) -> Result<Vec<ListedEntry>, LedgerError> {
        Ok(Vec::new())
    }

    async fn load(
        &self,
        _: &TenantId,
        _: &[(ReceiptId, Stage)],
    ) -> Result<Vec<QuarantineEntry>, LedgerError> {
        Ok(Vec::new())
    }

    async fn causes(&self, _: &TenantId, _: u32) -> Result<Vec<CauseCount>, LedgerError> {
        Ok(Vec::new())
    }

    async fn show(&self, _: &TenantId, _: ReceiptId) -> Result<Vec<QuarantineEntry>, LedgerError> {
        Ok(Vec::new())
    }

    async fn mark_replaying(&self, _: &QuarantineEntry) -> Result<(), LedgerError> {
        unreachable!("there is nothing to replay")
    }

    async fn dismiss(
        &self,
        _: Dismissal,
        _: (&TenantId, &Cause),
        _: Timestamp,
        _: u32,
    ) -> Result<u64, LedgerError> {
        unreachable!("there is nothing to dismiss")
    }

    async fn resolve(&self, _: &QuarantineEntry) -> Result<(), LedgerError> {
        unreachable!("there is nothing to resolve")
    }
}

#[async_trait]
impl AuditLog for Empty {
    async fn add_audit(&self, _: &[AuditEntry]) -> Result<(), LedgerError> {
        unreachable!("there is nothing to open")
    }

    async fn audit(&self, _: &AuditQuery) -> Result<Vec<AuditRow>, LedgerError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl SourceWatch for Empty {
    async fn states(&self, _: Option<&TenantId>, _: Timestamp) -> Result<Vec<SourceState>, LedgerError> {
        Ok(Vec::new())
    }

    async fn add_refusals(&self, _: &[RefusalCount]) -> Result<(), LedgerError> {
        unreachable!("nothing is refused")
    }

    async fn forget_periods(&self, _: Period) -> Result<u64, LedgerError> {
        unreachable!("commands forget nothing")
    }
}

#[async_trait]
impl EventBus for Empty {
    async fn ensure_group(&self, _: Topic, _: Group) -> Result<(), BusError> {
        unreachable!("commands read no topic")
    }

    async fn publish(&self, _: Topic, _: Vec<Message>) -> Result<(), BusError> {
        unreachable!("there is nothing to replay")
    }

    async fn claim(&self, _: &Subscription, _: usize, _: Duration) -> Result<Vec<Delivery>, BusError> {
        unreachable!("commands read no topic")
    }

    async fn extend(&self, _: &Subscription, _: &[DeliveryTag]) -> Result<(), BusError> {
        unreachable!("commands read no topic")
    }

    async fn release(&self, _: &Subscription, _: &[DeliveryTag]) -> Result<(), BusError> {
        unreachable!("commands read no topic")
    }

    async fn settle(&self, _: &Subscription, _: Vec<Settlement>) -> Result<(), BusError> {
        unreachable!("commands read no topic")
    }

    async fn backlog(&self, _: Topic, _: Group) -> Result<Backlog, BusError> {
        Ok(Backlog::default())
    }

    async fn accepted(&self, _: Topic) -> Result<BTreeMap<TenantId, u64>, BusError> {
        Ok(BTreeMap::new())
    }

    async fn probe(&self) -> Result<(), BusError> {
        Ok(())
    }
}

#[async_trait]
impl SealedStore for Empty {
    async fn count_sealed(&self, _: Place) -> Result<u64, LedgerError> {
        Ok(0)
    }

    async fn sealed(&self, _: Place, _: Option<&SealedAt>, _: u32) -> Result<Vec<SealedRow>, LedgerError> {
        Ok(Vec::new())
    }

    async fn replace_sealed(&self, _: &[Replacement]) -> Result<u64, LedgerError> {
        Ok(0)
    }
}

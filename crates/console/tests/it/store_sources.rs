//! The registry and the states of sources, over the same few vectors.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use domain::event::Sealed;
use domain::id::{SourceId, TenantId};
use domain::quarantine::QuarantineState;
use domain::registry::{ApiKey, MappingText, Source, SourceSecret, Tenant, Trade};
use domain::rollup::Moment;
use domain::source_state::{Period, Refused, SourceNews, SourceState};
use domain::timestamp::Timestamp;
use ports::ledger::LedgerError;
use ports::registry::{Registered, Registry, RegistryError, RegistrySnapshot};
use ports::sources::{RefusalCount, SourceWatch};

use super::{Held, Store};

#[async_trait]
impl SourceWatch for Store {
    async fn states(
        &self,
        tenant: Option<&TenantId>,
        now: Timestamp,
    ) -> Result<Vec<SourceState>, LedgerError> {
        let mut states = states(&*self.reading()?, now);
        states.retain(|state| tenant.is_none_or(|tenant| state.tenant == *tenant));
        Ok(states)
    }

    async fn add_refusals(&self, refusals: &[RefusalCount]) -> Result<(), LedgerError> {
        self.held().refusals.extend_from_slice(refusals);
        Ok(())
    }

    async fn forget_periods(&self, _before: Period) -> Result<u64, LedgerError> {
        Ok(0)
    }
}

fn states(held: &Held, now: Timestamp) -> Vec<SourceState> {
    let mut news = SourceNews::default();
    for (event, _) in &held.events {
        let moment = Moment { at: event.occurred_at, event: event.id };
        news.add((&event.tenant, &event.source), event.received_at, (&event.session, moment));
    }
    let mut states: BTreeMap<(TenantId, SourceId), SourceState> = BTreeMap::new();
    let unheard = |key: &(TenantId, SourceId)| SourceState::unheard(key.0.clone(), key.1.clone());
    for (tenant, source, of_source) in news.iter() {
        let state = states.entry((tenant.clone(), source.clone())).or_insert_with_key(unheard);
        state.heard = Some(of_source.heard.clone());
        for (period, sum) in &of_source.periods {
            if *period >= Period::hour_before(now) {
                state.events_last_hour += sum.events;
            }
            if *period >= Period::day_before(now) {
                state.events_last_day += sum.events;
                let ahead = u64::try_from(sum.ahead_micros).ok().filter(|micros| *micros > 0);
                state.greatest_ahead = state.greatest_ahead.max(ahead.map(Duration::from_micros));
            }
        }
    }
    for entry in held
        .quarantine
        .iter()
        .filter(|entry| matches!(entry.state, QuarantineState::Open | QuarantineState::Replaying))
    {
        let key = (entry.tenant.clone(), entry.source.clone());
        let state = states.entry(key).or_insert_with_key(unheard);
        state.quarantined += 1;
        state.quarantined_at = state.quarantined_at.max(Some(entry.quarantined_at));
    }
    for refused in &held.refusals {
        let key = (refused.tenant.clone(), refused.source.clone());
        let RefusalCount { reason, times, last_at, .. } = *refused;
        states.entry(key).or_insert_with_key(unheard).refused.push(Refused { reason, times, last_at });
    }
    states.into_values().collect()
}

#[async_trait]
impl Registry for Store {
    async fn version(&self) -> Result<u64, RegistryError> {
        Ok(self.held().registry.version)
    }

    async fn snapshot(&self) -> Result<RegistrySnapshot, RegistryError> {
        Ok(self.held().registry.clone())
    }

    async fn add_tenant(&self, _: &Tenant) -> Result<(), RegistryError> {
        unreachable!("the console adds no tenants")
    }

    async fn set_trade(&self, tenant: &TenantId, trade: Trade) -> Result<(), RegistryError> {
        let mut held = self.held();
        let known = held.registry.tenants.iter_mut().find(|known| known.id == *tenant);
        known.ok_or(RegistryError::NotFound)?.trade = trade;
        held.registry.version += 1;
        Ok(())
    }

    async fn add_source(&self, source: &Source) -> Result<(), RegistryError> {
        let mut held = self.held();
        if held.registry.sources.iter().any(|known| known.id == source.id) {
            return Err(RegistryError::Exists);
        }
        held.registry.sources.push(source.clone());
        held.registry.version += 1;
        Ok(())
    }

    async fn add_key(&self, key: &ApiKey) -> Result<(), RegistryError> {
        let mut held = self.held();
        held.registry.keys.push(key.clone());
        held.registry.version += 1;
        Ok(())
    }

    async fn add_secret(&self, source: &SourceId, secret: &SourceSecret) -> Result<(), RegistryError> {
        self.retire_secrets(source).await?;
        let mut held = self.held();
        let known = held.registry.sources.iter_mut().find(|known| known.id == *source);
        known.ok_or(RegistryError::NotFound)?.secrets.push(secret.clone());
        held.registry.version += 1;
        Ok(())
    }

    async fn retire_secrets(&self, source: &SourceId) -> Result<(), RegistryError> {
        let mut held = self.held();
        let known = held.registry.sources.iter_mut().find(|known| known.id == *source);
        let secrets = &mut known.ok_or(RegistryError::NotFound)?.secrets;
        secrets.drain(..secrets.len().saturating_sub(1));
        held.registry.version += 1;
        Ok(())
    }

    async fn set_forward(&self, _: &SourceId, _: Option<&Sealed>) -> Result<(), RegistryError> {
        unreachable!("the console passes nothing on")
    }

    async fn set_mapping(&self, source: &SourceId, mapping: &MappingText) -> Result<(), RegistryError> {
        let mut held = self.held();
        let known = held.registry.sources.iter_mut().find(|known| known.id == *source);
        known.ok_or(RegistryError::NotFound)?.mapping = Some(mapping.clone());
        held.registry.version += 1;
        Ok(())
    }

    async fn revoke(&self, _: &Registered, _: Timestamp) -> Result<(), RegistryError> {
        unreachable!("the console revokes nothing")
    }
}

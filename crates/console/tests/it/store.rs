//! Every port of the console over a few vectors.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use actix_web::web::Bytes;
use async_trait::async_trait;
use domain::audit::AuditEntry;
use domain::consent::ConsentRecord;
use domain::event::Event;
use domain::id::{LeadId, ReceiptId, SessionId, TenantId};
use domain::overview::{AppointmentFigures, ChannelFigures, SessionFigures};
use domain::quarantine::{
    Cause, CauseCount, Dismissal, ListedEntry, QuarantineEntry, QuarantineState, Stage,
};
use domain::rollup::{AppointmentRollup, Mark, Marks, Moment, SessionRollup};
use domain::session::Outcome;
use domain::subject::{Identity, Learned, Link, Touch};
use domain::timestamp::Timestamp;
use event_schema::codec::{decode_event, encode_event};
use ports::analytics::{AnalyticsError, AnalyticsStore, Period};
use ports::audit::{AboutFilter, AuditLog, AuditQuery, AuditRow};
use ports::bus::{
    Backlog, BusError, Delivery, DeliveryTag, EventBus, Group, Message, Settlement, Subscription, Topic,
};
use ports::ledger::{Books, LedgerError, LedgerReader, SessionQuery, SessionRow, StoredEvent};
use ports::quarantine::{QuarantineQuery, QuarantineStore};
use ports::registry::RegistrySnapshot;
use ports::sources::RefusalCount;
use ports::subjects::SubjectReader;
use uuid::Uuid;

#[path = "store_sources.rs"]
mod sources;

#[derive(Default)]
pub(crate) struct Store {
    held: Mutex<Held>,
}

#[derive(Default)]
pub(crate) struct Held {
    pub(crate) events: Vec<(Event, StoredEvent)>,
    pub(crate) quarantine: Vec<QuarantineEntry>,
    pub(crate) published: Vec<(Topic, Message)>,
    pub(crate) accepted: BTreeMap<TenantId, u64>,
    pub(crate) duplicates: BTreeMap<TenantId, u64>,
    pub(crate) is_down: bool,
    /// How often events were read.
    pub(crate) timeline_reads: u32,
    pub(crate) registry: RegistrySnapshot,
    pub(crate) refusals: Vec<RefusalCount>,
    pub(crate) audit: Vec<AuditEntry>,
    /// Whether nothing can be written down.
    pub(crate) audit_is_down: bool,
    pub(crate) in_flight: BTreeMap<TenantId, u64>,
    receipts: u128,
}

impl Held {
    pub(crate) fn receipt(&mut self, tenant: &TenantId) -> ReceiptId {
        *self.accepted.entry(tenant.clone()).or_default() += 1;
        self.receipts += 1;
        ReceiptId::from_uuid(Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0000 + self.receipts))
    }

    fn learned(&self, tenant: &TenantId) -> Learned {
        let mut learned = Learned::default();
        for (event, _) in self.events.iter().filter(|(event, _)| event.tenant == *tenant) {
            learned.add(tenant, event);
        }
        learned.merged()
    }

    fn rollups(&self, tenant: &TenantId) -> Vec<SessionRow> {
        let mut rows: BTreeMap<SessionId, SessionRow> = BTreeMap::new();
        for (event, _) in self.events.iter().filter(|(event, _)| event.tenant == *tenant) {
            let next = SessionRollup::of(event);
            let row = match rows.remove(&event.session) {
                Some(row) => SessionRow { rollup: row.rollup.merge(next), events: row.events + 1 },
                None => SessionRow { rollup: next, events: 1 },
            };
            rows.insert(event.session.clone(), row);
        }
        rows.into_values().collect()
    }

    fn events_where(
        &self,
        tenant: &TenantId,
        after: Option<Moment>,
        limit: u32,
        wanted: impl Fn(&Event) -> bool,
    ) -> Vec<StoredEvent> {
        let moment = |event: &Event| Moment { at: event.occurred_at, event: event.id };
        let mut found: Vec<_> = self
            .events
            .iter()
            .filter(|(event, _)| event.tenant == *tenant && wanted(event))
            .filter(|(event, _)| after.is_none_or(|after| moment(event) > after))
            .collect();
        found.sort_by_key(|(event, _)| moment(event));
        found.into_iter().take(usize::try_from(limit).unwrap()).map(|(_, stored)| stored.clone()).collect()
    }
}

impl Store {
    pub(crate) fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap()
    }

    fn reading(&self) -> Result<MutexGuard<'_, Held>, LedgerError> {
        let held = self.held();
        if held.is_down { Err(LedgerError::Unavailable("unplugged".into())) } else { Ok(held) }
    }
}

#[async_trait]
impl LedgerReader for Store {
    async fn sessions(&self, query: &SessionQuery) -> Result<Vec<SessionRow>, LedgerError> {
        let mut rows = self.reading()?.rollups(&query.tenant);
        rows.retain(|SessionRow { rollup, .. }| {
            (rollup.marks != Marks::default() || !rollup.session.as_str().starts_with("ruling-"))
                && query.channel.is_none_or(|channel| rollup.opened.value == channel)
                && query.outcome.is_none_or(|outcome| Outcome::of(rollup) == outcome)
                && query.from.is_none_or(|from| rollup.last.at >= from)
                && query.until.is_none_or(|until| rollup.last.at < until)
                && query
                    .after
                    .as_ref()
                    .is_none_or(|after| (rollup.last.at, &rollup.session) < (after.last_at, &after.session))
        });
        rows.sort_by(|a, b| {
            (b.rollup.last.at, &b.rollup.session).cmp(&(a.rollup.last.at, &a.rollup.session))
        });
        rows.truncate(usize::try_from(query.limit).unwrap());
        Ok(rows)
    }

    async fn session(&self, tenant: &TenantId, ids: &[SessionId]) -> Result<Option<SessionRow>, LedgerError> {
        Ok(self.reading()?.rollups(tenant).into_iter().find(|row| ids.contains(&row.rollup.session)))
    }

    async fn timeline(
        &self,
        tenant: &TenantId,
        session: &SessionId,
        after: Option<Moment>,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, LedgerError> {
        let mut held = self.reading()?;
        held.timeline_reads += 1;
        Ok(held.events_where(tenant, after, limit, |event| event.session == *session))
    }

    async fn lead_events(
        &self,
        tenant: &TenantId,
        lead: LeadId,
        after: Option<Moment>,
        limit: u32,
    ) -> Result<Vec<StoredEvent>, LedgerError> {
        Ok(self.reading()?.events_where(tenant, after, limit, |event| event.lead == Some(lead)))
    }

    async fn books(&self) -> Result<Vec<Books>, LedgerError> {
        let held = self.reading()?;
        let of = |tenant: &TenantId| {
            let events = held.events.iter().filter(|(event, _)| event.tenant == *tenant).count();
            let waiting = held.quarantine.iter().filter(|entry| entry.tenant == *tenant).count();
            Books {
                tenant: tenant.clone(),
                stored: u64::try_from(events).unwrap(),
                duplicate: held.duplicates.get(tenant).copied().unwrap_or_default(),
                quarantined: u64::try_from(waiting).unwrap(),
            }
        };
        Ok(held.accepted.keys().map(of).collect())
    }
}

#[async_trait]
impl SubjectReader for Store {
    async fn links(&self, tenant: &TenantId, of: &[Identity]) -> Result<Vec<Link>, LedgerError> {
        let links = self.reading()?.learned(tenant).links.into_iter().map(|(_, link)| link);
        Ok(links.filter(|link| of.iter().any(|one| link.pair.other(one).is_some())).collect())
    }

    async fn touches(&self, tenant: &TenantId, of: &[Identity]) -> Result<Vec<Touch>, LedgerError> {
        let touches = self.reading()?.learned(tenant).touches.into_iter().map(|(_, touch)| touch);
        Ok(touches.filter(|touch| of.contains(&touch.identity)).collect())
    }

    async fn named_in(&self, tenant: &TenantId, sessions: &[SessionId]) -> Result<Vec<Touch>, LedgerError> {
        let touches = self.reading()?.learned(tenant).touches.into_iter().map(|(_, touch)| touch);
        Ok(touches.filter(|touch| sessions.contains(&touch.session)).collect())
    }

    async fn sessions_known(
        &self,
        tenant: &TenantId,
        sessions: &[SessionId],
    ) -> Result<Vec<SessionRow>, LedgerError> {
        let mut rows = self.reading()?.rollups(tenant);
        rows.retain(|row| sessions.contains(&row.rollup.session));
        Ok(rows)
    }

    async fn consents(
        &self,
        tenant: &TenantId,
        sessions: &[SessionId],
    ) -> Result<Vec<ConsentRecord>, LedgerError> {
        let records = self.reading()?.learned(tenant).consents.into_iter().map(|(_, record)| record);
        let mut records: Vec<_> = records.filter(|record| sessions.contains(&record.session)).collect();
        records.sort_by_key(ConsentRecord::place);
        Ok(records)
    }
}

#[async_trait]
impl QuarantineStore for Store {
    async fn list(&self, query: &QuarantineQuery) -> Result<Vec<ListedEntry>, LedgerError> {
        let mut entries: Vec<_> = self.reading()?.quarantine.iter().map(ListedEntry::from).collect();
        entries.retain(|entry| {
            entry.tenant == query.tenant
                && query.class.is_none_or(|class| entry.reason.class == class)
                && query.cause.as_ref().is_none_or(|cause| cause_of(entry) == *cause)
                && !(query.kept && entry.is_expired())
                && query.source.as_ref().is_none_or(|source| entry.source == *source)
                && query.stage.is_none_or(|stage| entry.stage == stage)
                && query.state.is_none_or(|state| entry.state == state)
                && query.after.is_none_or(|after| (entry.quarantined_at, entry.receipt) < after)
        });
        entries.sort_by_key(|entry| std::cmp::Reverse((entry.quarantined_at, entry.receipt)));
        entries.truncate(usize::try_from(query.limit).unwrap());
        Ok(entries)
    }

    async fn load(
        &self,
        tenant: &TenantId,
        entries: &[(ReceiptId, Stage)],
    ) -> Result<Vec<QuarantineEntry>, LedgerError> {
        let mut loaded = self.reading()?.quarantine.clone();
        loaded.retain(|entry| entry.tenant == *tenant && entries.contains(&(entry.receipt, entry.stage)));
        Ok(loaded)
    }

    async fn causes(&self, tenant: &TenantId, _limit: u32) -> Result<Vec<CauseCount>, LedgerError> {
        let mut causes: BTreeMap<(Cause, bool), CauseCount> = BTreeMap::new();
        for entry in &self.reading()?.quarantine {
            if entry.tenant != *tenant || entry.state == QuarantineState::Resolved {
                continue;
            }
            let is_dismissed = entry.state == QuarantineState::Dismissed;
            let count = causes.entry((cause_of(&ListedEntry::from(entry)), is_dismissed)).or_insert_with_key(
                |(cause, _)| CauseCount {
                    cause: cause.clone(),
                    open: 0,
                    replaying: 0,
                    dismissed: 0,
                    expired: 0,
                    first_at: entry.received_at,
                    last_at: entry.received_at,
                    example: entry.receipt,
                },
            );
            count.open += u64::from(entry.state == QuarantineState::Open);
            count.replaying += u64::from(entry.state == QuarantineState::Replaying);
            count.dismissed += u64::from(is_dismissed);
            count.expired += u64::from(entry.is_expired());
            count.first_at = count.first_at.min(entry.received_at);
            count.last_at = count.last_at.max(entry.received_at);
            count.example = count.example.max(entry.receipt);
        }
        Ok(causes.into_values().collect())
    }

    async fn show(&self, tenant: &TenantId, receipt: ReceiptId) -> Result<Vec<QuarantineEntry>, LedgerError> {
        let mut entries = self.reading()?.quarantine.clone();
        entries.retain(|entry| entry.tenant == *tenant && entry.receipt == receipt);
        Ok(entries)
    }

    async fn mark_replaying(&self, seen: &QuarantineEntry) -> Result<(), LedgerError> {
        let mut held = self.reading()?;
        for entry in held.quarantine.iter_mut().filter(|entry| entry.tenant == seen.tenant) {
            if (entry.receipt, entry.stage) == (seen.receipt, seen.stage) {
                entry.state = QuarantineState::Replaying;
                entry.replays += 1;
            }
        }
        Ok(())
    }

    async fn dismiss(
        &self,
        dismissal: Dismissal,
        (tenant, cause): (&TenantId, &Cause),
        before: Timestamp,
        limit: u32,
    ) -> Result<u64, LedgerError> {
        let mut held = self.reading()?;
        let meant = held.quarantine.iter_mut().filter(|entry| {
            entry.tenant == *tenant
                && cause_of(&ListedEntry::from(&**entry)) == *cause
                && dismissal.from().contains(&entry.state)
                && entry.quarantined_at < before
        });
        let moved = meant.take(usize::try_from(limit).unwrap()).map(|entry| entry.state = dismissal.to());
        Ok(u64::try_from(moved.count()).unwrap())
    }

    async fn resolve(&self, seen: &QuarantineEntry) -> Result<(), LedgerError> {
        let mut held = self.reading()?;
        for entry in held.quarantine.iter_mut().filter(|entry| entry.tenant == seen.tenant) {
            if (entry.receipt, entry.stage) == (seen.receipt, seen.stage) {
                entry.state = QuarantineState::Resolved;
            }
        }
        Ok(())
    }
}

#[async_trait]
impl AnalyticsStore for Store {
    async fn absorb(&self, _events: &[Event]) -> Result<(), AnalyticsError> {
        Ok(())
    }

    async fn overview(
        &self,
        tenant: &TenantId,
        period: Period,
    ) -> Result<Vec<ChannelFigures>, AnalyticsError> {
        let held = self.held();
        if held.is_down {
            return Err(AnalyticsError::Unavailable("unplugged".into()));
        }
        let within = |at: Timestamp| period.from <= at && at < period.until;
        let mut figures: BTreeMap<_, (SessionFigures, AppointmentFigures)> = BTreeMap::new();
        for SessionRow { rollup, .. } in held.rollups(tenant) {
            if within(rollup.opened.moment.at) {
                count_session(&mut figures.entry(rollup.opened.value).or_default().0, &rollup);
            }
        }
        let mut appointments: BTreeMap<_, AppointmentRollup> = BTreeMap::new();
        for (event, _) in held.events.iter().filter(|(event, _)| event.tenant == *tenant) {
            if let Some(next) = AppointmentRollup::of(event) {
                let id = next.appointment.clone();
                let merged = appointments.remove(&id).map_or(next.clone(), |known| known.merge(next));
                appointments.insert(id, merged);
            }
        }
        for rollup in appointments.into_values().filter(|rollup| within(rollup.opened.moment.at)) {
            count_appointment(&mut figures.entry(rollup.opened.value.0).or_default().1, &rollup);
        }
        let row = |(channel, (sessions, appointments))| ChannelFigures { channel, sessions, appointments };
        Ok(figures.into_iter().map(row).collect())
    }

    async fn sweep(&self, _before: Timestamp) -> Result<u64, AnalyticsError> {
        Ok(0)
    }

    async fn probe(&self) -> Result<(), AnalyticsError> {
        Ok(())
    }
}

fn count_session(figures: &mut SessionFigures, rollup: &SessionRollup) {
    let has = |mark| u64::from(rollup.marks.has(mark));
    figures.total += 1;
    figures.with_lead += has(Mark::Lead);
    figures.booked += has(Mark::Booked);
    figures.visited += has(Mark::Attended);
    figures.refused += has(Mark::Refused);
    figures.with_fallback += has(Mark::Fallback);
    figures.handed_off += has(Mark::HandedOff);
}

fn count_appointment(figures: &mut AppointmentFigures, rollup: &AppointmentRollup) {
    use domain::appointment::State;
    match rollup.step.as_ref().map(|step| step.value.leads_to()) {
        Some(State::Attended) => figures.attended += 1,
        Some(State::NoShow) => figures.no_show += 1,
        Some(State::Cancelled) => figures.cancelled += 1,
        Some(State::Booked) | None => figures.booked += 1,
    }
}

#[async_trait]
impl EventBus for Store {
    async fn ensure_group(&self, _topic: Topic, _group: Group) -> Result<(), BusError> {
        Ok(())
    }

    async fn publish(&self, topic: Topic, messages: Vec<Message>) -> Result<(), BusError> {
        let mut held = self.held();
        if held.is_down {
            return Err(BusError::Unavailable("unplugged".into()));
        }
        held.published.extend(messages.into_iter().map(|message| (topic, message)));
        Ok(())
    }

    async fn claim(&self, _: &Subscription, _: usize, _: Duration) -> Result<Vec<Delivery>, BusError> {
        Ok(Vec::new())
    }

    async fn extend(&self, _: &Subscription, _: &[DeliveryTag]) -> Result<(), BusError> {
        Ok(())
    }

    async fn release(&self, _: &Subscription, _: &[DeliveryTag]) -> Result<(), BusError> {
        Ok(())
    }

    async fn settle(&self, _: &Subscription, _: Vec<Settlement>) -> Result<(), BusError> {
        Ok(())
    }

    async fn backlog(&self, topic: Topic, _group: Group) -> Result<Backlog, BusError> {
        let in_flight = self.held().in_flight.clone();
        // All of it on the first leg: the sum is what counts.
        Ok(if topic == Topic::Raw {
            Backlog { receipts: in_flight, oldest: None }
        } else {
            Backlog::default()
        })
    }

    async fn accepted(&self, _topic: Topic) -> Result<BTreeMap<TenantId, u64>, BusError> {
        let held = self.held();
        if held.is_down { Err(BusError::Unavailable("unplugged".into())) } else { Ok(held.accepted.clone()) }
    }

    async fn probe(&self) -> Result<(), BusError> {
        Ok(())
    }
}

fn cause_of(entry: &ListedEntry) -> Cause {
    Cause {
        source: entry.source.clone(),
        stage: entry.stage,
        class: entry.reason.class,
        pointer: entry.reason.pointer.clone(),
        detail: entry.reason.detail.clone(),
    }
}

#[async_trait]
impl AuditLog for Store {
    async fn add_audit(&self, entries: &[AuditEntry]) -> Result<(), LedgerError> {
        let mut held = self.reading()?;
        if held.audit_is_down {
            return Err(LedgerError::Unavailable("unplugged".into()));
        }
        held.audit.extend_from_slice(entries);
        Ok(())
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditRow>, LedgerError> {
        let entries = self.reading()?.audit.clone();
        let mut rows: Vec<_> = (1..).zip(entries).map(|(number, entry)| AuditRow { number, entry }).collect();
        rows.retain(|AuditRow { number, entry }| {
            query.tenant.as_ref().is_none_or(|tenant| entry.tenant == *tenant)
                && query.deed.is_none_or(|deed| entry.deed == deed)
                && query.about.as_ref().is_none_or(|about| match about {
                    AboutFilter::Kind(word) => entry.about.as_str() == *word,
                    AboutFilter::OneOf(things) => things.contains(&entry.about),
                })
                && query.from.is_none_or(|from| entry.at >= from)
                && query.until.is_none_or(|until| entry.at < until)
                && query.before.is_none_or(|before| *number < before)
        });
        rows.reverse();
        rows.truncate(usize::try_from(query.limit).unwrap());
        Ok(rows)
    }
}

/// Breaks the seal of what an event said, as a lost key would.
pub(crate) fn break_seal(held: &mut Held, index: usize) {
    let (event, stored) = &mut held.events[index];
    let mut broken = decode_event(Bytes::clone(&stored.wire)).unwrap();
    broken.details = Some(domain::event::Sealed::from_bytes(vec![1; 64]));
    stored.wire = encode_event(&broken);
    *event = broken;
}

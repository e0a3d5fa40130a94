//! A page of events, of a session, of a lead or of a client, decoded and opened for their tenant.

use domain::event::Event;
use domain::id::{LeadId, SessionId, TenantId};
use domain::rollup::Moment;
use event_schema::codec::decode_event;
use event_schema::sealed::Details;
use http_kit::problem::Problem;
use ports::ledger::{LedgerError, StoredEvent};
use privacy::TenantKeys;
use serde::Serialize;

use crate::Console;
use crate::appointments::{AppointmentView, Appointments};
use crate::cursor;
use crate::event_view::{EventView, Findings};
use crate::failure;
use crate::history::History;

/// Events shown when the caller does not say how many.
pub(crate) const DEFAULT_LIMIT: u32 = 100;
/// Each is opened with a key of its own, so a page has an end.
pub(crate) const MAX_LIMIT: u32 = 200;

/// What the events are of.
#[derive(Clone, Copy)]
pub(crate) enum Thread<'a> {
    Session(&'a SessionId),
    Lead(LeadId),
    Client(&'a History),
}

/// A page of events.
#[derive(Serialize)]
pub(crate) struct Timeline {
    pub(crate) events: Vec<EventView>,
    /// Where each appointment stands after the last event of this page.
    pub(crate) appointments: Vec<AppointmentView>,
    pub(crate) next_cursor: Option<String>,
}

/// Reads the page after a moment.
pub(crate) async fn read(
    console: &Console,
    tenant: &TenantId,
    thread: Thread<'_>,
    after: Option<Moment>,
    limit: u32,
) -> Result<Timeline, Problem> {
    let keys = console.vault.tenant(tenant);
    let mut appointments = Appointments::default();
    if let Some(place) = after {
        catch_up(console, tenant, thread, &keys, place, &mut appointments).await?;
    }
    // One more than asked for tells whether there is a next page.
    let mut stored = fetch(console, tenant, thread, after, limit + 1).await?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = stored.len() > wanted;
    stored.truncate(wanted);

    let mut events = Vec::with_capacity(stored.len());
    let mut last = None;
    for StoredEvent { stored_at, wire } in stored {
        let event = decode_event(wire).map_err(|cause| failure::internal(&cause))?;
        last = Some(moment(&event));
        let (details, details_unreadable) = open(&keys, &event);
        let impossible_step = appointments.take(&event, Some(&details));
        events.push(EventView::new(
            event,
            stored_at,
            details,
            Findings { impossible_step, details_unreadable },
        ));
    }
    let next_cursor = last.filter(|_| has_more).map(cursor::of_event);
    Ok(Timeline { events, appointments: appointments.view(), next_cursor })
}

/// Takes in what came before a page: a step is impossible only in the light of all before it.
async fn catch_up(
    console: &Console,
    tenant: &TenantId,
    thread: Thread<'_>,
    keys: &TenantKeys,
    place: Moment,
    appointments: &mut Appointments,
) -> Result<(), Problem> {
    let mut after = None;
    loop {
        let earlier = fetch(console, tenant, thread, after, MAX_LIMIT).await?;
        if earlier.is_empty() {
            return Ok(());
        }
        for StoredEvent { wire, .. } in earlier {
            let event = decode_event(wire).map_err(|cause| failure::internal(&cause))?;
            if moment(&event) > place {
                return Ok(());
            }
            after = Some(moment(&event));
            if event.appointment.is_some() {
                appointments.take(&event, Some(&open(keys, &event).0));
            }
        }
    }
}

async fn fetch(
    console: &Console,
    tenant: &TenantId,
    thread: Thread<'_>,
    after: Option<Moment>,
    limit: u32,
) -> Result<Vec<StoredEvent>, Problem> {
    let read: Result<_, LedgerError> = match thread {
        Thread::Client(history) => return history.fetch(console, tenant, after, limit).await,
        Thread::Session(session) => console.ledger.timeline(tenant, session, after, limit).await,
        Thread::Lead(lead) => console.ledger.lead_events(tenant, lead, after, limit).await,
    };
    read.map_err(failure::of_ledger)
}

/// What was said, and whether it could not be opened: then the event is shown without.
pub(crate) fn open(keys: &TenantKeys, event: &Event) -> (Details, bool) {
    let Some(sealed) = &event.details else { return (Details::default(), false) };
    match keys.open_details(event.id, sealed) {
        Ok(details) => (details, false),
        Err(cause) => {
            // Without the cause's own cause: that of unreadable content may quote it.
            tracing::warn!(event.id = %event.id, error = %cause, "failed to open the details of an event");
            (Details::default(), true)
        }
    }
}

fn moment(event: &Event) -> Moment {
    Moment { at: event.occurred_at, event: event.id }
}

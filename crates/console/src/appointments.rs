//! Where the appointments of a conversation stand, and which of their steps were impossible.

use std::collections::BTreeMap;

use domain::appointment::{State, Step};
use domain::event::Event;
use domain::id::AppointmentId;
use domain::timestamp::Timestamp;
use event_schema::sealed::Details;
use serde::Serialize;

/// Appointments as the events so far tell of them. Events must be taken in order.
#[derive(Default)]
pub(crate) struct Appointments(BTreeMap<AppointmentId, Appointment>);

#[derive(Default)]
struct Appointment {
    state: Option<State>,
    starts_at: Option<Timestamp>,
    service: Option<String>,
    staff: Option<String>,
}

/// An appointment as shown.
#[derive(Serialize)]
pub(crate) struct AppointmentView {
    id: String,
    state: Option<&'static str>,
    starts_at: Option<String>,
    service: Option<String>,
    staff: Option<String>,
}

impl Appointments {
    /// Takes in the next event; says whether the step it reports was impossible.
    ///
    /// A step that names no appointment is not judged: it may be of another one each time.
    pub(crate) fn take(&mut self, event: &Event, details: Option<&Details>) -> bool {
        let Some(named) = &event.appointment else { return false };
        let known = self.0.entry(named.id.clone()).or_default();
        known.starts_at = named.starts_at.or(known.starts_at);
        let service = named.service.as_ref().map(|word| word.as_str().to_owned());
        let service = service.or_else(|| details.and_then(|details| details.service.clone()));
        known.service = service.or(known.service.take());
        known.staff = details.and_then(|details| details.staff.clone()).or(known.staff.take());

        let Some(step) = Step::of(&event.action) else { return false };
        let is_impossible = !step.is_possible_from(known.state);
        known.state = Some(step.leads_to());
        is_impossible
    }

    pub(crate) fn view(self) -> Vec<AppointmentView> {
        let view = |(id, known): (AppointmentId, Appointment)| AppointmentView {
            id: id.to_string(),
            state: known.state.map(State::as_str),
            starts_at: known.starts_at.map(|at| at.to_string()),
            service: known.service,
            staff: known.staff,
        };
        self.0.into_iter().map(view).collect()
    }
}

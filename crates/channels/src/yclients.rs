//! YCLIENTS and Altegio: bookings, and what becomes of them.
//!
//! The `status` of a delivery is the kind of event (made, changed, deleted), not of the booking. How the visit went is
//! `visit_attendance`, and where that is missing `attendance`: −1 did not come, 0 is waited for, 1 came, 2 confirmed.
//! Events have no id and are not signed: what makes one unique is what it says, and the secret stands in the address.
//! A body is one event or an array of them.

use domain::action::{Action, Actor};
use domain::channel::Channel;
use domain::observation::{Contact, Observation, ObservedAppointment};
use domain::timestamp::Timestamp;
use serde_json::Value;

use crate::Unparsed;
use crate::batch::Batch;
use crate::json::{self, Spot, integer_under, text_under};
use crate::seen::{self, word};

/// The longest label: an id, a name, the title of a service.
const LABEL: usize = 256;

pub(crate) fn parse(body: &[u8], received_at: Timestamp) -> Result<Vec<Observation>, Unparsed> {
    let value = json::read(body)?;
    let root = Spot::root(&value);
    if !value.is_array() {
        return Ok(vec![event(root, received_at)?]);
    }
    let mut batch = Batch::new(root, received_at);
    for one in root.array()? {
        batch.add(Channel::Booking, "events", one, |one| event(one, received_at));
    }
    batch.finish("", "must hold at least one event")
}

fn event(event: Spot<'_>, received_at: Timestamp) -> Result<Observation, Unparsed> {
    let event = event.object()?;
    let resource = event
        .word("resource")
        .ok_or_else(|| json::unreadable("/resource", "is required: what the event is about"))?;
    let mut observation = match (resource, event.get("data")) {
        ("record", Some(data)) => record(&event, data, received_at)?,
        // Of what is gone there may be nothing left to tell.
        ("record", None) if is_status(&event, "delete") => {
            record(&event, Spot::root(&Value::Null), received_at)?
        }
        ("client", Some(data)) => client(&event, data, received_at)?,
        ("finances_operation", Some(data)) => payment(&event, data, received_at)?,
        _ => {
            let id = event.get("resource_id").and_then(|id| id.id().ok()).unwrap_or_default();
            let session = format!("{resource}:{id}");
            seen::unknown(received_at, Channel::Booking, session, String::new(), resource)
        }
    };
    observation.native_id = format!("{resource}:{}", event.written());
    Ok(observation)
}

/// Whether this is what became of the thing: made, changed or deleted.
fn is_status(event: &Spot<'_>, status: &str) -> bool {
    event.get("status").is_some_and(|of_event| of_event.is_word(status))
}

/// A booking. Each event says how it stands: read by when that changed last, they may come in any order.
fn record(event: &Spot<'_>, data: Spot<'_>, received_at: Timestamp) -> Result<Observation, Unparsed> {
    let id = event.need("resource_id")?.id()?;
    let is_gone = is_status(event, "delete") || data.get("deleted").is_some_and(|deleted| deleted.is_true());
    let attendance = match integer_under(&data, "visit_attendance")? {
        Some(of_visit) => Some(of_visit),
        None => integer_under(&data, "attendance")?,
    };
    let action = match attendance {
        _ if is_gone => Action::Cancel,
        Some(-1) => Action::NoShow,
        Some(1) => Action::Attend,
        Some(2) => Action::Confirm,
        // It stands, perhaps at another time than before.
        _ => Action::Book,
    };
    let changed_at = match instant_under(&data, "last_change_date")? {
        Some(at) => Some(at),
        None => instant_under(&data, "create_date")?,
    };
    let session = format!("record:{id}");
    let is_online = data.get("online").is_some_and(|online| online.is_true());
    // How a booking was made it says as long as it is there; whatever becomes of it later is the salon's doing.
    let is_the_clients = is_online && is_status(event, "create") && action == Action::Book;
    let mut observation =
        Observation::new(changed_at.unwrap_or(received_at), Channel::Booking, session, action);
    observation.actor = if is_the_clients { Actor::Client } else { Actor::Staff };
    if let Some(person) = data.get("client") {
        observation.contact = contact(&person)?;
    }
    let staff = data.get("staff").map(|staff| text_under(&staff, "name", LABEL)).transpose()?.flatten();
    let starts_at = instant_under(&data, "datetime")?;
    observation.appointment = Some(ObservedAppointment { id, starts_at, service: services(&data)?, staff });
    Ok(observation)
}

/// The titles of what is to be done, in the order of the booking.
fn services(data: &Spot<'_>) -> Result<Option<String>, Unparsed> {
    let mut titles = Vec::new();
    for service in data.items("services")? {
        titles.extend(text_under(&service, "title", LABEL)?);
    }
    let mut titles = titles.join(" + ");
    if let Some((end, _)) = titles.char_indices().nth(LABEL) {
        titles.truncate(end);
    }
    Ok(Some(titles).filter(|titles| !titles.is_empty()))
}

/// The card of a client was made, changed or deleted.
fn client(event: &Spot<'_>, data: Spot<'_>, received_at: Timestamp) -> Result<Observation, Unparsed> {
    let id = event.need("resource_id")?.id()?;
    let at = instant_under(&data, "last_change_date")?.unwrap_or(received_at);
    let session = format!("client:{id}");
    let mut observation = Observation::new(at, Channel::Booking, session, word("client_card"));
    observation.actor = Actor::Staff;
    observation.contact = contact(&data)?;
    Ok(observation)
}

/// Money came in, or went out again.
fn payment(event: &Spot<'_>, data: Spot<'_>, received_at: Timestamp) -> Result<Observation, Unparsed> {
    let id = event.need("resource_id")?.id()?;
    let record = data.get("record_id").filter(|record| record.integer() != Ok(0));
    let record = record.map(|record| record.id()).transpose()?;
    let amount = data.get("amount");
    let is_income = amount.and_then(|amount| amount.value().as_f64()).is_some_and(|amount| amount > 0.0);
    let action =
        if is_income && is_status(event, "create") { Action::Pay } else { word("finances_operation") };
    let at = instant_under(&data, "date")?.unwrap_or(received_at);
    let session = match &record {
        Some(record) => format!("record:{record}"),
        None => format!("finances_operation:{id}"),
    };
    let mut observation = Observation::new(at, Channel::Booking, session, action);
    observation.actor = Actor::Staff;
    if let Some(person) = data.get("client") {
        observation.contact = contact(&person)?;
    }
    if let Some(amount) = amount.filter(|amount| amount.value().is_number()) {
        observation.attributes.insert("amount".to_owned(), Value::from(amount.written()));
    }
    observation.appointment =
        record.map(|id| ObservedAppointment { id, starts_at: None, service: None, staff: None });
    Ok(observation)
}

fn contact(person: &Spot<'_>) -> Result<Contact, Unparsed> {
    let text = |key: &str| text_under(person, key, LABEL);
    let name = match (text("name")?, text("surname")?) {
        (Some(name), Some(surname)) => Some(format!("{name} {surname}").chars().take(LABEL).collect()),
        (name, surname) => name.or(surname),
    };
    Ok(Contact { phone: text("phone")?, email: text("email")?, name, ..Contact::default() })
}

/// An instant with its offset, which is written `+05:00` in some places and `+0500` in others. One without is of no use: it is
/// the salon's own time, and which that is nothing says.
fn instant_under(spot: &Spot<'_>, key: &str) -> Result<Option<Timestamp>, Unparsed> {
    let Some(found) = spot.get(key) else { return Ok(None) };
    let Some(text) = spot.word(key) else { return Ok(None) };
    // What stands before the offset is as long in both.
    let Some((local, offset)) = text.split_at_checked(19) else { return Ok(None) };
    if offset.is_empty() {
        return Ok(None);
    }
    let with_colon = match offset.split_at_checked(3) {
        Some((hours, minutes)) if offset.len() == 5 => Some(format!("{local}{hours}:{minutes}")),
        _ => None,
    };
    let instant = Timestamp::parse(with_colon.as_deref().unwrap_or(text));
    instant.map(Some).map_err(|error| found.invalid(&error.to_string()))
}

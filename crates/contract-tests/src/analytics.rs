//! The contract of [`ports::analytics::AnalyticsStore`].

use domain::action::{Action, Actor};
use domain::channel::Channel;
use domain::event::Event;
use domain::overview::{AppointmentFigures, ChannelFigures, SessionFigures};
use futures_util::future::join_all;
use ports::analytics::{AnalyticsStore, Period};

use crate::World;
use crate::fixtures::{appointment, at, event, salon, tenant};

/// The port.
pub type Port = dyn AnalyticsStore;

/// One named test per clause. `open` is the path of an `async fn() -> impl World<dyn AnalyticsStore>`.
#[macro_export]
macro_rules! analytics_contract {
    ($open:path) => {
        $crate::named_tests!(store, $open, $crate::analytics::Port, $crate::analytics:
            nothing_absorbed_gives_no_figures
            a_session_counts_once_for_each_thing_that_happened_in_it
            a_messengers_own_notice_begins_no_session
            an_appointment_counts_where_it_stands
            an_appointment_without_a_step_is_booked
            channels_come_in_their_order_and_only_those_with_figures
            a_session_counts_when_and_where_it_began
            the_period_holds_its_first_instant_and_not_its_last
            repetition_changes_nothing
            order_and_batches_change_nothing
            absorbing_at_once_loses_nothing
            figures_of_one_tenant_are_not_those_of_another
            sweeping_deletes_what_ended_before
            analytics_that_works_passes_its_probe);
        $crate::named_tests!(world, $open, $crate::analytics::Port, $crate::analytics:
            what_was_absorbed_survives_reopening);
    };
}

pub async fn nothing_absorbed_gives_no_figures(store: &Port) {
    store.absorb(&[]).await.unwrap();
    assert_eq!(all(store).await, []);
}

pub async fn a_session_counts_once_for_each_thing_that_happened_in_it(store: &Port) {
    let happened = [
        event("a", 0, Action::Message),
        event("a", 1, Action::Message),
        event("a", 2, Action::CreateLead),
        event("a", 3, Action::Book),
        event("a", 4, Action::Reschedule),
        event("a", 5, Action::Attend),
        event("b", 0, Action::Fallback),
        event("b", 1, Action::Fallback),
        event("b", 2, Action::Handoff),
        event("c", 0, Action::Refuse),
        event("d", 0, Action::Message),
    ];
    store.absorb(&happened).await.unwrap();
    let sessions = SessionFigures {
        total: 4,
        with_lead: 1,
        booked: 1,
        visited: 1,
        refused: 1,
        with_fallback: 1,
        handed_off: 1,
    };
    let appointments = AppointmentFigures::default();
    assert_eq!(all(store).await, [ChannelFigures { channel: Channel::Telegram, sessions, appointments }]);
}

pub async fn a_messengers_own_notice_begins_no_session(store: &Port) {
    let read = Action::parse("message_read").unwrap();
    let notice = |session, second| Event { actor: Actor::System, ..event(session, second, read.clone()) };
    store.absorb(&[notice("a", 0), notice("b", 0), event("b", 30, Action::Message)]).await.unwrap();
    assert_eq!(overview(store, 0, 20).await, []);
    assert_eq!(overview(store, 20, 40).await[0].sessions.total, 1);
}

pub async fn an_appointment_counts_where_it_stands(store: &Port) {
    let steps = [
        about("a-1", 0, Action::Book),
        about("a-2", 0, Action::Book),
        about("a-2", 5, Action::Cancel),
        about("a-3", 0, Action::Book),
        about("a-3", 5, Action::Attend),
        about("a-4", 0, Action::Book),
        about("a-4", 5, Action::NoShow),
        // Called off, and booked again: the last step decides.
        about("a-5", 0, Action::Cancel),
        about("a-5", 5, Action::Book),
        about("a-6", 9, Action::NoShow),
        about("a-6", 5, Action::Attend),
    ];
    store.absorb(&steps).await.unwrap();
    let expected = AppointmentFigures { booked: 2, attended: 1, no_show: 2, cancelled: 1 };
    assert_eq!(all(store).await[0].appointments, expected);
}

pub async fn an_appointment_without_a_step_is_booked(store: &Port) {
    store.absorb(&[about("a-1", 0, Action::Remind)]).await.unwrap();
    assert_eq!(all(store).await[0].appointments, AppointmentFigures { booked: 1, ..Default::default() });
}

pub async fn channels_come_in_their_order_and_only_those_with_figures(store: &Port) {
    let mut happened = Vec::new();
    for channel in [Channel::Other, Channel::Avito, Channel::Telegram, Channel::Site] {
        happened.push(Event { channel, ..event(channel.as_str(), 0, Action::Message) });
    }
    store.absorb(&happened).await.unwrap();
    let channels: Vec<_> = all(store).await.into_iter().map(|figures| figures.channel).collect();
    assert_eq!(channels, [Channel::Telegram, Channel::Avito, Channel::Site, Channel::Other]);
}

pub async fn a_session_counts_when_and_where_it_began(store: &Port) {
    let later = Event { channel: Channel::Crm, ..about("a-1", 50, Action::Book) };
    store.absorb(&[later]).await.unwrap();
    let figures = all(store).await;
    assert_eq!((figures.len(), figures[0].channel), (1, Channel::Crm));
    // The beginning is reported late: everything moves to where it began.
    store.absorb(&[about("a-1", 10, Action::Message)]).await.unwrap();
    let figures = all(store).await;
    assert_eq!((figures.len(), figures[0].channel), (1, Channel::Telegram));
    assert_eq!(
        (figures[0].sessions.total, figures[0].sessions.booked, figures[0].appointments.booked),
        (1, 1, 1)
    );
    assert_eq!(overview(store, 40, 60).await, []);
    assert_eq!(overview(store, 0, 20).await, figures);
}

pub async fn the_period_holds_its_first_instant_and_not_its_last(store: &Port) {
    let happened = [9, 10, 19, 20].map(|second| about(&format!("a-{second}"), second, Action::Book));
    store.absorb(&happened).await.unwrap();
    let figures = overview(store, 10, 20).await;
    assert_eq!((figures[0].sessions.total, figures[0].appointments.booked), (2, 2));
}

pub async fn repetition_changes_nothing(store: &Port) {
    let happened = a_day();
    store.absorb(&happened).await.unwrap();
    let once = all(store).await;
    store.absorb(&happened).await.unwrap();
    let twice: Vec<_> = happened.iter().chain(&happened).cloned().collect();
    store.absorb(&twice).await.unwrap();
    assert_eq!(all(store).await, once);
}

pub async fn order_and_batches_change_nothing(store: &Port) {
    let happened = a_day();
    store.absorb(&happened).await.unwrap();
    let expected = all(store).await;
    for round in 1..8 {
        let other = tenant(&format!("salon-{round}"));
        let mut arrived: Vec<_> =
            happened.iter().map(|event| Event { tenant: other.clone(), ..event.clone() }).collect();
        arrived.rotate_left(round * 5 % happened.len());
        if round % 2 == 0 {
            arrived.reverse();
        }
        for part in arrived.chunks(round * round) {
            store.absorb(part).await.unwrap();
        }
        assert_eq!(store.overview(&other, whole()).await.unwrap(), expected, "round {round}");
    }
}

pub async fn absorbing_at_once_loses_nothing(store: &Port) {
    let happened = a_day();
    let parts: Vec<_> = happened.chunks(3).collect();
    join_all(parts.iter().map(async |part| store.absorb(part).await.unwrap())).await;
    let others: Vec<_> =
        happened.iter().map(|event| Event { tenant: tenant("clinic"), ..event.clone() }).collect();
    store.absorb(&others).await.unwrap();
    assert_eq!(all(store).await, store.overview(&tenant("clinic"), whole()).await.unwrap());
}

pub async fn figures_of_one_tenant_are_not_those_of_another(store: &Port) {
    // The same names on both sides of the wall.
    let ours = [about("a-1", 0, Action::Book)];
    let theirs = [Event { tenant: tenant("clinic"), ..about("a-1", 5, Action::Cancel) }];
    store.absorb(&ours).await.unwrap();
    assert_eq!(store.overview(&tenant("clinic"), whole()).await.unwrap(), []);
    store.absorb(&theirs).await.unwrap();
    assert_eq!(all(store).await[0].appointments.booked, 1);
    assert_eq!(store.overview(&tenant("clinic"), whole()).await.unwrap()[0].appointments.cancelled, 1);
}

pub async fn sweeping_deletes_what_ended_before(store: &Port) {
    let happened = [
        about("a-1", 10, Action::Book),
        event("s-2", 10, Action::Message),
        // Begun before, still going on after: it stays.
        event("s-2", 90, Action::Message),
        about("a-3", 50, Action::Book),
    ];
    store.absorb(&happened).await.unwrap();
    // One session, one appointment.
    assert_eq!(store.sweep(at(50)).await.unwrap(), 2);
    let figures = all(store).await;
    assert_eq!((figures[0].sessions.total, figures[0].appointments.booked), (2, 1));
    assert_eq!(store.sweep(at(50)).await.unwrap(), 0);
}

pub async fn analytics_that_works_passes_its_probe(store: &Port) {
    store.probe().await.unwrap();
    store.probe().await.unwrap();
}

pub async fn what_was_absorbed_survives_reopening(world: &dyn World<Port>) {
    let store = world.open().await;
    store.absorb(&a_day()).await.unwrap();
    let before = all(&*store).await;
    drop(store);
    assert_eq!(all(&*world.open().await).await, before);
}

/// An event about an appointment, in a session of its own.
fn about(id: &str, second: u64, action: Action) -> Event {
    Event { appointment: Some(appointment(id)), ..event(&format!("session of {id}"), second, action) }
}

/// Some of everything, with ties.
fn a_day() -> Vec<Event> {
    let actions = [
        Action::Message,
        Action::CreateLead,
        Action::Book,
        Action::Cancel,
        Action::Book,
        Action::Attend,
        Action::NoShow,
        Action::Fallback,
        Action::Refuse,
        Action::Handoff,
        Action::Remind,
    ];
    let channels = [Channel::Telegram, Channel::Site, Channel::Phone];
    (0_u16..66)
        .map(|n| {
            let index = usize::from(n);
            let mut happened =
                event(&format!("s-{}", n % 7), u64::from(n) / 5, actions[index % actions.len()].clone());
            happened.channel = channels[index % channels.len()];
            happened.appointment = (n % 4 > 0).then(|| appointment(&format!("a-{}", n % 5)));
            happened
        })
        .collect()
}

fn whole() -> Period {
    Period { from: at(0), until: at(100_000) }
}

async fn overview(store: &Port, from: u64, until: u64) -> Vec<ChannelFigures> {
    store.overview(&salon(), Period { from: at(from), until: at(until) }).await.unwrap()
}

async fn all(store: &Port) -> Vec<ChannelFigures> {
    store.overview(&salon(), whole()).await.unwrap()
}

//! The events that are sent: conversations of a salon's bot, turn by turn, about 450 bytes an event.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::Context as _;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;

use crate::bench::wire;

const CHANNELS: [&str; 5] = ["telegram", "whatsapp", "site", "instagram", "vk"];
/// Between two turns of a conversation.
const TURN: Duration = Duration::from_secs(20);
/// In a conversation of eight turns, again and again, the one that makes an appointment.
const BOOKING: u64 = 4;
const TURNS: u64 = 8;

/// Events with numbers from 0. The same numbers of the same traffic are the same events.
#[derive(Clone, Debug)]
pub struct Traffic {
    /// The last four bytes of every id: another run sends other events.
    pub run: u32,
    /// Conversations they belong to, in turn.
    pub sessions: u64,
    /// When the first conversation begins.
    pub from: OffsetDateTime,
    /// The others begin evenly within this time.
    pub over: Duration,
}

/// What an overview must have more of than before.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Figures {
    /// Conversations.
    pub sessions: u64,
    /// Appointments.
    pub booked: u64,
}

impl Traffic {
    /// Conversations that began within the last minutes.
    #[must_use]
    pub fn of_now(run: u32, sessions: u64) -> Self {
        let over = Duration::from_secs(600);
        Self { run, sessions, from: OffsetDateTime::now_utc() - over, over }
    }

    /// Conversations of the last thirty days.
    #[must_use]
    pub fn of_a_month(run: u32, sessions: u64) -> Self {
        // So that the last ones end before now, and the first are not yet older than thirty days when asked for.
        let (day, hour) = (Duration::from_secs(86_400), Duration::from_secs(3600));
        Self {
            run,
            sessions,
            from: OffsetDateTime::now_utc() - 30 * day + 2 * hour,
            over: 30 * day - 4 * hour,
        }
    }

    /// The id of an event. All but the run is as random as a bot's: an index meets it anywhere.
    #[must_use]
    pub fn id(&self, number: u64) -> Uuid {
        let mut random = ChaCha8Rng::seed_from_u64(number ^ (u64::from(self.run) << 40));
        let random: u128 = (u128::from(random.random::<u64>()) << 64) | u128::from(random.random::<u64>());
        let value = (random & !u128::from(u32::MAX)) | u128::from(self.run);
        uuid::Builder::from_random_bytes(value.to_be_bytes()).into_uuid()
    }

    /// The id of a conversation.
    #[must_use]
    pub fn session(&self, session: u64) -> String {
        format!("talk-{}-{session}", self.run)
    }

    /// The conversation an event belongs to.
    #[must_use]
    pub const fn session_of(&self, number: u64) -> u64 {
        number % self.sessions
    }

    /// An event as it is sent.
    ///
    /// # Errors
    /// Its time cannot be written.
    pub fn event(&self, number: u64) -> anyhow::Result<Value> {
        let (session, round) = (self.session_of(number), number / self.sessions);
        let share =
            self.over.as_secs_f64() * (super::latency::float(session) / super::latency::float(self.sessions));
        let turns = TURN.saturating_mul(u32::try_from(round)?);
        let at = (self.from + Duration::from_secs_f64(share) + turns).format(&Rfc3339);
        let channel = CHANNELS[usize::try_from(session)? % CHANNELS.len()];
        let mut event = json!({
            "event_id": self.id(number).to_string(),
            "timestamp": at.context("a time that cannot be written")?,
            "channel": channel,
            "session_id": self.session(session),
            "attributes": {"bot": "zapis-3", "branch": "nn-2", "attempt": round},
        });
        let fields = turn(round % TURNS, session, number, &self.session(session));
        if let (Some(event), Value::Object(fields)) = (event.as_object_mut(), fields) {
            event.extend(fields);
        }
        Ok(event)
    }

    /// What a fresh overview must show of these events, each sent for the tenant beside it.
    pub fn figures(&self, numbers: impl Iterator<Item = (u64, usize)>) -> Figures {
        let (mut sessions, mut booked) = (HashSet::new(), 0);
        for (number, tenant) in numbers {
            sessions.insert((tenant, self.session_of(number)));
            booked += u64::from((number / self.sessions) % TURNS == BOOKING);
        }
        Figures { sessions: u64::try_from(sessions.len()).unwrap_or(u64::MAX), booked }
    }

    /// Requests with the events of these numbers, `batch` in each, sent with these keys in turn: the request that begins
    /// with number n with the key n / batch, counted around.
    ///
    /// # Errors
    /// An event cannot be written.
    pub fn requests(
        &self,
        numbers: std::ops::Range<u64>,
        batch: u64,
        keys: &[&str],
    ) -> anyhow::Result<Vec<Vec<u8>>> {
        let mut requests = Vec::new();
        let mut first = numbers.start;
        while first < numbers.end {
            let last = numbers.end.min(first + batch);
            let body = if batch == 1 {
                self.event(first)?
            } else {
                (first..last).map(|number| self.event(number)).collect::<anyhow::Result<Value>>()?
            };
            let turn =
                usize::try_from(first / batch)?.checked_rem(keys.len()).context("no key to send with")?;
            let key = keys[turn];
            requests.push(wire::post_events(key, &serde_json::to_vec(&body)?));
            first = last;
        }
        Ok(requests)
    }
}

/// What is said and done in one turn of a conversation.
fn turn(turn: u64, session: u64, number: u64, talk: &str) -> Value {
    let lead = format!("BX-{}", 100_000 + session);
    match turn {
        0 => json!({
            "actor": "client", "action": "message", "raw_input_hash": format!("sha256:{number:064x}"),
            "user_text": "Добрый день! Хочу записаться на маникюр на этой неделе",
        }),
        2 => json!({
            "actor": "assistant", "action": "create_lead", "crm_lead_id": lead, "intent": "appointment_booking",
            "contact": {"phone": format!("+7916{:07}", session % 10_000_000), "name": "Анна"},
            "assistant_response": "Записала ваш телефон, подбираю время",
        }),
        BOOKING => json!({
            "actor": "assistant", "action": "book", "crm_lead_id": lead,
            "appointment": {
                "id": format!("visit-{talk}-{number}"), "starts_at": "2027-03-14T15:30:00+03:00",
                "service": "manicure", "staff": "Оксана",
            },
            "assistant_response": "Записала вас на 14 марта в 15:30",
        }),
        5 => json!({
            "actor": "system", "action": "remind", "crm_lead_id": lead, "scenario": {"id": "reminder", "version": "1.4"},
            "assistant_response": "Напоминаем: завтра в 15:30 вас ждёт Оксана. Если планы изменились, напишите",
        }),
        6 | 7 => json!({
            "actor": "client", "action": "message", "raw_input_hash": format!("sha256:{number:064x}"),
            "user_text": "Спасибо, буду! А парковка у вас есть?",
        }),
        _ => json!({
            "actor": "assistant", "action": "message", "intent": "appointment_booking",
            "scenario": {"id": "booking", "version": "3.1"},
            "assistant_response": "Ближайшее свободное время: в пятницу, 14 марта, в 15:30. Записать вас?",
            "confidence": 0.92, "response_time_ms": 1240,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traffic() -> Traffic {
        Traffic::of_now(7, 10)
    }

    #[test]
    fn events_have_about_450_bytes() {
        let sizes: Vec<usize> = (0..80)
            .map(|number| serde_json::to_vec(&traffic().event(number).unwrap()).unwrap().len())
            .collect();
        let mean = sizes.iter().sum::<usize>() / sizes.len();
        assert!((435..=465).contains(&mean), "{mean}: {sizes:?}");
    }

    #[test]
    fn ids_end_with_the_run_and_differ() {
        let ids: HashSet<Uuid> = (0..1000).map(|number| traffic().id(number)).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| id.to_string().ends_with("00000007")));
    }

    #[test]
    fn figures_count_conversations_of_each_tenant_and_appointments() {
        let figures = traffic().figures((0..50).map(|number| (number, 0)));
        assert_eq!(figures, Figures { sessions: 10, booked: 10 });
        let figures = traffic().figures([(1, 0), (1, 1)].into_iter());
        assert_eq!(figures, Figures { sessions: 2, booked: 0 });
    }

    #[test]
    fn the_last_request_takes_what_is_left() {
        assert_eq!(traffic().requests(0..25, 10, &["k"]).unwrap().len(), 3);
    }

    #[test]
    fn whose_a_request_is_does_not_depend_on_where_one_begins() {
        let keys = ["a", "b", "c"];
        let traffic = traffic();
        let all = traffic.requests(0..50, 10, &keys).unwrap();
        assert_eq!(traffic.requests(10..50, 10, &keys).unwrap(), all[1..]);
    }
}

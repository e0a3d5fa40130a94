//! How a source is doing: when it was last heard, how much it sends, what it was refused, whether its clock is right.
//!
//! Counted in periods of five minutes, so that "the last hour" and "the last day" cost a few rows whatever was sent.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::id::{SessionId, SourceId, TenantId};
use crate::rollup::Moment;
use crate::timestamp::Timestamp;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Five minutes of counting, by when they begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Period(Timestamp);

impl Period {
    /// How long one is.
    pub const LENGTH: Duration = Duration::from_secs(5 * 60);

    /// The one an instant lies in.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        let micros = i64::try_from(Self::LENGTH.as_micros()).expect("five minutes are not many microseconds");
        let into_it = at.unix_micros().rem_euclid(micros);
        Self(at.minus(Duration::from_micros(into_it.unsigned_abs())))
    }

    /// The first of those that make up the hour before an instant.
    #[must_use]
    pub fn hour_before(now: Timestamp) -> Self {
        Self::of(now.minus(HOUR))
    }

    /// The first of those that make up the day before an instant.
    #[must_use]
    pub fn day_before(now: Timestamp) -> Self {
        Self::of(now.minus(DAY))
    }

    /// The first of those that are worth keeping: what is older no question is about.
    #[must_use]
    pub fn oldest_kept(now: Timestamp) -> Self {
        Self::of(now.minus(2 * DAY))
    }

    /// When it begins.
    #[must_use]
    pub const fn begins(self) -> Timestamp {
        self.0
    }
}

/// What is known of one source. A source that was never heard of has a state, too: [`SourceState::unheard`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceState {
    /// Whose it is.
    pub tenant: TenantId,
    /// Which.
    pub source: SourceId,
    /// Its first and last event; `None` while it is waited for.
    pub heard: Option<Heard>,
    /// New events received in the last hour, to five minutes.
    pub events_last_hour: u64,
    /// New events received in the last day, to five minutes.
    pub events_last_day: u64,
    /// How far ahead of the gateway's clock an event of the last day was at the most; `None` if none was.
    pub greatest_ahead: Option<Duration>,
    /// How many of its receipts wait in quarantine.
    pub quarantined: u64,
    /// When the last of them was put there.
    pub quarantined_at: Option<Timestamp>,
    /// What it was refused at the door in the last day, by reason.
    pub refused: Vec<Refused>,
}

/// The first and the last event of a source, as the gateway received them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// When the first was received.
    pub first_at: Timestamp,
    /// When the last was received.
    pub last_at: Timestamp,
    /// The conversation of the last.
    pub last_session: SessionId,
    /// When the last happened by its sender's clock, and which it is.
    pub last_event: Moment,
}

impl Heard {
    /// How far the sender's clock was ahead of the gateway's with the last event, in microseconds; negative where it
    /// was behind, or the event just took its time.
    #[must_use]
    pub const fn last_skew_micros(&self) -> i64 {
        self.last_event.at.unix_micros().saturating_sub(self.last_at.unix_micros())
    }

    /// A place in the timeline of the last conversation after which the last event is soon found.
    #[must_use]
    pub fn just_before(&self) -> Moment {
        Moment { at: self.last_event.at.minus(Duration::from_micros(1)), event: self.last_event.event }
    }
}

impl SourceState {
    /// A source of which nothing was ever heard.
    #[must_use]
    pub const fn unheard(tenant: TenantId, source: SourceId) -> Self {
        Self {
            tenant,
            source,
            heard: None,
            events_last_hour: 0,
            events_last_day: 0,
            greatest_ahead: None,
            quarantined: 0,
            quarantined_at: None,
            refused: Vec::new(),
        }
    }

    /// The last refusal of all reasons.
    #[must_use]
    pub fn last_refused(&self) -> Option<&Refused> {
        self.refused.iter().max_by_key(|refused| (refused.last_at, refused.reason))
    }

    /// How it is doing, in a word.
    #[must_use]
    pub fn condition(&self, now: Timestamp) -> Condition {
        match &self.heard {
            None => Condition::Waiting,
            Some(heard) if heard.last_at.plus(DAY) < now => Condition::Quiet,
            Some(_) => Condition::Receiving,
        }
    }

    /// Whether its clock is to be looked at: an event was this far ahead that the order of a conversation suffers.
    #[must_use]
    pub fn is_ahead(&self) -> bool {
        self.greatest_ahead.is_some_and(|ahead| ahead >= MINUTE)
    }
}

/// How a source is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// Its first event has not come yet.
    Waiting,
    /// It was heard within a day.
    Receiving,
    /// It was heard once, and not for a day.
    Quiet,
}

impl Condition {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::Receiving, Self::Quiet];

    /// The word used in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Receiving => "receiving",
            Self::Quiet => "quiet",
        }
    }
}

/// Why the door refused something of a source, by what its owner has to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Refusal {
    /// It came without any proof: 401.
    NoProof,
    /// The proof does not fit the secret: 401, 403.
    WrongProof,
    /// The proof is too old, or from the future: 401.
    ExpiredProof,
    /// The body is not what it says it is, or cannot be read: 400, 405, 408, 415.
    Unreadable,
    /// It is JSON, and no event: 422.
    Invalid,
    /// An idempotency key was used for something else, or is in use: 409.
    Repeated,
    /// It is too large: 413.
    TooLarge,
    /// It came too fast: 429.
    TooFast,
}

impl Refusal {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::NoProof,
        Self::WrongProof,
        Self::ExpiredProof,
        Self::Unreadable,
        Self::Invalid,
        Self::Repeated,
        Self::TooLarge,
        Self::TooFast,
    ];

    /// The word used in JSON and in tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoProof => "no_proof",
            Self::WrongProof => "wrong_proof",
            Self::ExpiredProof => "expired_proof",
            Self::Unreadable => "unreadable",
            Self::Invalid => "invalid",
            Self::Repeated => "repeated",
            Self::TooLarge => "too_large",
            Self::TooFast => "too_fast",
        }
    }

    /// Reads a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|refusal| refusal.as_str() == word)
    }
}

/// What was refused of a source for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Why.
    pub reason: Refusal,
    /// How often in the last day, to five minutes.
    pub times: u64,
    /// When last.
    pub last_at: Timestamp,
}

/// What new events say of the sources they came from: gathered from a transaction's events, whatever their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceNews(BTreeMap<TenantId, BTreeMap<SourceId, NewsOfSource>>);

/// What new events say of one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewsOfSource {
    /// The first and the last of them.
    pub heard: Heard,
    /// What they come to, by period.
    pub periods: BTreeMap<Period, PeriodNews>,
}

/// What new events come to within one period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeriodNews {
    /// How many.
    pub events: u64,
    /// How far the sender's clock was ahead at the most, in microseconds; negative where it never was.
    pub ahead_micros: i64,
}

impl SourceNews {
    /// Takes note of a new event.
    pub fn add(
        &mut self,
        (tenant, source): (&TenantId, &SourceId),
        received_at: Timestamp,
        (session, event): (&SessionId, Moment),
    ) {
        let known = self.0.get_mut(tenant).and_then(|sources| sources.get_mut(source));
        match known {
            Some(news) => news.add(received_at, session, event),
            None => {
                let news = NewsOfSource::of(received_at, session, event);
                self.0.entry(tenant.clone()).or_default().insert(source.clone(), news);
            }
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Source by source, in one order for all who write.
    pub fn iter(&self) -> impl Iterator<Item = (&TenantId, &SourceId, &NewsOfSource)> {
        self.0
            .iter()
            .flat_map(|(tenant, sources)| sources.iter().map(move |(source, news)| (tenant, source, news)))
    }
}

impl NewsOfSource {
    fn of(received_at: Timestamp, session: &SessionId, event: Moment) -> Self {
        let heard = Heard {
            first_at: received_at,
            last_at: received_at,
            last_session: session.clone(),
            last_event: event,
        };
        let mut news = Self { heard, periods: BTreeMap::new() };
        news.count(received_at, event.at);
        news
    }

    fn add(&mut self, received_at: Timestamp, session: &SessionId, event: Moment) {
        self.heard.first_at = self.heard.first_at.min(received_at);
        if (self.heard.last_at, self.heard.last_event) < (received_at, event) {
            (self.heard.last_at, self.heard.last_event) = (received_at, event);
            self.heard.last_session.clone_from(session);
        }
        self.count(received_at, event.at);
    }

    fn count(&mut self, received_at: Timestamp, occurred_at: Timestamp) {
        let ahead_micros = occurred_at.unix_micros().saturating_sub(received_at.unix_micros());
        let first = PeriodNews { events: 0, ahead_micros };
        let period = self.periods.entry(Period::of(received_at)).or_insert(first);
        period.events += 1;
        period.ahead_micros = period.ahead_micros.max(ahead_micros);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::id::EventId;

    fn at(second: u64) -> Timestamp {
        Timestamp::parse("2026-01-15T09:00:00Z").unwrap().plus(Duration::from_secs(second))
    }

    fn heard(second: u64) -> Heard {
        Heard {
            first_at: at(second),
            last_at: at(second),
            last_session: SessionId::parse("s").unwrap(),
            last_event: Moment { at: at(second), event: EventId::from_uuid(Uuid::from_u128(1)) },
        }
    }

    #[test]
    fn a_period_begins_at_every_fifth_minute() {
        assert_eq!(Period::of(at(299)).begins(), at(0));
        assert_eq!(Period::of(at(300)).begins(), at(300));
        assert_eq!(Period::hour_before(at(3_600)).begins(), at(0));
    }

    #[test]
    fn a_source_is_waited_for_then_heard_then_quiet() {
        let tenant = TenantId::parse("salon").unwrap();
        let mut state = SourceState::unheard(tenant, SourceId::parse("bot").unwrap());
        assert_eq!(state.condition(at(0)), Condition::Waiting);
        state.heard = Some(heard(0));
        assert_eq!(state.condition(at(86_400)), Condition::Receiving);
        assert_eq!(state.condition(at(86_401)), Condition::Quiet);
    }

    #[test]
    fn a_refusal_is_read_back_from_its_word() {
        for refusal in Refusal::ALL {
            assert_eq!(Refusal::parse(refusal.as_str()), Some(refusal));
        }
    }

    proptest! {
        #[test]
        fn the_order_of_events_changes_nothing(
            seconds in prop::collection::vec((0_u64..2_000, 0_u64..2_000, 0_u128..4), 1..20),
            seed in any::<u64>(),
        ) {
            let (tenant, source) = (TenantId::parse("salon").unwrap(), SourceId::parse("bot").unwrap());
            let gather = |events: &[(u64, u64, u128)]| {
                let mut news = SourceNews::default();
                for (received, occurred, id) in events {
                    let session = SessionId::parse(&format!("s-{occurred}-{id}")).unwrap();
                    let event = Moment { at: at(*occurred), event: EventId::from_uuid(Uuid::from_u128(*id)) };
                    news.add((&tenant, &source), at(*received), (&session, event));
                }
                news.iter().map(|(_, _, news)| news.clone()).collect::<Vec<_>>()
            };
            let mut shuffled = seconds.clone();
            shuffled.sort_by_key(|(received, occurred, id)| {
                (received ^ seed).wrapping_mul(31) ^ occurred.rotate_left(7) ^ u64::try_from(*id).unwrap()
            });
            prop_assert_eq!(gather(&seconds), gather(&shuffled));
        }
    }
}

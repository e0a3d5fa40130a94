//! The ledger of consents: who agreed to what, when, to which text; and what holds now.
//!
//! Records are never changed. What holds is the latest word on each purpose, so it depends on the set of records and not
//! on the order they arrived in; of two words of one instant, the withdrawal holds.

use crate::action::{Action, Word};
use crate::channel::Channel;
use crate::event::Event;
use crate::id::{EventId, SessionId, SourceId};
use crate::observation::ConsentPurpose;
use crate::subject::Identity;
use crate::timestamp::Timestamp;

/// A consent that was given or withdrawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsentRecord {
    /// The event that said so.
    pub event: EventId,
    /// When, by the sender's clock, but not after it was first heard of ([`Event::said_at`]).
    pub at: Timestamp,
    /// Through which door.
    pub channel: Channel,
    /// Where it came from.
    pub source: SourceId,
    /// In which conversation.
    pub session: SessionId,
    /// What for.
    pub purpose: ConsentPurpose,
    /// Given, or withdrawn.
    pub granted: bool,
    /// Which edition of the text was shown.
    pub text_version: Option<Word>,
    /// Digest of the text shown.
    pub text_hash: Option<String>,
    /// Who the event named. Nobody: it is of whomever the conversation is with.
    pub named: Vec<Identity>,
}

impl ConsentRecord {
    /// What one event says. A grant without a purpose is for the processing of personal data and for nothing else; a
    /// withdrawal without one is of everything.
    #[must_use]
    pub fn all_of(event: &Event) -> Vec<Self> {
        let record = |purpose, granted| Self {
            event: event.id,
            at: event.said_at(),
            channel: event.channel,
            source: event.source.clone(),
            session: event.session.clone(),
            purpose,
            granted,
            text_version: event.consent.as_ref().and_then(|consent| consent.text_version.clone()),
            text_hash: event.consent.as_ref().and_then(|consent| consent.text_hash.clone()),
            named: Identity::all_of(event),
        };
        match (&event.consent, &event.action) {
            (Some(consent), _) => vec![record(consent.purpose, consent.granted)],
            (None, Action::ConsentGrant) => vec![record(ConsentPurpose::PersonalData, true)],
            (None, Action::ConsentWithdraw) => {
                ConsentPurpose::ALL.into_iter().map(|purpose| record(purpose, false)).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Where it stands among others: oldest first.
    #[must_use]
    pub const fn place(&self) -> (Timestamp, EventId, ConsentPurpose) {
        (self.at, self.event, self.purpose)
    }

    /// One record that was heard twice, as of the first time. The two must be of one event and purpose.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        debug_assert_eq!((self.event, self.purpose), (other.event, other.purpose));
        Self { at: self.at.min(other.at), ..self }
    }
}

/// The record that holds for each purpose somebody spoke of, in the order of purposes.
#[must_use]
pub fn holding(records: &[ConsentRecord]) -> Vec<&ConsentRecord> {
    let latest = |purpose| {
        let of_purpose = records.iter().filter(|record| record.purpose == purpose);
        of_purpose.max_by_key(|record| (record.at, !record.granted, record.event))
    };
    ConsentPurpose::ALL.into_iter().filter_map(latest).collect()
}

/// Whether something may be done for a purpose: only where a consent was given and not withdrawn.
#[must_use]
pub fn allows(records: &[ConsentRecord], purpose: ConsentPurpose) -> bool {
    holding(records).iter().any(|record| record.purpose == purpose && record.granted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::event::testing;
    use crate::observation::Consent;

    fn said(id: u128, second: i64, purpose: ConsentPurpose, granted: bool) -> ConsentRecord {
        let consent = Consent { purpose, granted, text_version: None, text_hash: None };
        let at = Timestamp::from_unix_seconds(second).unwrap();
        let event = Event {
            occurred_at: at,
            received_at: at,
            consent: Some(consent),
            ..testing::event(EventId::from_uuid(Uuid::from_u128(id)))
        };
        ConsentRecord::all_of(&event).remove(0)
    }

    #[test]
    fn nothing_is_allowed_that_nobody_agreed_to() {
        let records = [said(1, 10, ConsentPurpose::PersonalData, true)];
        assert!(allows(&records, ConsentPurpose::PersonalData));
        assert!(!allows(&records, ConsentPurpose::Mailing));
    }

    #[test]
    fn the_latest_word_holds_and_of_two_at_once_the_withdrawal() {
        let given = said(2, 10, ConsentPurpose::Mailing, true);
        let withdrawn = said(1, 10, ConsentPurpose::Mailing, false);
        let given_again = said(3, 11, ConsentPurpose::Mailing, true);
        assert!(!allows(&[given.clone(), withdrawn.clone()], ConsentPurpose::Mailing));
        assert!(allows(&[given_again, given, withdrawn], ConsentPurpose::Mailing));
    }

    #[test]
    fn a_grant_by_a_clock_that_is_ahead_does_not_outlast_a_later_refusal() {
        let at = |hour: i64| Timestamp::from_unix_seconds(hour * 3_600).unwrap();
        let mut form = testing::event(EventId::from_uuid(Uuid::from_u128(1)));
        (form.occurred_at, form.received_at) = (at(19), at(12));
        let consent =
            Consent { purpose: ConsentPurpose::Mailing, granted: true, text_version: None, text_hash: None };
        form.consent = Some(consent);
        let granted = ConsentRecord::all_of(&form).remove(0);
        assert_eq!(granted.at, at(12));
        let refused = ConsentRecord { at: at(13), ..said(2, 0, ConsentPurpose::Mailing, false) };
        assert!(!allows(&[granted.clone(), refused], ConsentPurpose::Mailing));
        // Sent once more an hour later, and read in either order: it was heard at twelve.
        form.received_at = at(14);
        let again = ConsentRecord::all_of(&form).remove(0);
        assert_eq!(again.clone().merge(granted.clone()), granted);
        assert_eq!(granted.clone().merge(again), granted);
        // What comes late was said when it says.
        (form.occurred_at, form.received_at) = (at(9), at(14));
        assert_eq!(ConsentRecord::all_of(&form)[0].at, at(9));
    }

    #[test]
    fn a_withdrawal_of_nothing_in_particular_is_of_everything() {
        let mut event = testing::event(EventId::from_uuid(Uuid::nil()));
        event.action = Action::ConsentWithdraw;
        assert_eq!(ConsentRecord::all_of(&event).len(), ConsentPurpose::ALL.len());
        event.action = Action::ConsentGrant;
        let records = ConsentRecord::all_of(&event);
        assert_eq!((records.len(), records[0].purpose), (1, ConsentPurpose::PersonalData));
    }

    proptest! {
        #[test]
        fn what_holds_does_not_depend_on_the_order_or_repetition(
            words in prop::collection::vec((0_u128..6, 0_i64..3, 0_usize..3, any::<bool>()), 0..10),
            turn in any::<prop::sample::Index>(),
        ) {
            let records: Vec<_> = words
                .into_iter()
                .map(|(id, at, purpose, granted)| said(id, at, ConsentPurpose::ALL[purpose], granted))
                .collect();
            let mut other = records.clone();
            other.extend(records.iter().cloned().rev());
            let turn = turn.index(other.len().max(1));
            other.rotate_left(turn);
            prop_assert_eq!(holding(&other), holding(&records));
        }
    }
}

//! What joins two identities, and what takes a join back.

use super::Identity;
use crate::action::Action;
use crate::event::Event;
use crate::rollup::{Dated, Moment, either};

/// Two identities, in order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pair(Identity, Identity);

impl Pair {
    /// The two, if they are two.
    #[must_use]
    pub fn of(a: Identity, b: Identity) -> Option<Self> {
        match a.cmp(&b) {
            std::cmp::Ordering::Less => Some(Self(a, b)),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(Self(b, a)),
        }
    }

    /// The smaller one.
    #[must_use]
    pub const fn first(&self) -> &Identity {
        &self.0
    }

    /// The larger one.
    #[must_use]
    pub const fn second(&self) -> &Identity {
        &self.1
    }

    /// The other one of the two; `None` for a stranger.
    #[must_use]
    pub fn other(&self, one: &Identity) -> Option<&Identity> {
        if self.0 == *one {
            Some(&self.1)
        } else if self.1 == *one {
            Some(&self.0)
        } else {
            None
        }
    }
}

/// What a person said of two identities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ruling {
    /// They are two persons, whatever else names them together.
    Apart,
    /// They are one person.
    Together,
}

/// What is known of two identities: who first named them together, and what was ruled last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Which two.
    pub pair: Pair,
    /// The first event that named both of one person.
    pub named: Option<Moment>,
    /// The latest ruling: it holds against any naming, earlier and later ones.
    pub ruled: Option<Dated<Ruling>>,
}

impl Link {
    /// What one event says: every two of what it names belong to one person, unless it says the contrary.
    #[must_use]
    pub fn all_of(event: &Event) -> Vec<Self> {
        let identities = Identity::all_of(event);
        let moment = Moment { at: event.occurred_at, event: event.id };
        // Of two rulings the later one holds: none may come from the future and hold against all that follow.
        let ruled_at = Moment { at: event.said_at(), ..moment };
        let (named, ruled) = match event.action {
            Action::SubjectJoin => (None, Some(Dated { moment: ruled_at, value: Ruling::Together })),
            Action::SubjectSplit => (None, Some(Dated { moment: ruled_at, value: Ruling::Apart })),
            _ => (Some(moment), None),
        };
        let mut links = Vec::new();
        for (index, a) in identities.iter().enumerate() {
            for b in &identities[index + 1..] {
                let pair = Pair(a.clone(), b.clone());
                links.push(Self { pair, named, ruled: ruled.clone() });
            }
        }
        links
    }

    /// Both together. The two must be of one pair.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        debug_assert_eq!(self.pair, other.pair);
        Self {
            pair: self.pair,
            named: either(self.named, other.named, Ord::min),
            ruled: either(self.ruled, other.ruled, Dated::later),
        }
    }

    /// Whether the two are one person.
    #[must_use]
    pub fn holds(&self) -> bool {
        match &self.ruled {
            Some(ruling) => ruling.value == Ruling::Together,
            None => self.named.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::super::IdentityKind;
    use super::super::testing::identity;
    use super::*;
    use crate::event::testing;
    use crate::id::{EventId, LeadId};
    use crate::timestamp::Timestamp;

    fn event(id: u128, second: i64, action: Action) -> Event {
        Event {
            action,
            occurred_at: Timestamp::from_unix_seconds(second).unwrap(),
            lead: Some(LeadId::from_number(7)),
            appointment: Some(testing::appointment("a-1", 0)),
            ..testing::event(EventId::from_uuid(Uuid::from_u128(id)))
        }
    }

    fn together(events: &[Event]) -> Link {
        events.iter().flat_map(Link::all_of).reduce(Link::merge).unwrap()
    }

    #[test]
    fn a_ruling_stands_until_another_whatever_names_the_two_meanwhile() {
        let named = event(1, 10, Action::Book);
        let apart = event(2, 5, Action::SubjectSplit);
        assert!(together(std::slice::from_ref(&named)).holds());
        assert!(!together(&[named.clone(), apart.clone()]).holds());
        assert!(together(&[named, apart, event(3, 6, Action::SubjectJoin)]).holds());
    }

    #[test]
    fn one_identity_is_no_pair() {
        let one = identity(IdentityKind::Phone, "p");
        assert_eq!(Pair::of(one.clone(), one), None);
    }

    proptest! {
        #[test]
        fn any_order_and_repetition_gives_the_same_link(
            events in prop::collection::vec((0_u128..4, 0_i64..3, 0_usize..3), 1..8),
            order in any::<prop::sample::Index>(),
        ) {
            let actions = [Action::Book, Action::SubjectJoin, Action::SubjectSplit];
            let events: Vec<_> =
                events.into_iter().map(|(id, at, action)| event(id, at, actions[action].clone())).collect();
            let mut arrived = events.clone();
            arrived.extend(events.iter().cloned().rev());
            arrived.rotate_left(order.index(events.len()));
            prop_assert_eq!(together(&arrived), together(&events));
        }
    }
}

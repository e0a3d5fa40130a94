//! All identities that hang together: one person, as far as is known.

use std::collections::{BTreeMap, BTreeSet};

use super::{Identity, IdentityKind, Link, Pair};

/// An identity that holds together more than this many of one lasting kind is nobody's: the phone at the reception, or
/// an assistant that says the same id of everybody.
///
/// A person with two phones, three addresses and an account in each of eight messengers stays well below; what the
/// bound lets through is shown as [`Circle`]s with several accounts in one messenger.
pub const SHARED_BEYOND: usize = 12;

/// How many links of one identity are looked at. One that has as many is nobody's, too.
pub const LINKS_OF_ONE: u32 = 1_000;

/// A circle is not followed beyond this many identities.
const LARGEST: usize = 500;

/// A circle while it is found: says what to ask next, takes the answers.
///
/// ```
/// # use domain::subject::{Growing, Identity, IdentityKind, Link};
/// # fn links_of(_: &[Identity]) -> Vec<Link> { Vec::new() }
/// let phone = Identity::parse(IdentityKind::Phone, "v1:x").unwrap();
/// let mut growing = Growing::from(phone);
/// while let Some(asked) = growing.asks() {
///     let links = links_of(&asked);
///     growing.takes(asked, links);
/// }
/// let circle = growing.circle();
/// # assert_eq!(circle.identities.len(), 1);
/// ```
#[derive(Debug)]
pub struct Growing {
    start: Identity,
    nobodys: BTreeSet<Identity>,
    asked: BTreeSet<Identity>,
    links: BTreeMap<Pair, Link>,
    beside: BTreeMap<Identity, BTreeSet<Pair>>,
}

/// The identities of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circle {
    /// What hangs together, sorted: the first one names the circle.
    pub identities: Vec<Identity>,
    /// What joins them, and what of them was ruled apart from whom, sorted by pair.
    pub links: Vec<Link>,
    /// What was met that is nobody's, because it belongs to so many or is no phone at all. The circle does not go on through it.
    pub shared: Vec<Identity>,
    /// What is known to be nobody's, whether it was met or not.
    pub nobodys: BTreeSet<Identity>,
    /// Whether it is larger than anybody follows.
    pub is_cut_short: bool,
}

impl Circle {
    /// Whether an identity belongs to it.
    #[must_use]
    pub fn has(&self, identity: &Identity) -> bool {
        self.identities.binary_search(identity).is_ok()
    }

    /// Whether an identity is a person: the client, or somebody else. What a release that took `нет` for a phone recorded is
    /// neither.
    #[must_use]
    pub fn is_person(&self, identity: &Identity) -> bool {
        identity.kind.is_of_a_person() && !self.nobodys.contains(identity)
    }

    /// Whether an identity is somebody else.
    #[must_use]
    pub fn is_another(&self, identity: &Identity) -> bool {
        self.is_person(identity) && !self.has(identity)
    }
}

impl From<Identity> for Growing {
    fn from(start: Identity) -> Self {
        Self {
            start,
            nobodys: BTreeSet::new(),
            asked: BTreeSet::new(),
            links: BTreeMap::new(),
            beside: BTreeMap::new(),
        }
    }
}

impl Growing {
    /// Not to go through any of these, which are known to be nobody's however few they hold together.
    #[must_use]
    pub fn past(self, nobodys: BTreeSet<Identity>) -> Self {
        Self { nobodys, ..self }
    }

    /// Whose links, at most [`LINKS_OF_ONE`] each, have to be known next; `None` when all is known.
    #[must_use]
    pub fn asks(&self) -> Option<Vec<Identity>> {
        let unknown: Vec<_> = self.reached().difference(&self.asked).cloned().collect();
        (!unknown.is_empty() && self.asked.len() < LARGEST).then_some(unknown)
    }

    /// Takes in the links of what was asked.
    pub fn takes(&mut self, asked: Vec<Identity>, links: Vec<Link>) {
        self.asked.extend(asked);
        for link in links {
            for end in [link.pair.first(), link.pair.second()] {
                self.beside.entry(end.clone()).or_default().insert(link.pair.clone());
            }
            self.links.insert(link.pair.clone(), link);
        }
    }

    /// What was found.
    #[must_use]
    pub fn circle(self) -> Circle {
        let reached = self.reached();
        let is_cut_short = reached.iter().any(|identity| !self.asked.contains(identity));
        let (shared, mut identities): (Vec<_>, Vec<_>) =
            reached.into_iter().partition(|identity| self.is_shared(identity));
        if identities.is_empty() {
            identities.push(self.start.clone());
        }
        let mut circle =
            Circle { identities, links: Vec::new(), shared, nobodys: self.nobodys, is_cut_short };
        let concerns = |link: &Link| {
            let (first, second) = (circle.has(link.pair.first()), circle.has(link.pair.second()));
            if link.holds() { first && second } else { first || second }
        };
        circle.links = self.links.into_values().filter(concerns).collect();
        circle
    }

    /// What can be reached from the start over links that hold, not going on through what is nobody's.
    fn reached(&self) -> BTreeSet<Identity> {
        let mut reached = BTreeSet::from([self.start.clone()]);
        let mut left = vec![self.start.clone()];
        while let Some(identity) = left.pop() {
            if self.is_shared(&identity) {
                continue;
            }
            for other in self.joined_to(&identity) {
                if reached.insert(other.clone()) {
                    left.push(other.clone());
                }
            }
        }
        reached
    }

    /// Whether it belongs to too many to be somebody's. Known once its links are.
    fn is_shared(&self, identity: &Identity) -> bool {
        if self.nobodys.contains(identity) {
            return true;
        }
        if !self.asked.contains(identity) {
            return false;
        }
        let mut of_kind: BTreeMap<IdentityKind, usize> = BTreeMap::new();
        for other in self.joined_to(identity).filter(|other| other.kind.is_lasting()) {
            *of_kind.entry(other.kind).or_default() += 1;
        }
        let links = self.beside.get(identity).map_or(0, BTreeSet::len);
        links >= usize::try_from(LINKS_OF_ONE).unwrap_or(usize::MAX)
            || of_kind.values().any(|count| *count > SHARED_BEYOND)
    }

    fn joined_to<'a>(&'a self, identity: &'a Identity) -> impl Iterator<Item = &'a Identity> {
        let pairs = self.beside.get(identity).into_iter().flatten();
        pairs
            .filter(|pair| self.links.get(pair).is_some_and(Link::holds))
            .filter_map(|pair| pair.other(identity))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::super::Ruling;
    use super::super::testing::identity;
    use super::*;
    use crate::id::EventId;
    use crate::rollup::{Dated, Moment};
    use crate::timestamp::Timestamp;

    fn moment() -> Moment {
        Moment { at: Timestamp::EPOCH, event: EventId::from_uuid(Uuid::nil()) }
    }

    fn phone(name: &str) -> Identity {
        identity(IdentityKind::Phone, name)
    }

    fn account(name: &str) -> Identity {
        identity(IdentityKind::Messenger, name)
    }

    fn named(a: &Identity, b: &Identity) -> Link {
        Link { pair: Pair::of(a.clone(), b.clone()).unwrap(), named: Some(moment()), ruled: None }
    }

    fn ruled(a: &Identity, b: &Identity, value: Ruling) -> Link {
        Link { ruled: Some(Dated { moment: moment(), value }), ..named(a, b) }
    }

    fn circle_of(start: &Identity, links: &[Link]) -> Circle {
        let mut growing = Growing::from(start.clone());
        while let Some(asked) = growing.asks() {
            let found = links.iter().filter(|link| asked.iter().any(|one| link.pair.other(one).is_some()));
            let found = found.cloned().collect();
            growing.takes(asked, found);
        }
        growing.circle()
    }

    #[test]
    fn what_hangs_together_over_several_links_is_one_circle_wherever_one_begins() {
        let (one, two) = (account("telegram"), account("whatsapp"));
        let booking = identity(IdentityKind::Appointment, "a-1");
        let links = [named(&phone("p"), &one), named(&booking, &two), named(&booking, &phone("p"))];
        let circle = circle_of(&two, &links);
        assert_eq!(circle.identities, [phone("p"), one, two.clone(), booking.clone()]);
        assert_eq!(circle, circle_of(&phone("p"), &links));
        assert_eq!(circle, circle_of(&booking, &links));
        assert_eq!(circle.links.len(), 3);
    }

    #[test]
    fn what_was_ruled_apart_is_two_circles_and_each_shows_the_ruling() {
        let (one, two) = (account("his"), account("hers"));
        let apart = ruled(&phone("family"), &two, Ruling::Apart);
        let links = [named(&phone("family"), &one), apart.clone()];
        assert_eq!(circle_of(&one, &links).identities, [phone("family"), one]);
        let hers = circle_of(&two, &links);
        assert_eq!((hers.identities, hers.links), (vec![two], vec![apart]));
    }

    #[test]
    fn what_belongs_to_too_many_joins_nobody() {
        let reception = phone("reception");
        let clients: Vec<_> = (0..=SHARED_BEYOND).map(|n| account(&n.to_string())).collect();
        let mut links: Vec<_> = clients.iter().map(|client| named(&reception, client)).collect();
        let circle = circle_of(&clients[0], &links);
        assert_eq!((circle.identities, circle.shared), (vec![clients[0].clone()], vec![reception.clone()]));
        let alone = circle_of(&reception, &links);
        assert_eq!((alone.identities, alone.shared), (vec![reception.clone()], vec![reception.clone()]));
        // One fewer, and it is a large family.
        links.pop();
        assert_eq!(circle_of(&clients[0], &links).identities.len(), SHARED_BEYOND + 1);
    }

    #[test]
    fn what_is_known_to_be_nobodys_joins_nobody_however_few_they_are() {
        let (none, one, two) = (phone("none"), account("one"), account("two"));
        let links = [named(&none, &one), named(&none, &two)];
        let of = |start: &Identity| {
            let mut growing = Growing::from(start.clone()).past(BTreeSet::from([none.clone()]));
            while let Some(asked) = growing.asks() {
                growing.takes(asked, links.to_vec());
            }
            growing.circle()
        };
        assert_eq!((of(&one).identities, of(&one).shared), (vec![one.clone()], vec![none.clone()]));
        assert_eq!(of(&none).identities, std::slice::from_ref(&none));
    }

    #[test]
    fn a_client_of_many_bookings_and_many_ids_of_an_assistant_stays_one() {
        let days = 0..100;
        let links: Vec<_> = days
            .flat_map(|n| {
                let of_day = |kind| identity(kind, &n.to_string());
                [IdentityKind::Appointment, IdentityKind::SenderHash]
                    .map(|kind| named(&phone("p"), &of_day(kind)))
            })
            .collect();
        let circle = circle_of(&phone("p"), &links);
        assert_eq!((circle.identities.len(), circle.shared.len(), circle.is_cut_short), (201, 0, false));
    }

    #[test]
    fn a_circle_without_end_is_cut_short_and_says_so() {
        let chain: Vec<_> = (0..LARGEST + 100).map(|n| account(&n.to_string())).collect();
        let links: Vec<_> = chain.windows(2).map(|two| named(&two[0], &two[1])).collect();
        let circle = circle_of(&chain[0], &links);
        assert!(circle.is_cut_short && circle.identities.len() <= LARGEST + 1);
    }

    proptest! {
        #[test]
        fn two_identities_have_one_circle_or_nothing_in_common(
            joins in prop::collection::vec((0_u8..8, 0_u8..8, any::<bool>()), 0..20),
            (a, b) in (0_u8..8, 0_u8..8),
        ) {
            let name = |n: u8| account(&n.to_string());
            let links: BTreeMap<_, _> = joins
                .into_iter()
                .filter(|(a, b, _)| a != b)
                .map(|(a, b, is_apart)| {
                    let ruling = if is_apart { Ruling::Apart } else { Ruling::Together };
                    ruled(&name(a), &name(b), ruling)
                })
                .map(|link| (link.pair.clone(), link))
                .collect();
            let links: Vec<_> = links.into_values().collect();
            let (a, b) = (circle_of(&name(a), &links), circle_of(&name(b), &links));
            let is_one = a.identities == b.identities;
            prop_assert!(is_one || a.identities.iter().all(|identity| !b.has(identity)));
        }
    }
}

//! The way of a client: which doors, in which order.

use std::collections::{BTreeMap, BTreeSet};

use super::{Circle, Identity, IdentityKind};
use crate::channel::Channel;
use crate::event::Event;
use crate::id::SessionId;
use crate::rollup::{Dated, Moment, SessionRollup, either};
use crate::timestamp::Timestamp;

/// An identity in a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touch {
    /// Who.
    pub identity: Identity,
    /// Where.
    pub session: SessionId,
    /// When it was first named there and at which door, but for notices and what the CRM says.
    pub door: Option<Dated<Channel>>,
}

impl Touch {
    /// What one event says: everything it names was in its conversation. A ruling is about persons and of no conversation:
    /// it leads to itself, where it stands alone, and to nothing else.
    #[must_use]
    pub fn all_of(event: &Event) -> Vec<Self> {
        if event.is_ruling() && event.session != SessionId::of_ruling(event.id) {
            return Vec::new();
        }
        let is_door = !event.is_notice() && event.channel != Channel::Crm;
        let moment = Moment { at: event.occurred_at, event: event.id };
        let door = is_door.then_some(Dated { moment, value: event.channel });
        let touch = |identity| Self { identity, session: event.session.clone(), door: door.clone() };
        Identity::all_of(event).into_iter().map(touch).collect()
    }

    /// Whether it leads to a ruling, and to no conversation.
    #[must_use]
    pub fn is_of_ruling(&self) -> bool {
        self.door.is_none() && self.session.is_of_ruling()
    }

    /// Both together. The two must be of one identity and session.
    #[must_use]
    pub fn merge(self, other: Self) -> Self {
        debug_assert_eq!((&self.identity, &self.session), (&other.identity, &other.session));
        Self { door: either(self.door, other.door, Dated::earlier), ..self }
    }
}

/// A conversation of a client, seen as the door they came through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    /// Which.
    pub channel: Channel,
    /// The conversation behind it.
    pub session: SessionId,
    /// When the client first came through it: when the conversation began or, where others speak too, when the client
    /// was first named in it.
    pub first_at: Timestamp,
    /// When the conversation was last heard of.
    pub last_at: Timestamp,
    /// Whether others are named in the conversation, too.
    pub is_shared: bool,
}

/// All doors of a client, by when they were first used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journey {
    /// The doors; the first one is the source of the client.
    pub doors: Vec<Door>,
    /// Messengers in which the client has more than one account: perhaps two persons of one phone.
    pub several_accounts: Vec<Channel>,
}

impl Journey {
    /// The way of a circle, from everything that is named in its conversations ([`standing`]) and what is known of them.
    #[must_use]
    pub fn of(circle: &Circle, touches: &[Touch], sessions: &BTreeMap<SessionId, SessionRollup>) -> Self {
        let others: BTreeSet<_> = touches
            .iter()
            .filter(|touch| circle.is_another(&touch.identity))
            .map(|touch| &touch.session)
            .collect();
        let mut first: BTreeMap<&SessionId, Dated<Channel>> = BTreeMap::new();
        for touch in touches.iter().filter(|touch| circle.has(&touch.identity)) {
            let Some(door) = touch.door.clone() else { continue };
            let earlier = match first.remove(&touch.session) {
                Some(known) => known.earlier(door),
                None => door,
            };
            first.insert(&touch.session, earlier);
        }
        let door = |(session, first): (&SessionId, Dated<Channel>)| {
            let is_shared = others.contains(session);
            let rollup = sessions.get(session);
            let opened = rollup
                .map(|rollup| &rollup.opened)
                .filter(|opened| !is_shared && opened.value != Channel::Crm)
                .unwrap_or(&first);
            Door {
                channel: opened.value,
                session: session.clone(),
                first_at: opened.moment.at,
                last_at: rollup.map_or(first.moment.at, |rollup| rollup.last.at),
                is_shared,
            }
        };
        let mut doors: Vec<_> = first.into_iter().map(door).collect();
        doors.sort_by(|a, b| (a.first_at, &a.session).cmp(&(b.first_at, &b.session)));
        Self { doors, several_accounts: several_accounts(circle, touches) }
    }

    /// Where the client came from.
    #[must_use]
    pub fn first(&self) -> Option<&Door> {
        self.doors.first()
    }

    /// Where the client was last.
    #[must_use]
    pub fn last(&self) -> Option<&Door> {
        self.doors.iter().max_by_key(|door| (door.last_at, &door.session))
    }

    /// The channels in the order in which conversations began, one used twice in a row once.
    #[must_use]
    pub fn path(&self) -> Vec<Channel> {
        let mut path: Vec<_> = self.doors.iter().map(|door| door.channel).collect();
        path.dedup();
        path
    }
}

/// What is left of touches once rulings are heeded. Where two that are not one person are named in one conversation, it
/// is of the one that speaks there: of whoever came through its door before whom nobody but a notice named, an account
/// before what is only said of it, and what was named first before the rest. So a wrong join that is taken back takes the
/// conversation along. Where nobody speaks, as in what a CRM tells, nobody is before another.
#[must_use]
pub fn standing(circle: &Circle, touches: Vec<Touch>) -> Vec<Touch> {
    let apart: BTreeSet<(&Identity, &Identity)> = circle
        .links
        .iter()
        .filter(|link| !link.holds())
        .flat_map(|link| {
            let (one, other) = (link.pair.first(), link.pair.second());
            [(one, other), (other, one)]
        })
        .collect();
    if apart.is_empty() {
        return touches;
    }
    let mut named: BTreeMap<&SessionId, Vec<&Touch>> = BTreeMap::new();
    for touch in &touches {
        named.entry(&touch.session).or_default().push(touch);
    }
    named.retain(|_, named| named.iter().any(|touch| touch.door.is_some()));
    let speaks = |touch: &Touch, moment: Moment| {
        let is_account = matches!(touch.identity.kind, IdentityKind::Messenger | IdentityKind::SenderHash);
        (!is_account, moment)
    };
    let is_before = |other: &Touch, touch: &Touch| match (&other.door, &touch.door) {
        (Some(theirs), Some(own)) => speaks(other, theirs.moment) < speaks(touch, own.moment),
        // Releases that took rulings for a part of the conversation left both of a pair in it without a door.
        (_, None) => true,
        (None, Some(_)) => false,
    };
    let is_of_another = |touch: &Touch| {
        let mut beside = named.get(&touch.session).into_iter().flatten();
        beside.any(|other| apart.contains(&(&touch.identity, &other.identity)) && is_before(other, touch))
    };
    touches.iter().filter(|touch| !is_of_another(touch)).cloned().collect()
}

/// Channels in which several accounts of the circle spoke that are not one account under a new id.
fn several_accounts(circle: &Circle, touches: &[Touch]) -> Vec<Channel> {
    let is_account = |identity: &Identity| identity.kind == IdentityKind::Messenger && circle.has(identity);
    let renamed = |a: &Identity, b: &Identity| {
        circle.links.iter().any(|link| link.holds() && link.pair.first() == a && link.pair.second() == b)
    };
    let mut accounts: BTreeMap<Channel, BTreeSet<&Identity>> = BTreeMap::new();
    for touch in touches.iter().filter(|touch| is_account(&touch.identity)) {
        if let Some(door) = &touch.door {
            accounts.entry(door.value).or_default().insert(&touch.identity);
        }
    }
    let is_several = |accounts: &BTreeSet<&Identity>| {
        let accounts: Vec<_> = accounts.iter().copied().collect();
        accounts.iter().enumerate().any(|(n, a)| accounts[n + 1..].iter().any(|b| !renamed(a, b)))
    };
    accounts.into_iter().filter(|(_, accounts)| is_several(accounts)).map(|(channel, _)| channel).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::super::testing::identity;
    use super::super::{Link, Pair};
    use super::*;
    use crate::event::testing;
    use crate::id::EventId;

    fn at(second: i64) -> Moment {
        Moment {
            at: Timestamp::from_unix_seconds(second).unwrap(),
            event: EventId::from_uuid(Uuid::from_u128(second.unsigned_abs().into())),
        }
    }

    fn session(id: &str) -> SessionId {
        SessionId::parse(id).unwrap()
    }

    fn touch(identity: &Identity, id: &str, channel: Channel, second: i64) -> Touch {
        let door = Some(Dated { moment: at(second), value: channel });
        Touch { identity: identity.clone(), session: session(id), door }
    }

    fn rollup(id: &str, channel: Channel, from: i64, until: i64) -> (SessionId, SessionRollup) {
        let event = testing::event(at(from).event);
        let opened = Dated { moment: at(from), value: channel };
        let rollup =
            SessionRollup { session: session(id), opened, last: at(until), ..SessionRollup::of(&event) };
        (session(id), rollup)
    }

    fn circle(identities: &[&Identity], links: Vec<Link>) -> Circle {
        let mut identities: Vec<_> = identities.iter().map(|one| (*one).clone()).collect();
        identities.sort();
        Circle { identities, links, shared: Vec::new(), nobodys: BTreeSet::new(), is_cut_short: false }
    }

    #[test]
    fn the_source_is_the_conversation_that_began_first_though_its_phone_came_later() {
        let (phone, account) = (identity(IdentityKind::Phone, "p"), identity(IdentityKind::Messenger, "m"));
        let touches =
            [touch(&account, "chat", Channel::Whatsapp, 20), touch(&phone, "form", Channel::Site, 30)];
        let sessions = [rollup("form", Channel::Site, 10, 31), rollup("chat", Channel::Whatsapp, 20, 90)];
        let circle = circle(&[&phone, &account], Vec::new());
        let journey = Journey::of(&circle, &touches, &BTreeMap::from(sessions));
        assert_eq!(journey.path(), [Channel::Site, Channel::Whatsapp]);
        assert_eq!(journey.first().unwrap().first_at, at(10).at);
        assert_eq!(journey.last().unwrap().session, session("chat"));
    }

    #[test]
    fn where_others_speak_too_a_client_came_when_first_named() {
        let (his, hers) =
            (identity(IdentityKind::Messenger, "his"), identity(IdentityKind::Messenger, "hers"));
        let touches =
            [touch(&his, "group", Channel::Telegram, 10), touch(&hers, "group", Channel::Telegram, 50)];
        let sessions = BTreeMap::from([rollup("group", Channel::Telegram, 10, 60)]);
        let journey = Journey::of(&circle(&[&hers], Vec::new()), &touches, &sessions);
        let door = journey.first().unwrap();
        assert_eq!((door.first_at, door.is_shared), (at(50).at, true));
    }

    #[test]
    fn a_phone_that_an_account_only_borrowed_was_never_in_its_conversation() {
        let (phone, account) = (identity(IdentityKind::Phone, "p"), identity(IdentityKind::Messenger, "m"));
        let both = vec![
            touch(&phone, "chat", Channel::Telegram, 10),
            touch(&account, "chat", Channel::Telegram, 10),
            touch(&phone, "form", Channel::Site, 20),
        ];
        let pair = Pair::of(phone.clone(), account.clone()).unwrap();
        let ruled = Some(Dated { moment: at(30), value: super::super::Ruling::Apart });
        let apart = Link { pair, named: Some(at(10)), ruled };
        let of_phone = standing(&circle(&[&phone], vec![apart.clone()]), both.clone());
        assert_eq!(of_phone, [both[1].clone(), both[2].clone()]);
        assert_eq!(standing(&circle(&[&account], vec![apart]), both), of_phone, "for both sides alike");
    }

    #[test]
    fn neither_a_notice_nor_the_crm_is_a_door() {
        let mut event =
            Event { lead: Some(crate::id::LeadId::from_number(7)), ..testing::event(at(1).event) };
        event.channel = Channel::Crm;
        assert!(Touch::all_of(&event).iter().all(|touch| touch.door.is_none()));
        event.channel = Channel::Site;
        assert!(Touch::all_of(&event).iter().all(|touch| touch.door.is_some()));
    }

    #[test]
    fn a_ruling_is_of_no_conversation_and_leads_to_itself() {
        let mut event =
            Event { lead: Some(crate::id::LeadId::from_number(7)), ..testing::event(at(1).event) };
        event.action = crate::action::Action::SubjectSplit;
        assert_eq!(Touch::all_of(&event), []);
        event.session = SessionId::of_ruling(event.id);
        let touches = Touch::all_of(&event);
        assert!(touches.len() == 1 && touches.iter().all(Touch::is_of_ruling));
        assert!(!session("ruling-7").is_of_ruling() && !session("chat").is_of_ruling());
    }

    #[test]
    fn whom_only_a_notice_names_is_not_before_who_came_through_the_door() {
        let (phone, account) = (identity(IdentityKind::Phone, "p"), identity(IdentityKind::Messenger, "m"));
        let came = touch(&phone, "form", Channel::Site, 10);
        let noticed = Touch { door: None, ..touch(&account, "form", Channel::Site, 5) };
        let both = vec![noticed, came.clone()];
        let of = |one: &Identity| standing(&circle(&[one], vec![apart(&phone, &account)]), both.clone());
        assert_eq!((of(&phone), of(&account)), (vec![came.clone()], vec![came]));
    }

    fn apart(one: &Identity, other: &Identity) -> Link {
        let ruled = Some(Dated { moment: at(30), value: super::super::Ruling::Apart });
        Link { pair: Pair::of(one.clone(), other.clone()).unwrap(), named: Some(at(10)), ruled }
    }

    proptest! {
        /// Releases before this one recorded a ruling in a conversation of the client, as if both were named there.
        #[test]
        fn what_old_rulings_left_in_conversations_gives_nobody_a_door_and_takes_none(
            doors in prop::collection::vec((0_usize..3, 0_u8..3, 1_i64..9), 1..8),
            left in prop::collection::vec(0_u8..3, 0..3),
        ) {
            let kinds = [IdentityKind::Phone, IdentityKind::Messenger, IdentityKind::Messenger];
            let [phone, his, hers] = [0, 1, 2].map(|n| identity(kinds[n], &n.to_string()));
            let mut came: BTreeMap<_, Touch> = BTreeMap::new();
            for (who, place, second) in doors {
                let one = touch([&phone, &his, &hers][who], &place.to_string(), Channel::Telegram, second);
                let key = (one.identity.clone(), one.session.clone());
                let known = came.remove(&key).map_or(one.clone(), |known| known.merge(one));
                came.insert(key, known);
            }
            let entered: BTreeSet<_> = came.keys().map(|(_, session)| session.clone()).collect();
            let mut all = came.clone();
            for place in left.iter().map(|place| session(&place.to_string())) {
                for one in [&phone, &hers] {
                    // It was the client's latest conversation, so somebody had come to it.
                    if entered.contains(&place) {
                        let key = (one.clone(), place.clone());
                        let ruled = Touch { identity: one.clone(), session: place.clone(), door: None };
                        all.entry(key).or_insert(ruled);
                    }
                }
            }
            let [came, all] = [came, all].map(|touches| touches.into_values().collect::<Vec<_>>());
            for mine in [vec![&phone, &his], vec![&hers]] {
                let circle = circle(&mine, vec![apart(&phone, &hers)]);
                let of = |touches: &Vec<Touch>| {
                    let touches = standing(&circle, touches.clone());
                    Journey::of(&circle, &touches, &BTreeMap::new())
                };
                prop_assert_eq!(of(&all), of(&came));
            }
        }
    }

    #[test]
    fn two_accounts_in_one_messenger_are_pointed_out_unless_one_is_the_other_renamed() {
        let (old, new) = (identity(IdentityKind::Messenger, "a"), identity(IdentityKind::Messenger, "b"));
        let touches = [touch(&old, "s-1", Channel::Whatsapp, 1), touch(&new, "s-2", Channel::Whatsapp, 2)];
        let of = |links| Journey::of(&circle(&[&old, &new], links), &touches, &BTreeMap::new());
        assert_eq!(of(Vec::new()).several_accounts, [Channel::Whatsapp]);
        let pair = Pair::of(old.clone(), new.clone()).unwrap();
        let renamed = Link { pair, named: Some(at(2)), ruled: None };
        assert_eq!(of(vec![renamed]).several_accounts, []);
    }
}

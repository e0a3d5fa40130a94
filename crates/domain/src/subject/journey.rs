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
    /// What one event says: everything it names was in its conversation.
    #[must_use]
    pub fn all_of(event: &Event) -> Vec<Self> {
        let is_door = !event.is_notice() && event.channel != Channel::Crm;
        let moment = Moment { at: event.occurred_at, event: event.id };
        let door = is_door.then_some(Dated { moment, value: event.channel });
        let touch = |identity| Self { identity, session: event.session.clone(), door: door.clone() };
        Identity::all_of(event).into_iter().map(touch).collect()
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
            .filter(|touch| touch.identity.kind.is_of_a_person() && !circle.has(&touch.identity))
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

    /// The channels in the order they were first used, a door used twice in a row once.
    #[must_use]
    pub fn path(&self) -> Vec<Channel> {
        let mut path: Vec<_> = self.doors.iter().map(|door| door.channel).collect();
        path.dedup();
        path
    }
}

/// What is left of touches once rulings are heeded. Where two that are not one person are named in one conversation, it
/// is of the one that speaks there: an account before what is only said of it, and what was named first before the
/// rest. So a wrong join that is taken back takes the conversation along.
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
    let says = |touch: &Touch| {
        let is_account = matches!(touch.identity.kind, IdentityKind::Messenger | IdentityKind::SenderHash);
        (!is_account, touch.door.as_ref().map(|door| door.moment))
    };
    let is_of_another = |touch: &Touch| {
        let mut beside = touches.iter().filter(|other| other.session == touch.session);
        beside.any(|other| apart.contains(&(&touch.identity, &other.identity)) && says(other) < says(touch))
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
        Circle { identities, links, shared: Vec::new(), is_cut_short: false }
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
        event.action = crate::action::Action::SubjectSplit;
        assert!(Touch::all_of(&event).iter().all(|touch| touch.door.is_none()));
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

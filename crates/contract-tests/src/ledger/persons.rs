//! Identities, the conversations that name them, and consents.

use std::collections::BTreeSet;

use domain::action::{Action, Word};
use domain::channel::Channel;
use domain::consent::{ConsentRecord, allows};
use domain::event::{Alias, AliasKind, Event};
use domain::id::{EventId, LeadId, Pseudonym, SessionId, TenantId};
use domain::observation::{Consent, ConsentPurpose};
use domain::subject::{Circle, Identity, IdentityKind, LINKS_OF_ONE, Ruling, Touch};
use futures_util::future::join_all;
use ports::subjects::circle_of;
use uuid::Uuid;

use super::{Port, record};
use crate::fixtures::{appointment, at, batch, contradiction, event, salon, session, tenant};

fn alias(kind: AliasKind, name: &str) -> Alias {
    Alias { kind, pseudonym: Pseudonym::parse(&format!("v1:{name}")).unwrap() }
}

fn phone() -> Alias {
    alias(AliasKind::Phone, "phone")
}

fn account(name: &str) -> Alias {
    alias(AliasKind::Messenger, name)
}

fn naming(session: &str, second: u64, channel: Channel, aliases: &[Alias]) -> Event {
    Event { channel, aliases: aliases.to_vec(), ..event(session, second, Action::Message) }
}

/// A form on the site with a phone, a WhatsApp account that leaves its phone later, a Telegram account that shares its
/// contact, and a booking made on the phone: one client.
fn one_client(salon: &TenantId) -> Vec<Event> {
    let mut said = vec![
        naming("form", 10, Channel::Site, &[phone()]),
        naming("whatsapp", 20, Channel::Whatsapp, &[account("whatsapp")]),
        naming("whatsapp", 30, Channel::Whatsapp, &[phone(), account("whatsapp")]),
        naming("telegram", 40, Channel::Telegram, &[account("telegram")]),
        naming("telegram", 50, Channel::Telegram, &[phone(), account("telegram")]),
        Event { appointment: Some(appointment("a-1")), ..naming("record", 60, Channel::Booking, &[phone()]) },
        Event {
            appointment: Some(appointment("a-1")),
            ..naming("chat", 70, Channel::Max, &[account("max")])
        },
        Event { lead: Some(LeadId::from_number(7)), ..naming("chat", 75, Channel::Max, &[account("max")]) },
    ];
    for (said, n) in said.iter_mut().zip(1..) {
        said.id = EventId::from_uuid(Uuid::from_u128(n));
        said.tenant = salon.clone();
    }
    said
}

fn split(a: &Alias, b: &Alias, second: u64) -> Event {
    let ruling = naming("form", second, Channel::Other, &[a.clone(), b.clone()]);
    Event { action: Action::SubjectSplit, ..ruling }
}

async fn circle(ledger: &Port, tenant: &TenantId, of: &Alias) -> Circle {
    circle_of(ledger, tenant, Identity::from(of)).await.unwrap()
}

async fn names(ledger: &Port, of: &Alias) -> Vec<String> {
    circle(ledger, &salon(), of).await.identities.iter().map(ToString::to_string).collect()
}

async fn touches(ledger: &Port, tenant: &TenantId, of: &[Identity]) -> Vec<Touch> {
    let mut touches = ledger.touches(tenant, of).await.unwrap();
    touches.sort_by_key(|touch| (touch.identity.clone(), touch.session.clone()));
    touches
}

pub async fn what_one_event_names_is_one_person_over_all_channels(ledger: &Port) {
    record(ledger, &batch(&one_client(&salon()))).await;
    let whole = [
        "phone v1:phone",
        "messenger v1:max",
        "messenger v1:telegram",
        "messenger v1:whatsapp",
        "lead BX-7",
        "appointment a-1",
    ];
    for one in [phone(), account("max"), account("telegram"), account("whatsapp")] {
        assert_eq!(names(ledger, &one).await, whole, "{one:?}");
    }
    let lead = circle_of(ledger, &salon(), Identity::of_lead(LeadId::from_number(7))).await.unwrap();
    assert_eq!(lead.identities.len(), whole.len());
    assert_eq!(names(ledger, &account("stranger")).await, ["messenger v1:stranger"]);
    let sessions: Vec<_> = ["form", "record", "nowhere"].map(session).into();
    let named = ledger.named_in(&salon(), &sessions).await.unwrap();
    assert_eq!(named.len(), 3, "the phone twice, and the booking");
    let known = ledger.sessions_known(&salon(), &sessions).await.unwrap();
    let known: BTreeSet<_> = known.iter().map(|row| row.rollup.session.as_str()).collect();
    assert_eq!(known, BTreeSet::from(["form", "record"]));
}

pub async fn a_ruling_holds_against_what_comes_later_and_until_another(ledger: &Port) {
    let (his, hers) = (account("his"), account("hers"));
    let shares = |whose: &Alias, second| naming("chat", second, Channel::Telegram, &[phone(), whose.clone()]);
    record(ledger, &batch(&[shares(&his, 10), shares(&hers, 20)])).await;
    assert_eq!(names(ledger, &his).await.len(), 3);
    record(ledger, &batch(&[split(&phone(), &hers, 30)])).await;
    record(ledger, &batch(&[shares(&hers, 40)])).await;
    assert_eq!(names(ledger, &his).await, ["phone v1:phone", "messenger v1:his"]);
    let alone = circle(ledger, &salon(), &hers).await;
    assert_eq!((alone.identities.len(), alone.links.len()), (1, 1));
    let link = &alone.links[0];
    assert_eq!(link.named.unwrap().at, at(20), "why it was thought to be one person is still told");
    assert_eq!(link.ruled.as_ref().unwrap().value, Ruling::Apart);
    let joined = Event { action: Action::SubjectJoin, ..split(&phone(), &hers, 50) };
    record(ledger, &batch(&[joined])).await;
    assert_eq!(names(ledger, &his).await.len(), 3);
}

pub async fn a_contradiction_and_a_duplicate_teach_nothing(ledger: &Port) {
    let first = naming("form", 10, Channel::Site, &[phone()]);
    let other = Event { aliases: vec![phone(), account("stranger")], ..contradiction(&first) };
    record(ledger, &batch(std::slice::from_ref(&first))).await;
    record(ledger, &batch(&[other])).await;
    record(ledger, &batch(&[first])).await;
    assert_eq!(names(ledger, &phone()).await, ["phone v1:phone"]);
    assert_eq!(touches(ledger, &salon(), &[Identity::from(&account("stranger"))]).await, []);
}

pub async fn the_first_door_is_the_earliest_whenever_it_is_told(ledger: &Port) {
    let said = |second, channel| naming("s-1", second, channel, &[phone()]);
    let notice = Event { action: Action::SubjectJoin, ..said(1, Channel::Site) };
    for said in [
        notice,
        said(30, Channel::Telegram),
        said(5, Channel::Crm),
        said(20, Channel::Vk),
        said(40, Channel::Max),
    ] {
        record(ledger, &batch(&[said])).await;
    }
    let touches = touches(ledger, &salon(), &[Identity::from(&phone())]).await;
    let door = touches[0].door.clone().unwrap();
    assert_eq!((touches.len(), door.value, door.moment.at), (1, Channel::Vk, at(20)));
}

fn consenting(session: &str, second: u64, granted: bool, aliases: &[Alias]) -> Event {
    let consent = Consent {
        purpose: ConsentPurpose::Mailing,
        granted,
        text_version: Some(Word::parse("2025-01").unwrap()),
        text_hash: Some("sha256:00112233445566778899aabbccddeeff".to_owned()),
    };
    let said = naming(session, second, Channel::Telegram, aliases);
    Event { action: Action::ConsentGrant, consent: Some(consent), ..said }
}

pub async fn what_was_consented_to_is_kept_with_who_it_names(ledger: &Port) {
    let withdrawn = consenting("chat", 20, false, &[]);
    let granted = consenting("chat", 10, true, &[phone()]);
    record(ledger, &batch(std::slice::from_ref(&withdrawn))).await;
    record(ledger, &batch(std::slice::from_ref(&granted))).await;
    record(ledger, &batch(std::slice::from_ref(&granted))).await;
    let found = ledger.consents(&salon(), &[session("chat"), session("another")]).await.unwrap();
    let expected = [&granted, &withdrawn].map(|event| ConsentRecord::all_of(event).remove(0));
    assert_eq!(found, expected);
    assert!(!allows(&found, ConsentPurpose::Mailing));
    assert_eq!(ledger.consents(&salon(), &[session("another")]).await.unwrap(), []);
}

pub async fn any_order_of_calls_gives_the_same_persons(ledger: &Port) {
    let mut first_seen = None;
    for (round, order) in super::recording::orders(12, 24, 12).into_iter().enumerate() {
        let salon = tenant(&format!("salon-{round}"));
        let mut said = one_client(&salon);
        let mut rulings = [
            split(&phone(), &account("telegram"), 80),
            Event { action: Action::SubjectJoin, ..split(&phone(), &account("telegram"), 90) },
            split(&phone(), &account("whatsapp"), 100),
            consenting("chat", 110, true, &[account("max")]),
        ];
        for (ruling, n) in rulings.iter_mut().zip(100..) {
            ruling.id = EventId::from_uuid(Uuid::from_u128(n));
            ruling.tenant = salon.clone();
        }
        said.extend(rulings);
        for index in order {
            record(ledger, &batch(std::slice::from_ref(&said[index % said.len()]))).await;
        }
        let circles =
            [circle(ledger, &salon, &phone()).await, circle(ledger, &salon, &account("whatsapp")).await];
        let touched = touches(ledger, &salon, &circles[0].identities).await;
        let sessions: Vec<SessionId> = touched.iter().map(|touch| touch.session.clone()).collect();
        let consents = ledger.consents(&salon, &sessions).await.unwrap();
        assert_eq!((circles[0].identities.len(), circles[1].identities.len(), consents.len()), (5, 1, 1));
        let seen = (circles, touched, consents);
        assert_eq!(*first_seen.get_or_insert_with(|| seen.clone()), seen, "round {round}");
    }
}

pub async fn many_who_teach_the_same_at_once_agree(ledger: &Port) {
    let batches: Vec<_> = (0..8)
        .map(|writer| {
            let mut said: Vec<_> = (0..20)
                .map(|n| {
                    let account = account(&n.to_string());
                    naming(&format!("chat-{n}"), 10 + writer, Channel::Telegram, &[phone(), account])
                })
                .collect();
            // Each in another order: whoever takes rows as they come meets the others crosswise.
            said.rotate_left(usize::try_from(writer).unwrap() * 2);
            batch(&said)
        })
        .collect();
    join_all(batches.iter().map(|batch| record(ledger, batch))).await;
    let links = ledger.links(&salon(), &[Identity::from(&phone())]).await.unwrap();
    assert_eq!(links.len(), 20);
    assert!(links.iter().all(|link| link.named.unwrap().at == at(10)));
}

pub async fn no_person_crosses_to_another_tenant(ledger: &Port) {
    record(ledger, &batch(&one_client(&salon()))).await;
    record(ledger, &batch(&[consenting("chat", 10, true, &[phone()])])).await;
    let (other, of) = (tenant("other"), [Identity::from(&phone())]);
    assert_eq!(ledger.links(&other, &of).await.unwrap(), []);
    assert_eq!(ledger.touches(&other, &of).await.unwrap(), []);
    assert_eq!(ledger.named_in(&other, &[session("chat")]).await.unwrap(), []);
    assert_eq!(ledger.sessions_known(&other, &[session("chat")]).await.unwrap(), []);
    assert_eq!(ledger.consents(&other, &[session("chat")]).await.unwrap(), []);
    // An event of one tenant in the batch of another teaches about the other's.
    let mut foreign = batch(&[naming("form", 10, Channel::Site, &[phone(), account("foreign")])]);
    foreign.tenant = other.clone();
    record(ledger, &foreign).await;
    assert_eq!(ledger.links(&other, &of).await.unwrap().len(), 1);
    assert!(!names(ledger, &phone()).await.contains(&"messenger v1:foreign".to_owned()));
}

pub async fn persons_are_forgotten_with_their_last_conversation_unless_they_agreed_to_something(
    ledger: &Port,
) {
    let known = [
        naming("old", 10, Channel::Site, &[phone(), account("old")]),
        naming("new", 80, Channel::Site, &[phone(), account("new")]),
        naming("agreed", 10, Channel::Site, &[account("old"), account("agreed")]),
        consenting("agreed", 11, true, &[account("agreed")]),
    ];
    record(ledger, &batch(&known)).await;
    let mut calls = 0;
    while ledger.sweep(at(50), at(50), 2).await.unwrap() > 0 {
        calls += 1;
        assert!(calls < 100, "it never ends");
    }
    assert_eq!(ledger.sessions_known(&salon(), &["old", "agreed"].map(session)).await.unwrap(), []);
    let of = |alias: Alias| [Identity::from(&alias)];
    let where_is = async |alias| {
        let touches = touches(ledger, &salon(), &of(alias)).await;
        touches.into_iter().map(|touch| touch.session.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(where_is(phone()).await, ["new"]);
    assert_eq!(where_is(account("old")).await, ["agreed"]);
    assert_eq!(ledger.consents(&salon(), &[session("agreed")]).await.unwrap().len(), 1);
    // Both ends of each link are still named somewhere.
    assert_eq!(ledger.links(&salon(), &of(account("old"))).await.unwrap().len(), 2);
}

pub async fn one_known_by_very_many_links_is_answered_in_part(ledger: &Port) {
    let said: Vec<_> = (0..LINKS_OF_ONE + 20)
        .map(|n| naming(&format!("s-{n}"), 10, Channel::Site, &[phone(), account(&n.to_string())]))
        .collect();
    record(ledger, &batch(&said)).await;
    let of = [Identity::from(&phone()), Identity::from(&account("1"))];
    let links = ledger.links(&salon(), &of).await.unwrap();
    assert_eq!(links.len(), usize::try_from(LINKS_OF_ONE).unwrap() + 1);
    let one = circle(ledger, &salon(), &account("1")).await;
    assert_eq!((one.identities.len(), one.shared.len()), (1, 1));
    assert_eq!(one.shared[0].kind, IdentityKind::Phone);
}

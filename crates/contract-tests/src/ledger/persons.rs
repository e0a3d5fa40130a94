//! Identities, the conversations that name them, and consents.

use std::collections::BTreeSet;

use domain::action::{Action, Word};
use domain::channel::Channel;
use domain::consent::{ConsentRecord, allows};
use domain::event::{Alias, AliasKind, Event};
use domain::id::{EventId, LeadId, Pseudonym, ReceiptId, SessionId, TenantId};
use domain::observation::{Consent, ConsentPurpose};
use domain::subject::{Circle, Identity, IdentityKind, Journey, LINKS_OF_ONE, Ruling, Touch, standing};
use futures_util::future::join_all;
use ports::subjects::{MAX_ROWS, circle_of};
use uuid::Uuid;

use super::{Port, all_sessions, record};
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
    alone(Event {
        action: Action::SubjectSplit,
        ..naming("form", second, Channel::Other, &[a.clone(), b.clone()])
    })
}

/// A ruling where rulings stand.
fn alone(ruling: Event) -> Event {
    Event { session: SessionId::of_ruling(ruling.id), ..ruling }
}

/// The way of a client, and the conversations that are theirs.
async fn journey(ledger: &Port, of: &Alias) -> (Journey, BTreeSet<SessionId>) {
    let circle = circle(ledger, &salon(), of).await;
    let mut own = ledger.touches(&salon(), &circle.identities).await.unwrap();
    own.retain(|touch| !touch.is_of_ruling());
    let sessions: Vec<_> = own.into_iter().map(|touch| touch.session).collect();
    let touches = standing(&circle, ledger.named_in(&salon(), &sessions).await.unwrap());
    let known = ledger.sessions_known(&salon(), &sessions).await.unwrap();
    let known = known.into_iter().map(|row| (row.rollup.session.clone(), row.rollup)).collect();
    let own = touches.iter().filter(|touch| circle.has(&touch.identity));
    (Journey::of(&circle, &touches, &known), own.map(|touch| touch.session.clone()).collect())
}

async fn circle(ledger: &Port, tenant: &TenantId, of: &Alias) -> Circle {
    circle_of(ledger, tenant, Identity::from(of), &BTreeSet::new()).await.unwrap()
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
    let lead = Identity::of_lead(LeadId::from_number(7));
    let lead = circle_of(ledger, &salon(), lead, &BTreeSet::new()).await.unwrap();
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
    let her = circle(ledger, &salon(), &hers).await;
    assert_eq!((her.identities.len(), her.links.len()), (1, 1));
    let link = &her.links[0];
    assert_eq!(link.named.unwrap().at, at(20), "why it was thought to be one person is still told");
    assert_eq!(link.ruled.as_ref().unwrap().value, Ruling::Apart);
    let joined = alone(Event { action: Action::SubjectJoin, ..split(&phone(), &hers, 50) });
    record(ledger, &batch(&[joined])).await;
    assert_eq!(names(ledger, &his).await.len(), 3);
}

pub async fn a_ruling_is_of_no_conversation_and_taken_back_leaves_what_was_there(ledger: &Port) {
    let (shared, max) = (account("telegram"), account("max"));
    let before = [
        naming("chat", 10, Channel::Telegram, std::slice::from_ref(&shared)),
        naming("max", 20, Channel::Max, &[max.clone(), phone()]),
        // Heard of last, and nobody's but the phone's.
        naming("form", 90, Channel::Site, &[phone()]),
    ];
    record(ledger, &batch(&before)).await;
    let clients = async || (journey(ledger, &phone()).await, journey(ledger, &shared).await);
    let sessions = async || ledger.sessions(&all_sessions(&salon())).await.unwrap();
    let (was, listed) = (clients().await, sessions().await);
    assert_eq!((was.0.1.len(), was.1.1.len()), (2, 1));

    let joined = alone(Event {
        action: Action::SubjectJoin,
        ..naming("form", 100, Channel::Other, &[phone(), shared.clone()])
    });
    record(ledger, &batch(std::slice::from_ref(&joined))).await;
    assert_eq!(names(ledger, &shared).await.len(), 3);
    assert_eq!(clients().await.0.1.len(), 3);
    record(ledger, &batch(&[split(&phone(), &shared, 110)])).await;
    assert_eq!((clients().await, sessions().await), (was.clone(), listed.clone()));

    // Both rulings are found by whom they name, and are no sessions in a list.
    let of = touches(ledger, &salon(), &[Identity::from(&shared)]).await;
    let rulings: Vec<_> = of.into_iter().filter(Touch::is_of_ruling).map(|touch| touch.session).collect();
    assert_eq!(ledger.sessions_known(&salon(), &rulings).await.unwrap().len(), 2);
    assert_eq!(ledger.timeline(&salon(), &joined.session, None, 10).await.unwrap().len(), 1);

    // One that was put into a conversation takes nobody there.
    let put = Event { session: session("form"), ..split(&phone(), &shared, 120) };
    record(ledger, &batch(&[put])).await;
    assert_eq!(clients().await.1, was.1);
}

pub async fn what_is_nobodys_joins_nobody(ledger: &Port) {
    let (none, phone) = (alias(AliasKind::Phone, "none"), phone());
    let (his, hers) = (account("his"), account("hers"));
    let known = [
        naming("one", 10, Channel::Site, &[none.clone(), his.clone()]),
        naming("one", 20, Channel::Site, &[phone, his.clone()]),
        naming("two", 30, Channel::Site, &[none.clone(), hers]),
    ];
    record(ledger, &batch(&known)).await;
    let nobodys = BTreeSet::from([Identity::from(&none)]);
    let his = circle_of(ledger, &salon(), Identity::from(&his), &nobodys).await.unwrap();
    let names: Vec<_> = his.identities.iter().map(ToString::to_string).collect();
    assert_eq!(names, ["phone v1:phone", "messenger v1:his"]);
    assert_eq!(his.shared, [Identity::from(&none)]);
}

pub async fn a_ruling_from_the_future_does_not_hold_against_later_ones(ledger: &Port) {
    let both = [phone(), account("telegram")];
    record(ledger, &batch(&[naming("chat", 10, Channel::Telegram, &both)])).await;
    let ahead = Event { occurred_at: at(90_000), ..split(&both[0], &both[1], 20) };
    let joined = alone(Event { action: Action::SubjectJoin, ..split(&both[0], &both[1], 30) });
    record(ledger, &batch(&[joined])).await;
    record(ledger, &batch(&[ahead])).await;
    assert_eq!(names(ledger, &phone()).await.len(), 2);
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

pub async fn a_consent_is_of_when_it_was_first_heard_where_its_clock_is_ahead(ledger: &Port) {
    let first = Event { occurred_at: at(25_000), ..consenting("form", 10, true, &[phone()]) };
    let resent = Event { received_at: at(500), receipt: ReceiptId::generate(), ..first.clone() };
    let stop = consenting("form", 300, false, &[phone()]);
    // The resend overtakes the first, as it may on a bus.
    for said in [&resent, &stop, &first, &resent] {
        record(ledger, &batch(std::slice::from_ref(said))).await;
    }
    let found = ledger.consents(&salon(), &[session("form")]).await.unwrap();
    assert_eq!(found.iter().map(|record| record.at).collect::<Vec<_>>(), [at(10), at(300)]);
    assert!(!allows(&found, ConsentPurpose::Mailing));
}

/// How many rows more than come back of one question.
const BEYOND: u32 = 40;

pub async fn of_very_many_consents_the_newest_come_back(ledger: &Port) {
    let withdrawals = (MAX_ROWS + BEYOND).div_ceil(3);
    let said: Vec<_> = (0..withdrawals)
        .map(|n| {
            let place = format!("s-{}", n % 7);
            let withdrawn = naming(&place, u64::from(n), Channel::Telegram, &[phone()]);
            Event { action: Action::ConsentWithdraw, ..withdrawn }
        })
        .collect();
    record(ledger, &batch(&said)).await;
    let sessions: Vec<_> = (0..7).map(|n| session(&format!("s-{n}"))).collect();
    let found = ledger.consents(&salon(), &sessions).await.unwrap();
    assert_eq!(found.len(), usize::try_from(MAX_ROWS).unwrap());
    assert!(found.is_sorted_by_key(|record| record.at), "oldest first");
    assert_eq!(found.last().unwrap().at, at(u64::from(withdrawals) - 1));
    assert_eq!(found[0].at, at(u64::from(withdrawals - MAX_ROWS.div_ceil(3))));
}

pub async fn of_very_many_conversations_the_newest_come_back(ledger: &Port) {
    let many = u64::from(MAX_ROWS + BEYOND);
    let said: Vec<_> = (0..many)
        .map(|n| naming(&format!("s-{:05}", n * 11 % many), n, Channel::Telegram, &[phone()]))
        .collect();
    record(ledger, &batch(&said)).await;
    let all: Vec<_> = said.iter().map(|event| event.session.clone()).collect();
    let mut newest: Vec<_> = all[usize::try_from(BEYOND).unwrap()..].to_vec();
    newest.sort();
    let of = |touches: Vec<Touch>| {
        let mut sessions: Vec<_> = touches.into_iter().map(|touch| touch.session).collect();
        sessions.sort();
        sessions
    };
    assert_eq!(of(ledger.touches(&salon(), &[Identity::from(&phone())]).await.unwrap()), newest);
    assert_eq!(of(ledger.named_in(&salon(), &all).await.unwrap()), newest);
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
            if ruling.is_ruling() {
                ruling.session = SessionId::of_ruling(ruling.id);
            }
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

//! One client over all channels: found, shown, joined and split.

use domain::channel::Channel;
use domain::observation::{Consent, ConsentPurpose, Contact, Observation};
use domain::subject::IdentityKind;
use event_schema::codec::RawDelivery;
use ports::bus::Topic;
use ports::subjects::MAX_ROWS;
use serde_json::{Value, json};

use crate::ask::{about, get, get_as, happened, post, world};
use crate::openapi::check;
use crate::world::{World, at, tenant};

const PHONE: &str = "+7 (913) 123-45-67";

fn of(mut observation: Observation, phone: Option<&str>, messenger: Option<&str>) -> Observation {
    observation.contact = Contact {
        phone: phone.map(str::to_owned),
        messenger_id: messenger.map(str::to_owned),
        ..Contact::default()
    };
    observation
}

/// A form on the site, WhatsApp that leaves its phone later, Telegram that shares its contact, a booking on the phone.
fn tell(world: &World) {
    let salon = tenant("salon");
    let chat = |minute, channel, session| happened(minute, channel, session, "message");
    let told = [
        chat(10, Channel::Site, "form"),
        of(chat(12, Channel::Site, "form"), Some(PHONE), None),
        of(chat(20, Channel::Whatsapp, "wa"), None, Some("RU.1")),
        of(chat(30, Channel::Whatsapp, "wa"), Some("79131234567"), Some("RU.1")),
        of(chat(40, Channel::Telegram, "tg"), Some("8 913 123 45 67"), Some("555")),
        about(of(happened(50, Channel::Booking, "record", "book"), Some("9131234567"), None), "yc-1"),
        of(chat(35, Channel::Vk, "stranger"), None, Some("999")),
    ];
    for observation in told {
        world.tell(&salon, "bot", observation);
    }
}

/// A word on mailing.
fn mailing(minute: u32, channel: Channel, session: &str, granted: bool) -> Observation {
    let mut said = happened(minute, channel, session, "consent_grant");
    let purpose = ConsentPurpose::Mailing;
    said.consent = Some(Consent { purpose, granted, text_version: None, text_hash: None });
    said
}

async fn find(world: &World, typed: &str) -> String {
    let found = post(world, &world.keys.read, "/v1/subjects/lookup", json!({ "typed": typed })).await;
    assert_eq!(found.status, 200, "{typed}: {}", found.body);
    found.body["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_client_is_found_by_whatever_somebody_types_and_is_one_over_all_channels() {
    let world = world().await;
    tell(&world);
    let id = find(&world, "8 913 123-45-67").await;
    for typed in [PHONE, "RU.1", "555", "yc-1", "form", id.as_str()] {
        assert_eq!(find(&world, typed).await, id, "{typed}");
    }
    let subject = get(&world, &format!("/v1/subjects/{id}")).await.body;
    assert_eq!(subject["path"], json!(["site", "whatsapp", "telegram", "booking"]));
    assert_eq!(subject["first_touch"]["session"], "form");
    assert_eq!(subject["first_touch"]["first_at"], "2026-03-01T12:10:00Z", "before it left its phone");
    assert_eq!(subject["last_touch"]["channel"], "booking");
    assert_eq!(subject["identities"].as_array().unwrap().len(), 4);
    assert_eq!(subject["several_accounts"], json!([]));
    let nobody =
        post(&world, &world.keys.read, "/v1/subjects/lookup", json!({ "typed": "79990000000" })).await;
    assert_eq!((nobody.status, nobody.problem()), (404, "not-found"));
}

#[tokio::test]
async fn the_history_of_a_client_is_one_in_the_order_it_happened_page_by_page() {
    let world = world().await;
    tell(&world);
    let salon = tenant("salon");
    // Longer than what is read at once, and at the same time as the others.
    for minute in 0..150 {
        world.tell(&salon, "bot", of(happened(minute, Channel::Max, "long", "message"), Some(PHONE), None));
    }
    let id = find(&world, PHONE).await;
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = get(&world, &format!("/v1/subjects/{id}/events?limit=40{cursor}")).await.body;
        let events = page["events"].as_array().unwrap();
        seen.extend(events.iter().map(|event| event["occurred_at"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen.len(), 156, "six of the four conversations and the long one");
    assert!(seen.is_sorted());
}

#[tokio::test]
async fn of_a_conversation_of_several_a_client_sees_what_concerns_them() {
    let world = world().await;
    let salon = tenant("salon");
    let said = |minute, who| of(happened(minute, Channel::Telegram, "group", "message"), None, Some(who));
    for observation in
        [said(0, "1"), said(1, "2"), happened(2, Channel::Telegram, "group", "message"), said(3, "1")]
    {
        world.tell(&salon, "bot", observation);
    }
    let id = find(&world, "1").await;
    let page = get(&world, &format!("/v1/subjects/{id}/events")).await.body;
    assert_eq!(page["events"].as_array().unwrap().len(), 3, "two of theirs and one of nobody");
    let subject = get(&world, &format!("/v1/subjects/{id}")).await.body;
    assert_eq!(subject["first_touch"]["is_shared"], true);
    assert_eq!(subject["suggestions"][0]["identity"]["kind"], "messenger");
}

#[tokio::test]
async fn what_a_client_agreed_to_is_told_with_what_holds_now() {
    let world = world().await;
    tell(&world);
    let salon = tenant("salon");
    let consenting = |minute, channel, session, granted| {
        let mut said = happened(minute, channel, session, "consent_grant");
        said.consent = Some(Consent {
            purpose: ConsentPurpose::Mailing,
            granted,
            text_version: Some(domain::action::Word::parse("2026-01").unwrap()),
            text_hash: None,
        });
        said
    };
    world.tell(&salon, "bot", of(consenting(60, Channel::Site, "form", true), Some(PHONE), None));
    world.tell(&salon, "bot", consenting(70, Channel::Whatsapp, "wa", false));
    world.tell(&salon, "bot", of(consenting(80, Channel::Vk, "stranger", true), None, Some("999")));
    let id = find(&world, PHONE).await;
    let consents = get(&world, &format!("/v1/subjects/{id}/consents")).await.body;
    assert_eq!(consents["records"].as_array().unwrap().len(), 2);
    let current = &consents["current"];
    assert_eq!((&current[0]["purpose"], &current[0]["granted"]), (&json!("mailing"), &json!(false)));
    assert_eq!(current[0]["channel"], "whatsapp");
}

/// What was published, opened, and told to the store as if it had gone the whole way.
fn let_through(world: &World, seconds: u64) -> Vec<Value> {
    let published = std::mem::take(&mut world.store.held().published);
    let salon = tenant("salon");
    published
        .into_iter()
        .map(|(topic, message)| {
            assert_eq!(topic, Topic::Raw);
            let raw = RawDelivery::decode(message.payload).unwrap();
            let body = world.vault.tenant(&salon).open_body(raw.receipt, &raw.sealed_body).unwrap();
            let mut observation = event_schema::public::parse_slice(&body).unwrap();
            // The clock stands still here; a person takes a while.
            let earlier = at("2026-03-15T11:00:00Z");
            observation.occurred_at = earlier.plus(std::time::Duration::from_secs(seconds));
            world.tell(&salon, raw.source.as_str(), observation);
            serde_json::from_slice(&body).unwrap()
        })
        .collect()
}

#[tokio::test]
async fn a_wrong_join_is_taken_back_and_made_again_by_events() {
    let world = world().await;
    tell(&world);
    let id = find(&world, PHONE).await;
    let account = find(&world, "555").await;
    assert_eq!(id, account);
    let subject = get(&world, &format!("/v1/subjects/{id}")).await.body;
    let identities = subject["identities"].as_array().unwrap();
    let telegram = world.vault.tenant(&tenant("salon")).identities("555");
    let telegram = identities.iter().find(|shown| {
        telegram.iter().any(|meant| shown["id"] == meant.as_str() && shown["kind"] == meant.kind.as_str())
    });
    let asked = json!({ "identity": telegram.unwrap(), "reason": "муж и жена" });

    let split = post(&world, &world.keys.admin, &format!("/v1/subjects/{id}/splits"), asked.clone()).await;
    assert_eq!((split.status, split.body["events"].as_array().unwrap().len()), (202, 1), "{}", split.body);
    let said = let_through(&world, 0);
    assert_eq!(
        (&said[0]["action"], &said[0]["attributes"]["reason"]),
        (&json!("subject_split"), &json!("муж и жена"))
    );
    assert_ne!(find(&world, "555").await, id);
    assert_eq!(
        get(&world, &format!("/v1/subjects/{id}")).await.body["identities"].as_array().unwrap().len(),
        3
    );

    // Again is no harm, but there is nothing left to split.
    let again = post(&world, &world.keys.admin, &format!("/v1/subjects/{id}/splits"), asked.clone()).await;
    assert_eq!((again.status, again.problem()), (409, "conflict"));
    let joined = post(&world, &world.keys.admin, &format!("/v1/subjects/{id}/joins"), asked).await;
    assert_eq!(joined.status, 202, "{}", joined.body);
    let_through(&world, 1);
    assert_eq!(find(&world, "555").await, id);
}

/// A client, but for what is told of how they were joined.
async fn all_of(world: &World, typed: &str) -> [Value; 3] {
    let id = find(world, typed).await;
    let mut subject = get(world, &format!("/v1/subjects/{id}")).await.body;
    subject["links"] = Value::Null;
    let mut history = get(world, &format!("/v1/subjects/{id}/events")).await.body;
    let is_ruling = |event: &Value| event["action"].as_str().unwrap().starts_with("subject_");
    history["events"].as_array_mut().unwrap().retain(|event| !is_ruling(event));
    [subject, history, get(world, &format!("/v1/subjects/{id}/consents")).await.body]
}

#[tokio::test]
async fn a_join_that_is_taken_back_leaves_all_that_was_there_whatever_was_heard_of_last() {
    let salon = tenant("salon");
    // Three conversations: the phone's form, the account that is split off, another account of the phone. Each of them is
    // heard of last in some order, by something that names nobody.
    for turn in 0..3_u32 {
        let world = world().await;
        let minute = |place: u32, nth: u32| ((place + turn) % 3) * 20 + nth;
        let told = [
            of(mailing(minute(0, 1), Channel::Site, "form", true), Some(PHONE), None),
            happened(minute(0, 9), Channel::Site, "form", "message"),
            of(happened(minute(1, 1), Channel::Telegram, "tg", "message"), None, Some("555")),
            mailing(minute(1, 9), Channel::Telegram, "tg", false),
            of(happened(minute(2, 1), Channel::Max, "max", "message"), Some(PHONE), Some("777")),
            mailing(minute(2, 9), Channel::Max, "max", turn == 1),
        ];
        for observation in told {
            world.tell(&salon, "bot", observation);
        }
        let both = async || [all_of(&world, PHONE).await, all_of(&world, "555").await];
        let (before, listed) = (both().await, get(&world, "/v1/sessions").await.body);
        assert_eq!(before[0][1]["events"].as_array().unwrap().len(), 4);
        assert_eq!(before[1][2]["records"].as_array().unwrap().len(), 1);

        let id = find(&world, PHONE).await;
        let account = get(&world, &format!("/v1/subjects/{}", find(&world, "555").await)).await.body;
        let asked = json!({ "identity": account["identities"][0], "reason": "" });
        for (nth, ruling) in (1..).zip(["joins", "splits", "joins", "splits"]) {
            let path = format!("/v1/subjects/{id}/{ruling}");
            let ruled = post(&world, &world.keys.admin, &path, asked.clone()).await;
            assert_eq!(ruled.status, 202, "{turn} {ruling}: {}", ruled.body);
            let_through(&world, nth);
            if ruling == "joins" {
                assert_eq!(find(&world, "555").await, id);
                assert_eq!(all_of(&world, "555").await[1]["events"].as_array().unwrap().len(), 6);
            } else {
                assert_eq!(both().await, before, "{turn}");
            }
        }
        assert_eq!(get(&world, "/v1/sessions").await.body, listed);
        // What was ruled stands in the history of both, each time.
        for typed in [PHONE, "555"] {
            let path = format!("/v1/subjects/{}/events", find(&world, typed).await);
            let history = get(&world, &path).await.body;
            let actions: Vec<_> =
                history["events"].as_array().unwrap().iter().map(|event| &event["action"]).collect();
            let rulings = &actions[actions.len() - 4..];
            assert_eq!(rulings, ["subject_join", "subject_split", "subject_join", "subject_split"]);
        }
    }
}

#[tokio::test]
async fn who_left_no_phone_is_not_one_with_everybody_who_left_none() {
    let world = world().await;
    let salon = tenant("salon");
    for (minute, session, phone, account) in
        [(1, "a", "нет", "1"), (2, "b", "нет", "2"), (3, "c", "+7 (___) ___-__-__", "3")]
    {
        world.tell(
            &salon,
            "bot",
            of(happened(minute, Channel::Site, session, "message"), Some(phone), Some(account)),
        );
    }
    for typed in ["1", "2", "3"] {
        let [subject, history, _] = all_of(&world, typed).await;
        assert_eq!(subject["identities"].as_array().unwrap().len(), 1);
        assert_eq!(history["events"].as_array().unwrap().len(), 1);
    }
    let nobody =
        post(&world, &world.keys.read, "/v1/subjects/lookup", json!({ "typed": "anna@mail.ru" })).await;
    assert_eq!(nobody.status, 404);
}

#[tokio::test]
async fn the_phone_of_nobody_that_an_earlier_release_recorded_makes_no_stranger_of_a_conversation() {
    let world = world().await;
    let salon = tenant("salon");
    // What was taken for a phone then: a pseudonym that is sent is taken as it is.
    let nobodys = world.vault.tenant(&salon).of_nobody();
    let recorded = nobodys.iter().find(|one| one.kind == IdentityKind::Phone).unwrap().as_str();
    let chat = |minute, session| happened(minute, Channel::Site, session, "message");
    let told = [
        of(chat(1, "site"), Some(recorded), Some("1")),
        of(chat(2, "site"), Some(recorded), None),
        mailing(3, Channel::Site, "site", false),
        of(mailing(0, Channel::Site, "shop", true), None, Some("1")),
        of(chat(4, "form of another"), Some(recorded), Some("2")),
    ];
    for observation in told {
        world.tell(&salon, "bot", observation);
    }
    let [subject, history, consents] = all_of(&world, "1").await;
    assert_eq!(history["events"].as_array().unwrap().len(), 4);
    assert_eq!(consents["current"][0]["granted"], false, "{consents}");
    assert_eq!((&subject["doors"][1]["is_shared"], &subject["suggestions"]), (&json!(false), &json!([])));
}

#[tokio::test]
async fn neither_a_consent_nor_where_somebody_came_from_is_known_where_not_every_conversation_was_read() {
    let world = world().await;
    let salon = tenant("salon");
    world.tell(&salon, "bot", of(mailing(0, Channel::Site, "form", true), None, Some("1")));
    let [subject, _, consents] = all_of(&world, "1").await;
    assert_eq!(
        (&subject["first_touch"]["session"], &consents["current"][0]["granted"]),
        (&json!("form"), &json!(true))
    );
    for nth in 1..MAX_ROWS {
        let said = happened(1, Channel::Site, &format!("site-{nth}"), "message");
        world.tell(&salon, "bot", of(said, None, Some("1")));
    }
    let id = find(&world, "1").await;
    let subject = get(&world, &format!("/v1/subjects/{id}")).await.body;
    assert_eq!((&subject["first_touch"], &subject["is_cut_short"]), (&json!(null), &json!(true)));
    let consents = get(&world, &format!("/v1/subjects/{id}/consents")).await.body;
    assert_eq!((&consents["current"], &consents["is_cut_short"]), (&json!([]), &json!(true)));
    assert_eq!(consents["records"].as_array().unwrap().len(), 1, "what was said is told all the same");
}

#[tokio::test]
async fn answers_fit_their_schemas() {
    let world = world().await;
    tell(&world);
    let id = find(&world, PHONE).await;
    for (path, schema) in [("", "Subject"), ("/events", "SubjectTimeline"), ("/consents", "SubjectConsents")]
    {
        let answer = get(&world, &format!("/v1/subjects/{id}{path}")).await;
        check(schema, &answer.body);
    }
    let found = post(&world, &world.keys.read, "/v1/subjects/lookup", json!({ "typed": PHONE })).await;
    check("FoundSubject", &found.body);
    let asked = json!({ "identity": { "kind": "phone", "id": id }, "reason": "" });
    let ruled = post(&world, &world.keys.admin, &format!("/v1/subjects/{id}/splits"), asked).await;
    check("Ruled", &ruled.body);
    let_through(&world, 2);
    check("Subject", &get(&world, &format!("/v1/subjects/{id}")).await.body);
}

#[tokio::test]
async fn who_may_only_read_rules_nothing_and_another_salon_sees_nobody() {
    let world = world().await;
    tell(&world);
    let id = find(&world, PHONE).await;
    let asked = json!({ "identity": { "kind": "phone", "id": id }, "reason": "" });
    let refused = post(&world, &world.keys.read, &format!("/v1/subjects/{id}/splits"), asked).await;
    assert_eq!(refused.status, 403);
    for path in ["", "/events", "/consents"] {
        let answer = get_as(&world, &world.keys.rival, &format!("/v1/subjects/{id}{path}")).await;
        assert_eq!(answer.status, 404, "{path}");
    }
    let unknown = json!({ "identity": { "kind": "name", "id": "Анна" }, "reason": "" });
    let answer = post(&world, &world.keys.admin, &format!("/v1/subjects/{id}/joins"), unknown).await;
    assert_eq!((answer.status, &answer.body["errors"][0]["pointer"]), (400, &json!("/identity/kind")));
}

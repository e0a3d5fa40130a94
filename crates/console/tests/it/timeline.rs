//! One conversation, and everything of one lead.

use actix_web::test::TestRequest;
use domain::action::Actor;
use domain::channel::Channel;
use domain::id::EventId;
use domain::observation::{Consent, ConsentPurpose, Contact, Observation, Scenario, Usage};
use serde_json::Value;
use uuid::Uuid;

use crate::ask::{about, ask, get, happened, with_key, world};
use crate::world::{World, at, break_seal, tenant};

async fn salon_with_a_visit() -> World {
    let world = world().await;
    let tell = |mut observation: Observation| {
        // An id of the sender's, so that the snapshot does not hang on how others are derived.
        let minute = observation.occurred_at.unix_micros() / 60_000_000;
        let id = Uuid::from_u64_pair(0x0190_0000_0000_7000, u64::try_from(minute).unwrap());
        observation.event_id = Some(EventId::from_uuid(id));
        world.tell(&tenant("salon"), "telegram-bot", observation);
    };
    let mut hello = happened(0, Channel::Telegram, "s-1", "message");
    hello.actor = Actor::Client;
    hello.texts.user = Some("Здравствуйте, меня зовут Анна".to_owned());
    hello.contact = Contact {
        phone: Some("+79131234567".to_owned()),
        name: Some("Анна Смирнова".to_owned()),
        messenger_id: Some("5551112233".to_owned()),
        ..Contact::default()
    };
    tell(hello);
    let mut booking = about(happened(2, Channel::Telegram, "s-1", "book"), "yc-1");
    booking.texts.assistant = Some("Мы записали вас на 15:00".to_owned());
    booking.intent = Some("appointment_booking".to_owned());
    booking.scenario =
        Some(Scenario { id: "booking".parse_word(), version: Some("2026-01-15".parse_word()) });
    booking.lead = "BX-5678".parse().ok();
    booking.confidence = Some(0.92);
    booking.response_time_ms = Some(840);
    booking.model = Some("gigachat-max".to_owned());
    booking.usage = Some(Usage { input_tokens: Some(412), output_tokens: Some(38) });
    booking.given_hashes.raw_input = Some("sha256:yyyyy".to_owned());
    booking.attributes.insert("utm_source".to_owned(), "2gis".into());
    tell(booking);
    let mut consent = happened(3, Channel::Telegram, "s-1", "consent_grant");
    consent.actor = Actor::Client;
    consent.consent = Some(Consent {
        purpose: ConsentPurpose::PersonalData,
        granted: true,
        text_version: Some("2025-09".parse_word()),
        text_hash: None,
    });
    tell(consent);
    world
}

/// Words of a test are words.
trait ParseWord {
    fn parse_word(&self) -> domain::action::Word;
}

impl ParseWord for str {
    fn parse_word(&self) -> domain::action::Word {
        domain::action::Word::parse(self).unwrap()
    }
}

#[tokio::test]
async fn a_conversation_is_shown_with_its_texts_and_without_its_contacts() {
    let world = salon_with_a_visit().await;
    let body = get(&world, "/v1/sessions/s-1").await.body;
    for personal in ["79131234567", "Смирнова", "5551112233"] {
        assert!(!body.to_string().contains(personal), "{personal}");
    }
    insta::assert_json_snapshot!(body);
}

#[tokio::test]
async fn a_lead_brings_its_events_together_whatever_the_conversation() {
    let world = salon_with_a_visit().await;
    let mut stage = happened(60, Channel::Crm, "crm-5678", "lead_stage");
    stage.lead = "5678".parse().ok();
    world.tell(&tenant("salon"), "telegram-bot", stage);
    let body = get(&world, "/v1/leads/5678/events").await.body;
    assert_eq!(body["lead"], "BX-5678");
    assert_eq!(column(&body, "session"), ["s-1", "crm-5678"]);
    assert_eq!(get(&world, "/v1/leads/BX-5678/events").await.body, body);
    for missing in ["BX-1", "BX-0", "abc", "%00"] {
        assert_eq!(get(&world, &format!("/v1/leads/{missing}/events")).await.status, 404, "{missing}");
    }
}

fn column(body: &Value, name: &str) -> Vec<String> {
    let events = body["events"].as_array().unwrap();
    events.iter().map(|event| event[name].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_impossible_step_is_flagged_on_whichever_page_it_falls() {
    let world = world().await;
    for (minute, action) in ["book", "attend", "cancel", "message", "book"].into_iter().enumerate() {
        let minute = u32::try_from(minute).unwrap();
        let step = about(happened(minute, Channel::Telegram, "s-1", action), "yc-1");
        world.tell(&tenant("salon"), "telegram-bot", step);
    }
    let whole = get(&world, "/v1/sessions/s-1").await.body;
    let flags: Vec<_> =
        whole["events"].as_array().unwrap().iter().map(|event| event["flags"].clone()).collect();
    let none = serde_json::json!([]);
    let impossible = serde_json::json!(["impossible_step"]);
    assert_eq!(flags, [none.clone(), none.clone(), impossible.clone(), none.clone(), none]);
    assert_eq!(whole["appointments"][0]["state"], "booked");

    let mut paged = Vec::new();
    let mut path = "/v1/sessions/s-1?limit=2".to_owned();
    loop {
        let body = get(&world, &path).await.body;
        paged.extend(body["events"].as_array().unwrap().clone());
        let Some(cursor) = body["next_cursor"].as_str() else {
            assert_eq!(body["appointments"], whole["appointments"]);
            break;
        };
        path = format!("/v1/sessions/s-1?limit=2&cursor={cursor}");
    }
    assert_eq!(Value::Array(paged), whole["events"]);
}

#[tokio::test]
async fn a_clock_that_is_ahead_is_flagged() {
    let world = world().await;
    let mut late = happened(0, Channel::Telegram, "s-1", "message");
    late.occurred_at = at("2026-03-15T13:00:00Z");
    world.tell(&tenant("salon"), "telegram-bot", late);
    let body = get(&world, "/v1/sessions/s-1").await.body;
    assert_eq!(body["events"][0]["flags"], serde_json::json!(["clock_ahead"]));
}

#[tokio::test]
async fn an_event_whose_seal_does_not_open_is_shown_without_its_texts() {
    let world = salon_with_a_visit().await;
    break_seal(&mut world.store.held(), 1);
    let answer = get(&world, "/v1/sessions/s-1").await;
    assert_eq!(answer.status, 200);
    let event = &answer.body["events"][1];
    assert_eq!(event["flags"], serde_json::json!(["details_unreadable"]));
    assert_eq!((&event["assistant_response"], &event["lead"]), (&Value::Null, &"BX-5678".into()));
}

#[tokio::test]
async fn asking_again_costs_no_reading_of_events_until_there_is_a_new_one() {
    let world = salon_with_a_visit().await;
    let first = get(&world, "/v1/sessions/s-1").await;
    let tag = first.header("etag").to_owned();
    assert_eq!(first.header("cache-control"), "no-store");
    let reads = || world.store.held().timeline_reads;
    let before = reads();
    let again = || {
        let request =
            TestRequest::get().uri("/v1/sessions/s-1").insert_header(("If-None-Match", tag.clone()));
        with_key(request, &world.keys.read)
    };
    assert_eq!(ask(&world, again()).await.status, 304);
    assert_eq!(reads(), before);
    // Even one that is older than what was shown.
    let mut earlier = happened(1, Channel::Telegram, "s-1", "message");
    earlier.texts.user = Some("А можно в четверг?".to_owned());
    world.tell(&tenant("salon"), "telegram-bot", earlier);
    let changed = ask(&world, again()).await;
    assert_eq!((changed.status, changed.body["events"].as_array().unwrap().len()), (200, 4));
}

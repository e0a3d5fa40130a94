//! Who the clients are is nowhere in the clear: not in a file, not in a log, not in a metric.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::ensure;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use domain::timestamp::Timestamp;
use serde_json::{Value, json};
use simulator::{Salon, SalonConfig};
use system_tests::api::eventually;
use system_tests::{Engine, Options, OwnEngines, Shape, Site, Stand};

use crate::{doors, event, telegram_message, truth, with};

on_both_shapes! {
    markers_planted_everywhere_are_found_in_no_file_engine_log_or_metric
    what_was_said_is_read_back_without_the_person
    whoever_is_in_a_payload_or_plays_in_a_salon_is_found_nowhere
}

const PHONE: &str = "79990007654";
const EMAIL: &str = "zinaida.marker@example.org";
const NAME: &str = "Зинаида Приметная";
const MESSENGER: &str = "5912345678";
const CHAT: i64 = 5_923_456_789;
const USERNAME: &str = "zinaida_marker";
const SPOKEN: &str = "кодовое слово шиповник";

/// What is looked for. Digits without the leading country code, so that every way of writing a phone is caught.
const MARKERS: [&str; 8] =
    ["9990007654", EMAIL, "Зинаида", "Приметная", MESSENGER, "5923456789", USERNAME, "шиповник"];

/// The forms a marker could hide in: as it is, as JSON escapes, in hexadecimal, in three alignments of Base64.
fn forms(marker: &str) -> Vec<Vec<u8>> {
    let bytes = marker.as_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let escaped: String = marker.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    let mut forms =
        vec![bytes.to_vec(), hex.to_uppercase().into_bytes(), hex.into_bytes(), escaped.into_bytes()];
    forms.extend([marker.to_uppercase().into_bytes(), marker.to_lowercase().into_bytes()]);
    for shift in 0..3 {
        // Base64 of the bytes at each alignment; the characters that mix with a neighbour are cut off.
        let padded = [&vec![0; shift][..], bytes].concat();
        for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let text = engine.encode(&padded);
            let whole = padded.len() / 3 * 4;
            forms.push(text.as_bytes()[if shift == 0 { 0 } else { 4 }..whole].to_vec());
        }
    }
    forms
}

/// Where any form of any marker occurs.
fn leaks(markers: &[&str], places: &[(String, Vec<u8>)]) -> Vec<String> {
    let sought: Vec<(&str, Vec<u8>)> =
        markers.iter().flat_map(|marker| forms(marker).into_iter().map(|form| (*marker, form))).collect();
    // Engines keep many megabytes: only where the first two bytes are those of a form is there more to look at.
    let mut beginning: Vec<Vec<usize>> = vec![Vec::new(); 1 << 16];
    for (number, (_, form)) in sought.iter().enumerate() {
        beginning[usize::from(u16::from_be_bytes([form[0], form[1]]))].push(number);
    }
    let mut found = BTreeSet::new();
    for (place, content) in places {
        for (at, two) in content.windows(2).enumerate() {
            for &number in &beginning[usize::from(u16::from_be_bytes([two[0], two[1]]))] {
                let (marker, form) = &sought[number];
                if content[at..].starts_with(form) {
                    found.insert(format!("{marker:?} as {:?} in {place}", String::from_utf8_lossy(form)));
                }
            }
        }
    }
    found.into_iter().collect()
}

/// Every file below a folder. Of a running engine some come and go.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                folders.push(entry.path());
            } else if let (true, Ok(content)) = (kind.is_file(), fs::read(entry.path())) {
                found.push((entry.path().display().to_string(), content));
            }
        }
    }
    found
}

/// Everything a sender could put a person into.
fn telling_events() -> Vec<Value> {
    let contact =
        json!({"phone": format!("+{PHONE}"), "email": EMAIL, "name": NAME, "messenger_id": MESSENGER});
    let text = format!("Это {NAME}, +7 999 000-76-54 или 8{}, {EMAIL}, {SPOKEN}", &PHONE[1..]);
    vec![
        with(event("told-1"), json!({"contact": contact, "user_text": text, "assistant_response": text})),
        with(
            event("told-2"),
            json!({"intent": text, "who": NAME, "deep": {"phone": [PHONE, {"mail": EMAIL}]}}),
        ),
        with(event(PHONE), json!({"channel": "whatsapp"})),
        with(event(EMAIL), json!({"channel": "email"})),
        with(event(MESSENGER), json!({"channel": "telegram"})),
        with(
            event("told-3"),
            json!({"appointment": {"id": format!("+{PHONE}"), "staff": NAME, "service": text}}),
        ),
        with(event("told-4"), json!({"user_hash": EMAIL, "model": NAME, "raw_input_hash": PHONE})),
        with(event("told-5"), json!({PHONE: true, EMAIL: NAME})),
    ]
}

fn telling_updates() -> Vec<Value> {
    let person = json!({
        "id": CHAT, "is_bot": false, "first_name": "Зинаида", "last_name": "Приметная", "username": USERNAME,
    });
    let mut message = telegram_message(1, CHAT, &format!("{NAME}, {PHONE}, {SPOKEN}"));
    message["message"]["from"] = person.clone();
    let mut shared = telegram_message(2, CHAT, "");
    shared["message"]["from"] = person.clone();
    shared["message"]["contact"] = json!({"phone_number": PHONE, "first_name": "Зинаида", "user_id": CHAT});
    let unreadable =
        json!({"update_id": 3, "message": {"from": person, "text": format!("{PHONE} {EMAIL} {SPOKEN}")}});
    vec![message, shared, unreadable]
}

/// A cluster has engines of its own here: what lies in their files is looked through, too, and is of this test alone.
async fn markers_planted_everywhere_are_found_in_no_file_engine_log_or_metric(shape: Shape) {
    let options = Options::of(shape).with("LETOPIS__LOG__LEVEL", "debug");
    let engines = match shape {
        Shape::OneBox => None,
        Shape::Cluster => Some(OwnEngines::start().await.unwrap()),
    };
    let addresses = engines.as_ref().map(OwnEngines::addresses);
    let mut stand = Stand::with(Options { engines: addresses, ..options }).await.unwrap();
    let refusal = plant(&stand).await;

    let mut places = vec![
        ("a refusal".to_owned(), refusal.into_bytes()),
        ("metrics".to_owned(), stand.api.metrics().await.unwrap().into_bytes()),
        ("printed".to_owned(), stand.letopis.printed().unwrap()),
    ];
    places.extend(kept(&stand, engines.as_ref()).await);
    assert_eq!(leaks(&MARKERS, &places), Vec::<String>::new());
    stand.letopis.stop().await.unwrap();
    if let Some(engines) = &engines {
        for engine in Engine::ALL {
            engines.stop(engine).await.unwrap();
        }
        assert_eq!(leaks(&MARKERS, &files(engines.folder())), Vec::<String>::new());
    }
    assert_eq!(leaks(&MARKERS, &files(stand.folder.path())), Vec::<String>::new());
}

/// Keys under which messengers, booking systems and our own event have what names a person.
const TELLING_KEYS: [&str; 19] = [
    "phone",
    "phone_number",
    "wa_id",
    "from",
    "from_user_id",
    "user_id",
    "recipient_id",
    "email",
    "first_name",
    "last_name",
    "username",
    "display_name",
    "messenger_id",
    "chatId",
    "from_id",
    "author_id",
    "client_id",
    "fullname",
    "name",
];

/// What names a person in a body, at any depth: only what is long enough to be told from anything else.
fn persons(body: &Value, found: &mut BTreeSet<String>) {
    match body {
        Value::Object(members) => {
            for (key, value) in members {
                let told = match value {
                    Value::String(text) => Some(text.trim_start_matches(['+', '@']).to_owned()),
                    Value::Number(number) => Some(number.to_string()),
                    _ => None,
                };
                // Of a phone as people write it, the digits that stand in a row would be part of many others.
                let tells = |text: &String| text.len() >= 9 && !text.contains([' ', '(', '-', '/']);
                found.extend(told.filter(|_| TELLING_KEYS.contains(&key.as_str())).filter(tells));
                persons(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| persons(item, found)),
        _ => {}
    }
}

async fn whoever_is_in_a_payload_or_plays_in_a_salon_is_found_nowhere(shape: Shape) {
    let engines = match shape {
        Shape::OneBox => None,
        Shape::Cluster => Some(OwnEngines::start().await.unwrap()),
    };
    let addresses = engines.as_ref().map(OwnEngines::addresses);
    let mut stand = Stand::with(Options { engines: addresses, ..Options::of(shape) }).await.unwrap();
    let mut known = BTreeSet::new();
    for (_, body) in doors::deliver_every_payload(&stand).await {
        persons(&serde_json::from_slice(&body).unwrap(), &mut known);
    }
    let start = Timestamp::parse("2026-03-01T00:00:00+03:00").unwrap();
    let days = if shape == Shape::Cluster { 3 } else { 20 };
    let salon = Salon::new(SalonConfig::new(11, start, days));
    for delivery in salon.deliveries() {
        let (simulator::Door::Events(body) | simulator::Door::Telegram(body)) = delivery.door;
        persons(&body, &mut known);
    }
    truth::play(&stand, &salon).await;
    stand.settled().await.unwrap();
    // The salon is called so itself.
    known.remove("Салон");
    assert!(known.len() > 100, "{} persons", known.len());
    let known: Vec<&str> = known.iter().map(String::as_str).collect();

    let mut places = vec![("printed".to_owned(), stand.letopis.printed().unwrap())];
    places.push(("metrics".to_owned(), stand.api.metrics().await.unwrap().into_bytes()));
    places.extend(files(stand.folder.path()));
    assert_eq!(leaks(&known, &places), Vec::<String>::new());
    stand.letopis.stop().await.unwrap();
    if let Some(engines) = &engines {
        for engine in Engine::ALL {
            engines.stop(engine).await.unwrap();
        }
        assert_eq!(leaks(&known, &files(engines.folder())), Vec::<String>::new());
    }
    assert_eq!(leaks(&known, &files(stand.folder.path())), Vec::<String>::new());
}

async fn what_was_said_is_read_back_without_the_person(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    let said = format!("Это {NAME}, +7 999 000-76-54, {EMAIL}, запишите к Оксане на 18:30");
    let booking = json!({"id": "b-1", "staff": "Оксана", "service": format!("стрижка, {NAME}")});
    let more = json!({"user_text": said, "note": {"who": [said]}, "appointment": booking, "action": "book"});
    let resent = with(event("told"), more);
    for _again in 0..2 {
        stand.accept(&resent).await.unwrap();
    }
    assert_eq!(stand.api.telegram(&stand.keys.telegram, &telling_updates()[0]).await.unwrap().status, 200);
    let books = stand.settled().await.unwrap();
    assert_eq!((&books["stored"], &books["duplicate"]), (&json!(2), &json!(1)), "a resend stays one");

    let told = stand.api.session(&stand.keys.read, "told").await.unwrap().unwrap();
    let shown = &told["events"][0];
    let expected = "Это [имя], [телефон], [почта], запишите к [имя] на 18:30";
    assert_eq!(shown["user_text"], expected);
    assert!(shown.to_string().contains("стрижка, [имя]") && shown.to_string().contains("Оксана"), "{shown}");
    let leaked = leaks(&MARKERS, &[("the timeline".to_owned(), told.to_string().into_bytes())]);
    assert_eq!(leaked, Vec::<String>::new());
}

/// Sends the markers through every door; gives what a refused event was answered.
async fn plant(stand: &Stand) -> String {
    for event in telling_events() {
        stand.accept(&event).await.unwrap();
    }
    for update in telling_updates() {
        assert_eq!(stand.api.telegram(&stand.keys.telegram, &update).await.unwrap().status, 200);
    }
    // Refusals, too, must not repeat what they refuse.
    let bad = with(event("told-6"), json!({"channel": NAME, "contact": EMAIL, "timestamp": PHONE}));
    let refused = stand.api.send(&stand.keys.ingest, &bad).await.unwrap();
    assert_eq!(refused.status, 422);
    stand.settled().await.unwrap();
    for typed in [PHONE, EMAIL, MESSENGER, "5923456789"] {
        assert!(stand.api.lookup(&stand.keys.read, typed).await.unwrap().is_some(), "{typed} is not found");
    }
    refused.body.to_string()
}

/// What a cluster keeps in its engines, once analytics, which nobody waits for, has the events too.
async fn analytics_settled(site: &Site) -> Vec<(String, Vec<u8>)> {
    eventually(Duration::from_secs(20), || async {
        let content = site.content().await?;
        let of_analytics = content.iter().filter(|(place, _)| place.starts_with("ClickHouse"));
        let mut holding =
            of_analytics.filter(|(_, content)| content.windows(6).any(|some| some == b"told-1"));
        ensure!(holding.next().is_some(), "analytics holds no event yet");
        Ok(content)
    })
    .await
    .unwrap()
}

/// Everything a running system keeps, as files and as engines show it.
async fn kept(stand: &Stand, engines: Option<&OwnEngines>) -> Vec<(String, Vec<u8>)> {
    let mut places = files(stand.folder.path());
    let (Some(engines), Some(site)) = (engines, &stand.site) else {
        let has_journals = places.iter().any(|(place, _)| place.ends_with("-wal"));
        assert!(has_journals, "the server still runs, with its journals");
        return places;
    };
    let content = analytics_settled(site).await;
    // Reading must have read: what is no secret is there.
    for (engine, known) in [("Redis: names", "{p0}:raw"), ("PostgreSQL", "told-1"), ("ClickHouse", "told-1")]
    {
        let mut those = content.iter().filter(|(place, _)| place.starts_with(engine));
        let holds = |content: &[u8]| content.windows(known.len()).any(|window| window == known.as_bytes());
        assert!(those.any(|(_, content)| holds(content)), "{engine} does not show {known}");
    }
    places.extend(content);
    places.extend(files(engines.folder()));
    places
}

#[test]
fn the_search_finds_a_marker_in_every_form_it_looks_for() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("deep")).unwrap();
    let hide = |name: &str, content: &[u8]| {
        fs::write(folder.path().join("deep").join(name), content).unwrap();
        let found = leaks(&MARKERS, &files(folder.path()));
        fs::remove_file(folder.path().join("deep").join(name)).unwrap();
        !found.is_empty()
    };
    assert!(!hide("clean.db", b"nothing of anybody"));
    assert!(hide("plain.db", format!("\0\0{NAME}\0").as_bytes()));
    assert!(hide("hex.log", b"0x39393930303037363534"));
    assert!(hide("escaped.json", "\\u0417\\u0438\\u043d\\u0430\\u0438\\u0434\\u0430".as_bytes()));
    for before in ["", "a", "ab", "abc"] {
        let hidden = STANDARD.encode(format!("{before}{EMAIL} and more"));
        assert!(hide("base64.wal", hidden.as_bytes()), "{before:?}");
    }
}

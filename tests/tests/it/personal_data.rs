//! Who the clients are is nowhere in the clear: not in a file, not in a log, not in a metric.

use std::collections::{BTreeSet, HashMap};
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

/// A name as short as names are.
const SHORT: &str = "Зоя";

/// What is looked for. Digits without the leading country code, so that every way of writing a phone is caught.
const MARKERS: [&str; 9] =
    ["9990007654", EMAIL, "Зинаида", "Приметная", SHORT, MESSENGER, "5923456789", USERNAME, "шиповник"];

/// Fewer bytes than these turn up by chance where hundreds of megabytes of sealed bytes are looked through for a dozen of such
/// markers: four of them in nearly every run, six in one of fifty thousand.
const LEAST: usize = 6;
/// From so many bytes on a marker tells by itself; a shorter one could be part of a word.
const TELLING: usize = 9;

/// How a marker may be written.
struct Form<'m> {
    marker: &'m str,
    bytes: Vec<u8>,
    /// As a word, which no other letter may belong to.
    is_word: bool,
}

impl Form<'_> {
    fn stands_at(&self, content: &[u8], at: usize) -> bool {
        content[at..].starts_with(&self.bytes)
            && !(self.is_word && is_inside_a_word(content, at, at + self.bytes.len()))
    }
}

/// The forms a marker could hide in: as it is, as JSON escapes, in hexadecimal, in three alignments of Base64.
fn forms(marker: &str) -> Vec<Form<'_>> {
    let bytes = marker.as_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let escaped: String = marker.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    let mut others = vec![hex.to_uppercase().into_bytes(), hex.into_bytes(), escaped.into_bytes()];
    for shift in 0..3 {
        // Base64 of the bytes at each alignment; the characters that mix with a neighbour are cut off.
        let padded = [&vec![0; shift][..], bytes].concat();
        for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD] {
            let text = engine.encode(&padded);
            let whole = padded.len() / 3 * 4;
            others.push(text.as_bytes()[if shift == 0 { 0 } else { 4 }..whole].to_vec());
        }
    }
    let is_word = marker.len() < TELLING;
    let words = [marker.to_owned(), marker.to_uppercase(), marker.to_lowercase()];
    let words = words.into_iter().map(|word| Form { marker, bytes: word.into_bytes(), is_word });
    let others = others.into_iter().map(|bytes| Form { marker, bytes, is_word: false });
    words.chain(others).filter(|form| form.bytes.len() >= LEAST).collect()
}

/// Whether letters around belong to what stands there. A capital after a small letter begins another word: stores put values
/// side by side.
fn is_inside_a_word(content: &[u8], start: usize, end: usize) -> bool {
    let first = letter(&content[start..]);
    let last = letter_before(content, end);
    let goes_on = |one: Option<char>, next: Option<char>| match (one, next) {
        (Some(one), Some(next)) => !(one.is_lowercase() && next.is_uppercase()),
        _ => false,
    };
    goes_on(letter_before(content, start), first) || goes_on(last, letter(&content[end..]))
}

/// The letter some bytes begin with.
fn letter(bytes: &[u8]) -> Option<char> {
    let head = bytes.get(..2).unwrap_or(bytes).utf8_chunks().next()?;
    head.valid().chars().next().filter(|first| first.is_alphabetic())
}

fn letter_before(content: &[u8], at: usize) -> Option<char> {
    let tail = &content[at.saturating_sub(2)..at];
    let whole = std::str::from_utf8(tail).or_else(|_| std::str::from_utf8(&tail[tail.len().min(1)..]));
    whole.ok()?.chars().next_back().filter(|last| last.is_alphabetic())
}

/// Where any form of any marker occurs.
fn leaks(markers: &[&str], places: &[(String, Vec<u8>)]) -> Vec<String> {
    let sought: Vec<Form<'_>> = markers.iter().flat_map(|marker| forms(marker)).collect();
    // Engines keep many megabytes: only where the first two bytes are those of a form is there more to look at.
    let mut begins = vec![false; 1 << 16];
    let mut beginning: HashMap<[u8; LEAST], Vec<&Form<'_>>> = HashMap::new();
    for form in &sought {
        let head = *form.bytes.first_chunk().unwrap();
        begins[two(&head, 0)] = true;
        beginning.entry(head).or_default().push(form);
    }
    let mut found = BTreeSet::new();
    for (place, content) in places {
        let mut at = 0;
        while at + LEAST <= content.len() {
            if begins[two(content, at)] {
                let those = content[at..].first_chunk().and_then(|head| beginning.get(head));
                for form in those.into_iter().flatten().filter(|form| form.stands_at(content, at)) {
                    let shown = String::from_utf8_lossy(&form.bytes);
                    found.insert(format!("{:?} as {shown:?} in {place}", form.marker));
                }
            }
            at += 1;
        }
    }
    found.into_iter().collect()
}

fn two(bytes: &[u8], at: usize) -> usize {
    usize::from(bytes[at]) << 8 | usize::from(bytes[at + 1])
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
        with(
            event("told-6"),
            json!({"contact": {"name": SHORT}, "user_text": format!("Я {SHORT}"), "who": SHORT}),
        ),
        with(event("told-7"), json!({"appointment": {"id": "b-7", "staff": SHORT}})),
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

/// What names a person in a body, at any depth.
fn persons(body: &Value, found: &mut BTreeSet<String>) {
    match body {
        Value::Object(members) => {
            for (key, value) in members {
                let told = match value {
                    Value::String(text) => Some(text.trim_start_matches(['+', '@']).to_owned()),
                    Value::Number(number) => Some(number.to_string()),
                    _ => None,
                };
                found.extend(told.filter(|text| TELLING_KEYS.contains(&key.as_str()) && tells(text)));
                persons(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| persons(item, found)),
        _ => {}
    }
}

/// Only what can be told from anything else. Stores are full of numbers: of these it takes nine digits, and of a phone as
/// people write it those that stand in a row would be part of many others. Of words it takes as many bytes as do not come
/// about by chance: three letters of Cyrillic, six of Latin. "Doe" and "John" are looked for by nobody.
fn tells(text: &str) -> bool {
    if text.contains(char::is_alphabetic) {
        return text.len() >= LEAST;
    }
    text.len() >= TELLING && !text.contains([' ', '(', '-', '/'])
}

/// What a bot, a tenant, a member of staff and an event of a trace are called in examples, and in logs and stores as well.
const NOBODY: [&str; 3] = ["Салон", "Telegram", "exception"];

/// How many days of a salon are played: `LETOPIS_TEST_SALON_DAYS`, for whoever wants to look through a whole year.
#[expect(clippy::disallowed_methods, reason = "how long a test tries is no setting of a service")]
fn days_of(shape: Shape) -> u32 {
    let usual = if shape == Shape::Cluster { 3 } else { 20 };
    std::env::var("LETOPIS_TEST_SALON_DAYS").map_or(usual, |days| days.parse().unwrap())
}

/// A year of the salon in both shapes, by hand:
///
/// ```sh
/// LETOPIS_TEST_SALON_DAYS=365 cargo test -p system-tests --test it -- \
///     whoever_is_in_a_payload_or_plays_in_a_salon_is_found_nowhere
/// ```
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
    let salon = Salon::new(SalonConfig::new(11, start, days_of(shape)));
    for delivery in salon.deliveries() {
        let (simulator::Door::Events(body) | simulator::Door::Telegram(body)) = delivery.door;
        persons(&body, &mut known);
    }
    truth::play(&stand, &salon).await;
    stand.settled().await.unwrap();
    known.retain(|name| !NOBODY.contains(&name.as_str()));
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
    let bad = with(event("told-8"), json!({"channel": NAME, "contact": EMAIL, "timestamp": PHONE}));
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
    for word in [
        format!("\0{SHORT}\0"),
        format!("telegram{SHORT}Иванова"),
        SHORT.to_lowercase(),
        format!("я-{SHORT},"),
    ] {
        assert!(hide("word.db", word.as_bytes()), "{word}");
    }
    for part in ["Зоят", "ЗОЯТ", "непозоя"] {
        assert!(!hide("part.db", part.as_bytes()), "{part}");
    }
    assert!(hide("hex.log", b"0x39393930303037363534"));
    assert!(hide("escaped.json", "\\u0417\\u0438\\u043d\\u0430\\u0438\\u0434\\u0430".as_bytes()));
    for before in ["", "a", "ab", "abc"] {
        let hidden = STANDARD.encode(format!("{before}{EMAIL} and more"));
        assert!(hide("base64.wal", hidden.as_bytes()), "{before:?}");
    }
}

//! Who the clients are is nowhere in the clear: not in a file, not in a log, not in a metric.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use system_tests::{Options, Stand};

use crate::{event, telegram_message, with};

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
fn leaks(places: &[(String, Vec<u8>)]) -> Vec<String> {
    let mut found = Vec::new();
    for marker in MARKERS {
        for form in forms(marker) {
            for (place, content) in places {
                if content.windows(form.len()).any(|window| window == form) {
                    found.push(format!("{marker:?} as {:?} in {place}", String::from_utf8_lossy(&form)));
                }
            }
        }
    }
    found
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push((path.display().to_string(), fs::read(path).unwrap()));
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

#[tokio::test]
async fn markers_planted_everywhere_are_found_in_no_file_log_or_metric() {
    let mut stand = Stand::with(Options::default().with("LETOPIS__LOG__LEVEL", "debug")).await.unwrap();
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

    let metrics = stand.api.metrics().await.unwrap();
    let mut places = files(stand.folder.path());
    assert!(
        places.iter().any(|(place, _)| place.ends_with("-wal")),
        "the server still runs, with its journals"
    );
    places.push(("metrics".to_owned(), metrics.into_bytes()));
    places.push(("a refusal".to_owned(), refused.body.to_string().into_bytes()));
    places.push(("printed".to_owned(), stand.letopis.printed().unwrap()));
    assert_eq!(leaks(&places), Vec::<String>::new());
    assert!(stand.letopis.stop().await.unwrap().success());
    assert_eq!(leaks(&files(stand.folder.path())), Vec::<String>::new());
}

#[test]
fn the_search_finds_a_marker_in_every_form_it_looks_for() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("deep")).unwrap();
    let hide = |name: &str, content: &[u8]| {
        fs::write(folder.path().join("deep").join(name), content).unwrap();
        let found = leaks(&files(folder.path()));
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

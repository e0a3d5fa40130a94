//! Every kind of messenger at the door, as it comes: with its own headers, proofs and manners.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use channels::otlp::Form;
use domain::registry::SourceKind;
use flate2::Compression;
use flate2::write::GzEncoder;
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use sha2::Sha256;
use system_tests::{Shape, Stand};
use tokio::time::{sleep, timeout};

on_both_shapes! {
    what_every_messenger_sends_is_taken_understood_and_found
    nobody_comes_in_with_a_wrong_proof_and_nothing_of_theirs_is_read
    meta_and_vk_find_the_address_to_be_ours
    while_a_secret_is_changed_the_old_one_opens_too_and_afterwards_no_more
    any_other_system_is_a_source_by_its_mapping
    what_did_not_fit_its_mapping_fits_once_that_is_mended
    an_assistants_traces_are_its_conversations_however_they_are_sent
    an_event_in_an_envelope_is_taken_in_every_form_and_once
}

/// What the fixtures of a kind are about: a conversation of theirs, by the id somebody would type.
pub(crate) const DOORS: [(SourceKind, &str); 11] = [
    (SourceKind::Telegram, "5551112233"),
    (SourceKind::Whatsapp, "79990000001"),
    (SourceKind::Instagram, "1234567890123456"),
    (SourceKind::Vk, "100200300"),
    (SourceKind::Max, "182182182"),
    (SourceKind::Wazzup, "79990000001"),
    (SourceKind::Avito, "u2i-AbCdEf~1"),
    (SourceKind::Jivo, "2037"),
    (SourceKind::Yclients, "record:596792978"),
    (SourceKind::Otlp, "conv-123"),
    (SourceKind::Cloudevents, "conv-124"),
];

/// The secret VK's fixtures carry in their bodies, and the one of the Meta app.
const GIVEN: &str = "s3cr3tKey";

/// A source of a kind, as its messenger knows it.
pub(crate) struct Door {
    pub(crate) kind: SourceKind,
    pub(crate) path: String,
    pub(crate) secret: String,
}

impl Door {
    pub(crate) async fn open(stand: &Stand, kind: SourceKind) -> Self {
        let id = format!("salon-door-{kind}");
        let mut words = vec!["source", "add", &id, "--tenant", "salon", "--kind", kind.as_str()];
        if matches!(kind, SourceKind::Whatsapp | SourceKind::Instagram | SourceKind::Vk) {
            words.extend(["--secret", GIVEN]);
        }
        let added = stand.cli.json(&words).await.unwrap();
        let secret = added["secret"].as_str().unwrap().to_owned();
        let door = Self { kind, path: format!("/v1/hooks/{id}"), secret };
        door.is_known_to(stand).await;
        door
    }

    /// Waits until the gateway has heard of it: of several that are added at once it hears of the last a little later.
    async fn is_known_to(&self, stand: &Stand) {
        let known = async {
            while sent(stand.api.request(Method::POST, &self.path).body("{}")).await.0 == 404 {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(Duration::from_secs(20), known).await.unwrap();
    }

    /// A delivery that proves itself with this secret.
    pub(crate) fn delivery(&self, stand: &Stand, secret: &str, body: &[u8]) -> RequestBuilder {
        let keyed = format!("{}?key={secret}", self.path);
        let post = |path: &str| stand.api.request(Method::POST, path).body(body.to_vec());
        match self.kind {
            SourceKind::Telegram => post(&self.path).header("X-Telegram-Bot-Api-Secret-Token", secret),
            SourceKind::Max => post(&self.path).header("X-Max-Bot-Api-Secret", secret),
            SourceKind::Whatsapp | SourceKind::Instagram => {
                post(&self.path).header("X-Hub-Signature-256", hub_signature(secret, body))
            }
            // A parameter nobody else sends: strict readers of media types refuse it.
            SourceKind::Wazzup => post(&keyed).header("Content-Type", "application/json; charset-utf-8"),
            SourceKind::Vk => post(&self.path),
            SourceKind::Cloudevents => {
                let format = if body.starts_with(b"[") { "cloudevents-batch" } else { "cloudevents" };
                post(&format!("{}?access_token={secret}", self.path))
                    .header("Content-Type", format!("application/{format}+json; charset=utf-8"))
            }
            // An exporter appends the path of its signal to the address it is given.
            SourceKind::Otlp => post(&format!("{}/v1/traces", self.path))
                .bearer_auth(secret)
                .header("Content-Type", "application/json"),
            _ => post(&keyed),
        }
    }
}

fn hub_signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// The bodies kept for a kind, but for what is answered at the door.
pub(crate) fn bodies(kind: SourceKind) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../crates/channels/tests/fixtures");
    let files = fs::read_dir(folder.join(kind.as_str())).unwrap();
    let bodies: Vec<_> = files
        .map(|file| file.unwrap().path())
        .filter(|path| !path.ends_with("test-ping.json"))
        .map(|path| fs::read(path).unwrap())
        .collect();
    assert!(!bodies.is_empty());
    bodies
}

pub(crate) async fn sent(request: RequestBuilder) -> (u16, String) {
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

/// Delivers every body kept, as its messenger would; gives them back.
pub(crate) async fn deliver_every_payload(stand: &Stand) -> Vec<(SourceKind, Vec<u8>)> {
    let mut delivered = Vec::new();
    for (kind, _) in DOORS {
        let door = Door::open(stand, kind).await;
        let thanks = channels::thanks(kind).body.into_owned();
        for body in bodies(kind) {
            let answer = sent(door.delivery(stand, &door.secret, &body)).await;
            let expected = if kind == SourceKind::Cloudevents {
                // Taken like our own events, and answered like them.
                (202, answer.1.clone())
            } else {
                (200, thanks.clone())
            };
            assert_eq!(answer, expected, "{kind}: {}", String::from_utf8_lossy(&body));
            delivered.push((kind, body));
        }
    }
    delivered
}

async fn what_every_messenger_sends_is_taken_understood_and_found(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    let receipts = |(kind, body): &(SourceKind, Vec<u8>)| match kind {
        // Each span of an assistant is a receipt of its own.
        SourceKind::Otlp => Form::Json.split(body, usize::MAX).unwrap().spans.len(),
        // So is each event of a batch.
        SourceKind::Cloudevents => serde_json::from_slice::<Vec<Value>>(body).map_or(1, |batch| batch.len()),
        _ => 1,
    };
    let taken: usize = deliver_every_payload(&stand).await.iter().map(receipts).sum();
    let books = stand.settled().await.unwrap();
    assert_eq!(books["accepted"], json!(taken), "{books}");
    // Made-up examples share numbers here and there: two contents under one number are a conflict. Nothing else is wrong.
    let quarantined = stand.api.all(&stand.keys.admin, "/v1/quarantine", "entries").await.unwrap();
    assert!(quarantined.iter().all(|entry| entry["class"] == "conflict"), "{quarantined:?}");
    assert!(quarantined.len() < 10, "{books}");
    for (kind, typed) in DOORS {
        let session = stand.api.session(&stand.keys.read, typed).await.unwrap();
        let events = session.unwrap_or_else(|| panic!("{kind}: {typed} is not found"));
        assert!(events["events"].as_array().is_some_and(|events| !events.is_empty()), "{kind}: {events}");
    }
}

async fn nobody_comes_in_with_a_wrong_proof_and_nothing_of_theirs_is_read(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    for (kind, _) in DOORS {
        let door = Door::open(&stand, kind).await;
        let mut body = bodies(kind).swap_remove(0);
        if kind == SourceKind::Vk {
            body = String::from_utf8(body).unwrap().replace(GIVEN, "s3cr3tKez").into_bytes();
        }
        let (status, said) = sent(door.delivery(&stand, "s3cr3tKez", &body)).await;
        assert_eq!(status, 401, "{kind}: {said}");
        let told = match kind {
            SourceKind::Otlp => r#"{"message":"the signature does not match"}"#,
            _ => "/problems/signature-invalid",
        };
        assert!(said.contains(told), "{kind}: {said}");
    }
    // What is accepted is counted before anything is read of it: nothing was.
    assert_eq!(stand.api.accepted(&stand.keys.read).await.unwrap(), 0);
    let metrics = stand.api.metrics().await.unwrap();
    let read = metrics.lines().filter(|line| line.starts_with("letopis_normalizer_events_total"));
    assert!(read.clone().all(|line| line.ends_with(" 0")), "{:?}", read.collect::<Vec<_>>());
}

async fn meta_and_vk_find_the_address_to_be_ours(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    let meta = Door::open(&stand, SourceKind::Whatsapp).await;
    let token = channels::token_for_meta(GIVEN.as_bytes());
    let ask = |token: &str| {
        let question = format!("hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token={token}");
        stand.api.request(Method::GET, &format!("{}?{question}", meta.path))
    };
    assert_eq!(sent(ask(&token)).await, (200, "1158201444".to_owned()));
    assert_eq!(sent(ask("vibecoding")).await.0, 401);

    let vk = Door::open(&stand, SourceKind::Vk).await;
    let confirm = stand.api.request(Method::POST, &format!("{}?confirm=1a2b3c4d", vk.path));
    let confirm = confirm.json(&json!({"type": "confirmation", "group_id": 214_167_102}));
    assert_eq!(sent(confirm).await, (200, "1a2b3c4d".to_owned()));

    let wazzup = Door::open(&stand, SourceKind::Wazzup).await;
    let trial = wazzup.delivery(&stand, &wazzup.secret, br#"{"test": true}"#);
    assert_eq!(sent(trial).await, (200, "{}".to_owned()));
    // None of it is a delivery.
    assert_eq!(stand.api.accepted(&stand.keys.read).await.unwrap(), 0);
}

async fn while_a_secret_is_changed_the_old_one_opens_too_and_afterwards_no_more(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    let door = Door::open(&stand, SourceKind::Yclients).await;
    let body = bodies(SourceKind::Yclients).swap_remove(0);
    let id = door.path.rsplit('/').next().unwrap();
    let rotated = stand.cli.json(&["source", "rotate", id]).await.unwrap();
    let fresh = rotated["secret"].as_str().unwrap();
    let opens = async |secret: &str| sent(door.delivery(&stand, secret, &body)).await.0;
    // A running gateway hears of it a moment later.
    let until = async |secret: &str, status: u16| {
        let heard = async {
            while opens(secret).await != status {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(Duration::from_secs(20), heard).await.unwrap();
    };
    until(fresh, 200).await;
    assert_eq!(opens(&door.secret).await, 200);
    stand.cli.json(&["source", "retire", id]).await.unwrap();
    until(&door.secret, 401).await;
    assert_eq!(opens(fresh).await, 200);
}

/// Blocks of the document of the mapping channel: the mapping and the body of an example.
fn example(name: &str) -> (String, String) {
    let document = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/mapping.md");
    let document = fs::read_to_string(document).unwrap();
    let block = |language: &str| {
        let begin = format!("\n```{language} {name}\n");
        let block = document.split_once(&begin).unwrap().1.split("\n```").next().unwrap();
        block.to_owned()
    };
    (block("yaml"), block(if name == "tilda" { "form" } else { "json" }))
}

/// A file of its own for each mapping.
fn written(folder: &tempfile::TempDir, name: &str, content: &str) -> String {
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

async fn open_mapped(stand: &Stand, name: &str, mapping: &str) -> Door {
    let id = format!("salon-mapped-{name}");
    let words = ["source", "add", &id, "--tenant", "salon", "--kind", "mapping", "--mapping", mapping];
    let added = stand.cli.json(&words).await.unwrap();
    let secret = added["secret"].as_str().unwrap().to_owned();
    let door = Door { kind: SourceKind::Mapping, path: format!("/v1/hooks/{id}"), secret };
    door.is_known_to(stand).await;
    door
}

/// Each proves itself in another of the ways a mapping can ask for.
async fn any_other_system_is_a_source_by_its_mapping(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (name, typed) in [("tilda", "form 8105:4431"), ("bot", "5551112233"), ("calendar", "booking 1801")] {
        let (mapping, body) = example(name);
        let door = open_mapped(&stand, name, &written(&folder, name, &mapping)).await;
        let sending = |secret: &str| {
            let path = if name == "bot" { format!("{}?key={secret}", door.path) } else { door.path.clone() };
            let post = stand.api.request(Method::POST, &path).body(body.clone());
            match name {
                "tilda" => post.header("X-Api-Key", secret),
                "calendar" => post.header("X-Signature", base64_signature(secret, body.as_bytes())),
                _ => post,
            }
        };
        assert_eq!(sent(sending("s3cr3tKez")).await.0, 401, "{name}");
        assert_eq!(sent(sending(&door.secret)).await, (200, "{}".to_owned()), "{name}");
        stand.settled().await.unwrap();
        let session = stand.api.session(&stand.keys.read, typed).await.unwrap();
        assert!(session.is_some(), "{name}: {typed} is not found");
    }
}

async fn what_did_not_fit_its_mapping_fits_once_that_is_mended(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (mapping, body) = example("calendar");
    let door = open_mapped(&stand, "calendar", &written(&folder, "calendar", &mapping)).await;
    let odd = body.replace("\"gone\"", "\"no-show\"");
    let post = stand.api.request(Method::POST, &door.path).body(odd.clone());
    let signature = base64_signature(&door.secret, odd.as_bytes());
    assert_eq!(sent(post.header("X-Signature", signature)).await.0, 200);
    stand.settled().await.unwrap();
    let entries = stand.api.all(&stand.keys.admin, "/v1/quarantine", "entries").await.unwrap();
    assert_eq!((entries.len(), &entries[0]["pointer"]), (1, &json!("/changes/1/state")), "{entries:?}");

    let mended = mapping.replace("came: attend", "came: attend, no-show: no_show");
    let path = "/v1/sources/salon-mapped-calendar/mapping/preview";
    let seen = stand.api.post(&stand.keys.admin, path, &json!({"mapping": mended})).await.unwrap();
    assert_eq!((&seen.body["understood"], &seen.body["not_understood"]), (&json!(1), &json!(0)), "{seen:?}");
    let mended = written(&folder, "mended", &mended);
    let words = ["quarantine", "replay", "--tenant", "salon", "--open", "--mapping", &mended];
    let previewed = stand.cli.json(&[&words[..], &["--preview"]].concat()).await.unwrap();
    assert_eq!((&previewed["understood"], &previewed["not"]), (&json!(1), &json!(0)), "{previewed}");
    let find = || stand.api.session(&stand.keys.read, "booking 1755");
    assert!(find().await.unwrap().is_none(), "a preview changes nothing");
    assert_eq!(stand.cli.json(&words).await.unwrap()["replayed"], 1);
    // The books do not change by a replay that is on its way.
    let read = async {
        loop {
            if let Some(found) = find().await.unwrap() {
                return found;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    let found = timeout(Duration::from_secs(20), read).await.unwrap();
    assert_eq!(found["events"][0]["action"], "no_show", "{found}");
}

/// As the Python SDK sends them: protobuf, packed; and by a key, as JSON. The second time is a resend.
async fn an_assistants_traces_are_its_conversations_however_they_are_sent(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    let door = Door::open(&stand, SourceKind::Otlp).await;
    let fixtures = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../crates/channels/tests/fixtures");
    let export = fs::read(fixtures.join("otlp-protobuf/export.binpb")).unwrap();
    let mut packed = GzEncoder::new(Vec::new(), Compression::default());
    packed.write_all(&export).unwrap();
    let packed = packed.finish().unwrap();
    for _ in 0..2 {
        let path = format!("{}/v1/traces", door.path);
        let post = stand.api.request(Method::POST, &path).bearer_auth(&door.secret).body(packed.clone());
        let post = post.header("Content-Type", "application/x-protobuf").header("Content-Encoding", "gzip");
        assert_eq!(sent(post).await, (200, String::new()));
    }
    let by_key = stand.api.request(Method::POST, "/v1/traces").bearer_auth(&stand.keys.ingest);
    let by_key = by_key.header("Content-Type", "application/json");
    let body = fs::read(fixtures.join("otlp/chat-messages-on-span.json")).unwrap();
    assert_eq!(sent(by_key.body(body)).await, (200, "{}".to_owned()));
    let books = stand.settled().await.unwrap();
    assert_eq!((&books["accepted"], &books["duplicate"]), (&json!(7), &json!(3)), "{books}");
    assert_eq!(books["quarantined"], json!(0), "{books}");

    let said = async |typed: &str| {
        let session = stand.api.session(&stand.keys.read, typed).await.unwrap().unwrap();
        let events = session["events"].as_array().unwrap();
        let said = |event: &Value| (event["actor"].clone(), event["action"].clone());
        events.iter().map(said).collect::<Vec<_>>()
    };
    let turn = [("client", "message"), ("assistant", "message")].map(|(who, what)| (json!(who), json!(what)));
    assert_eq!(said("conv-123").await, turn);
    assert_eq!(said("conv-9").await[..2], turn);
    let metrics = stand.api.metrics().await.unwrap();
    let others = r#"letopis_ingest_spans_total{outcome="other",source="salon-door-otlp"} "#;
    let others = metrics.lines().filter_map(|line| line.strip_prefix(others)?.parse::<u32>().ok());
    assert_eq!(others.sum::<u32>(), 2, "a query of a database is counted and no more");
}

async fn an_event_in_an_envelope_is_taken_in_every_form_and_once(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    let door = Door::open(&stand, SourceKind::Cloudevents).await;
    let ask = stand.api.request(Method::OPTIONS, &door.path);
    let consent = ask.header("WebHook-Request-Origin", "salon.example.ru").send().await.unwrap();
    assert_eq!(consent.headers()["webhook-allowed-origin"], "salon.example.ru");
    assert!(consent.headers()["webhook-allowed-rate"].to_str().unwrap().parse::<u64>().unwrap() > 0);

    // The envelope in headers, as a sender that speaks Russian writes it; twice.
    let said = json!({"channel": "site", "session_id": "conv-125", "action": "message", "actor": "client", "user_text": "Добрый день"});
    let headers = [
        ("ce-specversion", "1.0"),
        ("ce-type", "letopis.event.v1"),
        ("ce-source", "/%D0%B1%D0%BE%D1%82/1"),
        ("ce-id", "\"7 %D0%B0\""),
        ("ce-time", "2026-08-20T11:53:00Z"),
    ];
    for _ in 0..2 {
        let post = stand.api.request(Method::POST, &door.path).bearer_auth(&door.secret).json(&said);
        let post = headers.iter().fold(post, |post, (name, value)| post.header(*name, *value));
        let (status, answer) = sent(post).await;
        assert_eq!(status, 202, "{answer}");
    }
    let lacking = json!({"specversion": "1.0", "type": "x", "source": "/bots/1"}).to_string();
    let (status, answer) = sent(door.delivery(&stand, &door.secret, lacking.as_bytes())).await;
    assert!(status == 422 && answer.contains("\"/id\""), "{status} {answer}");
    let batch = sent(door.delivery(&stand, &door.secret, b"[]")).await;
    assert_eq!(batch, (200, "{}".to_owned()));

    let books = stand.settled().await.unwrap();
    assert_eq!((&books["accepted"], &books["duplicate"]), (&json!(2), &json!(1)), "{books}");
    let session = stand.api.session(&stand.keys.read, "conv-125").await.unwrap().unwrap();
    let event = &session["events"][0];
    assert_eq!(
        (&event["occurred_at"], &event["actor"]),
        (&json!("2026-08-20T11:53:00Z"), &json!("client")),
        "{session}"
    );
}

fn base64_signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    STANDARD.encode(mac.finalize().into_bytes())
}

//! Letters of a queue at the door. The brokers themselves are tried with their adapters and by the tests of the whole.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use channels::Mapping;
use domain::id::SourceId;
use domain::quarantine::ReasonClass;
use domain::registry::{MappingText, SourceKind};
use domain::timestamp::Timestamp;
use event_schema::codec::RawDelivery;
use hmac::{Hmac, KeyInit as _, Mac as _};
use ingest_gateway::queue::{Binding, Queue, QueueMetrics};
use ports::queue::{Answer, Letter, LetterTag, QueueDoor, QueueError, ReplyTo};
use prometheus::Registry;
use serde_json::json;
use sha2::Sha256;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::fakes::Mood;
use crate::salon::{Salon, TELEGRAM_SECRET, event};

/// A queue in memory. What is not acknowledged when it is closed comes again.
#[derive(Default)]
struct FakeQueue(Mutex<Content>);

#[derive(Default)]
struct Content {
    waiting: VecDeque<Letter>,
    held: Vec<Letter>,
    acknowledged: BTreeSet<LetterTag>,
    answers: Vec<(ReplyTo, Answer)>,
    is_closed: bool,
}

#[async_trait]
impl QueueDoor for FakeQueue {
    async fn receive(&self, _wait: Duration) -> Result<Vec<Letter>, QueueError> {
        let letters: Vec<_> = {
            let mut content = self.0.lock().unwrap();
            content.is_closed = false;
            let letters: Vec<_> = content.waiting.drain(..).collect();
            content.held.extend(letters.iter().cloned());
            letters
        };
        if letters.is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(letters)
    }
    async fn acknowledge(&self, tags: &[LetterTag]) -> Result<(), QueueError> {
        let mut content = self.0.lock().unwrap();
        content.held.retain(|letter| !tags.contains(&letter.tag));
        content.acknowledged.extend(tags.iter().cloned());
        Ok(())
    }
    async fn hold(&self, _: &[LetterTag]) -> Result<(), QueueError> {
        Ok(())
    }
    async fn answer(&self, to: &ReplyTo, answer: Answer) -> Result<bool, QueueError> {
        self.0.lock().unwrap().answers.push((to.clone(), answer));
        Ok(to.queue != "nobody")
    }
    async fn close(&self) {
        let mut content = self.0.lock().unwrap();
        content.is_closed = true;
        let held = std::mem::take(&mut content.held);
        content.waiting.extend(held);
    }
}

/// A queue that is taken from, until it is dropped.
struct Taking {
    queue: Arc<FakeQueue>,
    leaving: CancellationToken,
    running: JoinSet<()>,
    metrics: Registry,
}

impl Taking {
    async fn of(salon: &Salon, source: &str, signed: bool) -> Self {
        salon.keyring.refresh().await;
        let queue = Arc::new(FakeQueue::default());
        let (metrics, leaving) = (Registry::new(), CancellationToken::new());
        let binding = Binding {
            name: "salon".to_owned(),
            source: SourceId::parse(source).unwrap(),
            signed,
            hold_for: Duration::from_secs(30),
        };
        let counts = QueueMetrics::register(&metrics).unwrap();
        let taken = Queue::new(binding, queue.clone(), salon.door(), &counts, leaving.clone());
        let mut running = JoinSet::new();
        running.spawn(taken.run());
        Self { queue, leaving, running, metrics }
    }

    fn send(&self, number: u32, body: impl Into<Bytes>, headers: &[(&str, &str)], reply_to: Option<&str>) {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), value.to_string().into()));
        let reply_to = reply_to.map(|queue| ReplyTo { queue: queue.to_owned(), correlation: None });
        let tag = LetterTag(number.to_string());
        let letter = Letter { tag, headers: headers.collect(), body: Some(body.into()), reply_to };
        self.queue.0.lock().unwrap().waiting.push_back(letter);
    }

    async fn until(&self, is_there: impl Fn(&Content) -> bool) {
        while !is_there(&self.queue.0.lock().unwrap()) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn until_acknowledged(&self, many: usize) {
        self.until(|content| content.acknowledged.len() == many).await;
    }

    fn count(&self, metric: &str) -> bool {
        prometheus::TextEncoder::new().encode_to_string(&self.metrics.gather()).unwrap().contains(metric)
    }
}

fn refusals(salon: &Salon) -> Vec<(RawDelivery, String)> {
    salon.deliveries().into_iter().filter(|(delivery, _)| delivery.refusal.is_some()).collect()
}

#[tokio::test(start_paused = true)]
async fn letters_that_come_together_are_published_and_acknowledged_together() {
    let salon = Salon::open();
    let taking = Taking::of(&salon, "bot", false).await;
    for number in 0..5 {
        taking.send(number, event(&format!("s-{number}")).to_string(), &[], None);
    }
    taking.until_acknowledged(5).await;
    assert_eq!(salon.bus.published.lock().unwrap().len(), 1);
    assert_eq!(salon.deliveries().len(), 5);
    assert!(taking.count(r#"letopis_queue_letters_total{outcome="taken",queue="salon"} 5"#));
}

#[tokio::test(start_paused = true)]
async fn what_the_bus_does_not_take_is_not_acknowledged_until_it_does() {
    let salon = Salon::open();
    let taking = Taking::of(&salon, "bot", false).await;
    *salon.bus.mood.lock().unwrap() = Mood::Down;
    taking.send(1, event("s-1").to_string(), &[], None);
    while !taking.count(r#"letopis_queue_waits_total{queue="salon",why="bus"} 3"#) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(taking.queue.0.lock().unwrap().acknowledged.is_empty());
    *salon.bus.mood.lock().unwrap() = Mood::Well;
    taking.until_acknowledged(1).await;
    assert_eq!(salon.deliveries().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_process_that_leaves_while_the_bus_is_away_gives_its_letters_back() {
    let salon = Salon::open();
    let mut taking = Taking::of(&salon, "bot", false).await;
    *salon.bus.mood.lock().unwrap() = Mood::Full;
    taking.send(1, event("s-1").to_string(), &[], None);
    taking.until(|content| !content.held.is_empty()).await;
    taking.leaving.cancel();
    taking.running.join_next().await.unwrap().unwrap();
    let content = taking.queue.0.lock().unwrap();
    assert_eq!((content.waiting.len(), content.is_closed, content.acknowledged.len()), (1, true, 0));
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_none_goes_on_to_be_refused_and_a_body_that_is_too_large_without_it() {
    let salon = Salon::open();
    let taking = Taking::of(&salon, "bot", false).await;
    taking.send(1, r#"{"channel": 7}"#, &[], None);
    taking.send(2, vec![b' '; 64 * 1024 + 1], &[], None);
    taking.send(3, "{}", &[("content-type", "text/plain")], None);
    taking.until_acknowledged(3).await;
    let all = salon.deliveries();
    assert_eq!(all[0].1, r#"{"channel": 7}"#);
    assert_eq!(all[0].0.refusal, None, "the normalizer says what is wrong with it");
    let [(large, nothing), (odd, body)] = refusals(&salon).try_into().unwrap();
    let reason = large.refusal.unwrap();
    assert_eq!((reason.class, nothing.as_str()), (ReasonClass::Invalid, ""));
    assert!(reason.detail.starts_with("body-too-large: "), "{}", reason.detail);
    assert_eq!((odd.refusal.unwrap().class, body.as_str()), (ReasonClass::Unreadable, "{}"));
    assert!(taking.count(r#"letopis_queue_letters_total{outcome="quarantined",queue="salon"} 3"#));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_somebody_heard_is_kept_nowhere_and_one_nobody_heard_is() {
    let salon = Salon::open();
    let taking = Taking::of(&salon, "bot", false).await;
    let mixed = json!([event("s-1"), {"channel": 7}]).to_string();
    taking.send(1, r#"{"channel": 7}"#, &[], Some("me"));
    taking.send(2, mixed, &[], Some("me"));
    taking.send(3, r#"{"channel": 8}"#, &[], Some("nobody"));
    taking.until_acknowledged(3).await;
    let bodies: Vec<_> = salon.deliveries().into_iter().map(|(_, body)| body).collect();
    assert_eq!(bodies, [event("s-1").to_string(), r#"{"channel": 8}"#.to_owned()]);
    let content = taking.queue.0.lock().unwrap();
    let statuses: Vec<_> = content.answers.iter().map(|(_, answer)| answer.status).collect();
    assert_eq!(statuses, [422, 207, 422]);
    assert_eq!(content.answers[0].1.media_type, "application/problem+json");
}

#[tokio::test(start_paused = true)]
async fn a_source_that_sends_too_fast_is_slowed_down_and_loses_nothing() {
    let salon = Salon::limited(1, 2);
    let taking = Taking::of(&salon, "bot", false).await;
    for number in 0..4 {
        taking.send(number, event(&format!("s-{number}")).to_string(), &[], None);
    }
    taking.until(|content| content.acknowledged.len() >= 2).await;
    assert_eq!(salon.deliveries().len(), 2, "those that were let in did not wait for the others");
    assert!(taking.count(r#"letopis_queue_waits_total{queue="salon",why="rate"} 1"#));
}

#[tokio::test(start_paused = true)]
async fn with_signed_letters_only_the_key_of_the_source_itself_will_do() {
    let salon = Salon::open();
    let taking = Taking::of(&salon, "bot", true).await;
    let key = format!("Bearer {}", salon.ingest);
    let (read, revoked) = (format!("Bearer {}", salon.read), format!("Bearer {}", salon.revoked));
    taking.send(1, event("s-1").to_string(), &[("authorization", &key)], None);
    for (number, header) in [(2, read.as_str()), (3, revoked.as_str()), (4, "Basic x")] {
        taking.send(number, event("s-2").to_string(), &[("authorization", header)], None);
    }
    taking.send(5, event("s-2").to_string(), &[], None);
    taking.until_acknowledged(5).await;
    let slugs: Vec<_> = refusals(&salon)
        .into_iter()
        .map(|(delivery, _)| delivery.refusal.unwrap().detail.split_once(':').unwrap().0.to_owned())
        .collect();
    assert_eq!(slugs, ["forbidden", "revoked-key", "unauthorized", "signature-missing"]);
    assert_eq!(salon.deliveries().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_messenger_proves_itself_in_a_queue_too() {
    let salon = Salon::open();
    let taking = Taking::of(&salon, "tg", false).await;
    let token = "x-telegram-bot-api-secret-token";
    taking.send(1, r#"{"update_id":1}"#, &[(token, TELEGRAM_SECRET)], None);
    taking.send(2, r#"{"update_id":2}"#, &[(token, "wrong")], None);
    taking.until_acknowledged(2).await;
    let refused = refusals(&salon);
    assert_eq!((salon.deliveries().len(), refused.len()), (2, 1));
    assert!(refused[0].0.refusal.as_ref().unwrap().detail.starts_with("signature-invalid: "));
}

#[tokio::test(start_paused = true)]
async fn a_revoked_source_closes_its_queue_and_what_comes_then_stays_there() {
    let salon = Salon::open();
    let taking = Taking::of(&salon, "bot", false).await;
    taking.send(1, event("s-1").to_string(), &[], None);
    taking.until_acknowledged(1).await;
    salon.registry.change(|content| content.sources[0].revoked_at = Some(Timestamp::EPOCH));
    salon.keyring.refresh().await;
    taking.until(|content| content.is_closed).await;
    taking.send(2, event("s-2").to_string(), &[], None);
    while !taking.count(r#"letopis_queue_waits_total{queue="salon",why="source"} 3"#) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(taking.queue.0.lock().unwrap().waiting.len(), 1);
    assert!(taking.count(r#"letopis_queue_connected{queue="salon"} 0"#));
}

#[tokio::test(start_paused = true)]
async fn traces_in_a_letter_are_taken_span_by_span_and_what_is_wrong_is_kept() {
    let salon = Salon::open();
    salon.registry.change(|content| content.sources[1].kind = SourceKind::Otlp);
    let taking = Taking::of(&salon, "tg", false).await;
    let bearer = format!("Bearer {TELEGRAM_SECRET}");
    let export = include_bytes!("../../../channels/tests/fixtures/otlp-protobuf/export.binpb");
    let protobuf = [("content-type", "application/x-protobuf"), ("authorization", bearer.as_str())];
    taking.send(1, export.to_vec(), &protobuf, None);
    let nameless = json!({"name": "chat", "attributes": [{"key": "gen_ai.system"}]});
    let request = json!({"resourceSpans": [{"scopeSpans": [{"spans": [nameless]}]}]}).to_string();
    taking.send(2, request.clone(), &[("key", TELEGRAM_SECRET)], None);
    taking.send(3, request.clone(), &[("key", TELEGRAM_SECRET)], Some("me"));
    taking.until_acknowledged(3).await;
    assert_eq!(salon.deliveries().len(), 4);
    let [(refused, kept)] = refusals(&salon).try_into().unwrap();
    assert_eq!((refused.kind, kept), (SourceKind::Otlp, request));
    let content = taking.queue.0.lock().unwrap();
    let told: serde_json::Value = serde_json::from_slice(&content.answers[0].1.body).unwrap();
    assert_eq!(told["partialSuccess"]["rejectedSpans"], "1");
}

#[tokio::test(start_paused = true)]
async fn a_letter_of_which_too_much_would_be_kept_is_one_refusal() {
    let salon = Salon::open();
    salon.registry.change(|content| content.sources[1].kind = SourceKind::Otlp);
    let taking = Taking::of(&salon, "tg", false).await;
    let letters = crate::traces::too_much();
    for (number, (form, body, _)) in (1..).zip(&letters) {
        let headers = [("content-type", form.media_type()), ("key", TELEGRAM_SECRET)];
        taking.send(number, body.clone(), &headers, None);
    }
    taking.until_acknowledged(letters.len()).await;
    let refused = refusals(&salon);
    assert_eq!((salon.deliveries().len(), refused.len()), (letters.len(), letters.len()));
    for ((delivery, _), (_, _, problem)) in refused.iter().zip(&letters) {
        assert!(delivery.refusal.as_ref().unwrap().detail.starts_with(problem), "{:?}", delivery.refusal);
    }
}

#[tokio::test(start_paused = true)]
async fn envelopes_in_letters_are_judged_as_over_http() {
    let salon = Salon::open();
    salon.registry.change(|content| content.sources[1].kind = SourceKind::Cloudevents);
    let taking = Taking::of(&salon, "tg", false).await;
    let envelope =
        |id: u32| json!({"specversion": "1.0", "type": "said", "source": "/1", "id": id.to_string()});
    let key = ("key", TELEGRAM_SECRET);
    taking.send(1, envelope(1).to_string(), &[key], None);
    taking.send(2, json!([envelope(2), envelope(3)]).to_string(), &[key], None);
    let headers = [key, ("ce-specversion", "1.0"), ("ce-type", "said"), ("ce-source", "/1"), ("ce-id", "4")];
    taking.send(3, "{}", &headers, None);
    taking.send(4, "[]", &[key], None);
    taking.send(5, json!([envelope(5), {"id": 6}]).to_string(), &[key], Some("me"));
    taking.until_acknowledged(5).await;
    let deliveries = salon.deliveries();
    assert!(deliveries.iter().all(|(delivery, _)| delivery.kind == SourceKind::Cloudevents));
    assert_eq!(deliveries.len(), 5);
    assert_eq!(taking.queue.0.lock().unwrap().answers[0].1.status, 207);
}

/// A mapping that asks for this proof, and as what bodies are written.
fn mapping(verify: &serde_json::Value, body: &str) -> Mapping {
    let set = json!({"channel": "site", "session_id": "/a", "action": "message"});
    let file = json!({"version": 1, "body": body, "verify": verify, "events": [{"set": set}]});
    Mapping::parse(&file.to_string()).unwrap()
}

/// Makes the messenger's source one of another system.
async fn map(salon: &Salon, mapping: &MappingText) {
    salon.registry.change(|content| {
        content.sources[1].kind = SourceKind::Mapping;
        content.sources[1].mapping = Some(mapping.clone());
    });
    salon.keyring.refresh().await;
}

#[tokio::test(start_paused = true)]
async fn a_letter_of_another_system_proves_itself_in_each_way_its_mapping_may_ask_for() {
    let body = json!({"a": "1", "token": TELEGRAM_SECRET}).to_string();
    let mut mac = Hmac::<Sha256>::new_from_slice(TELEGRAM_SECRET.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let bearer = format!("Bearer {TELEGRAM_SECRET}");
    let ways = [
        (json!({"by": "header", "name": "X-Api-Key"}), vec![("x-api-key", TELEGRAM_SECRET)]),
        (json!({"by": "bearer"}), vec![("authorization", bearer.as_str())]),
        (json!({"by": "parameter", "name": "token"}), vec![("token", TELEGRAM_SECRET)]),
        (
            json!({"by": "hmac_sha256", "name": "X-Signature", "encoding": "base64"}),
            vec![("x-signature", signature.as_str())],
        ),
        (json!({"by": "body", "at": "/token"}), vec![]),
    ];
    for (verify, headers) in ways {
        let salon = Salon::open();
        let mapping = mapping(&verify, "json");
        map(&salon, mapping.text()).await;
        let taking = Taking::of(&salon, "tg", false).await;
        taking.send(1, body.clone(), &headers, None);
        taking.send(2, r#"{"a": "2", "token": "wrong"}"#, &[("key", TELEGRAM_SECRET)], None);
        taking.until_acknowledged(2).await;
        let [(taken, text), (refused, _)] = salon.deliveries().try_into().unwrap();
        assert_eq!((taken.refusal, text), (None, body.clone()), "{verify}");
        assert_eq!(taken.mapping.as_ref(), Some(mapping.text()));
        assert!(refused.refusal.unwrap().detail.starts_with("signature-"), "{verify}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_form_in_a_letter_is_taken_where_the_mapping_reads_forms_and_there_alone() {
    for (form, is_taken) in [("form", true), ("json", false)] {
        let salon = Salon::open();
        map(&salon, mapping(&json!({"by": "bearer"}), form).text()).await;
        let taking = Taking::of(&salon, "tg", false).await;
        taking.send(1, "a=1&b=%D0%B4%D0%B0", &[("authorization", TELEGRAM_SECRET)], None);
        taking.until_acknowledged(1).await;
        assert_eq!(refusals(&salon).is_empty(), is_taken, "{form}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_letter_whose_mapping_cannot_be_read_waits_until_it_can() {
    let salon = Salon::open();
    map(&salon, &MappingText::from_text(r#"{"version":2}"#)).await;
    let taking = Taking::of(&salon, "tg", false).await;
    taking.send(1, r#"{"a": "1"}"#, &[("authorization", TELEGRAM_SECRET)], None);
    while !taking.count(r#"letopis_queue_waits_total{queue="salon",why="registry"} 2"#) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!((salon.deliveries().len(), taking.queue.0.lock().unwrap().acknowledged.len()), (0, 0));
    map(&salon, mapping(&json!({"by": "bearer"}), "json").text()).await;
    taking.until_acknowledged(1).await;
    assert_eq!((salon.deliveries().len(), refusals(&salon).len()), (1, 0));
}

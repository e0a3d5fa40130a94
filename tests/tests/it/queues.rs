//! The doors that are queues of a customer's own broker.

use std::time::Duration;

use anyhow::ensure;
use futures_util::StreamExt as _;
use lapin::BasicProperties;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions, QueueDeclareOptions};
use lapin::types::{AMQPValue, FieldTable};
use serde_json::{Value, json};
use system_tests::api::eventually;
use system_tests::brokers::{Bot, Broker, Queue};
use system_tests::{Options, Shape, Stand, events};

use crate::telegram_message;

on_both_shapes! {
    an_event_sent_to_either_broker_is_found_by_the_read_api_and_once_however_often_it_is_sent
    what_is_none_goes_to_quarantine_with_its_reason_and_nothing_behind_it_waits
    a_messenger_is_believed_by_its_own_proof_only
    another_systems_letters_are_proven_and_read_as_its_mapping_says
    a_revoked_source_closes_its_queue
    whoever_waits_for_an_answer_hears_what_http_would_have_said
}

const PATIENCE: Duration = Duration::from_secs(30);

/// A system with two queues of the salon's: one on RabbitMQ, one on a Redis.
struct Salon {
    stand: Stand,
    rabbit: Queue,
    stream: Queue,
}

/// The names of the settings of a queue.
type Names = [&'static str; 5];

const RABBIT: Names = [
    "LETOPIS__QUEUES__RABBIT__SOURCE",
    "LETOPIS__QUEUES__RABBIT__URL",
    "LETOPIS__QUEUES__RABBIT__QUEUE",
    "LETOPIS__QUEUES__RABBIT__SIGNED",
    "LETOPIS__QUEUES__RABBIT__HOLD_FOR",
];
const STREAM: Names = [
    "LETOPIS__QUEUES__STREAM__SOURCE",
    "LETOPIS__QUEUES__STREAM__URL",
    "LETOPIS__QUEUES__STREAM__QUEUE",
    "LETOPIS__QUEUES__STREAM__SIGNED",
    "LETOPIS__QUEUES__STREAM__HOLD_FOR",
];

async fn salon(shape: Shape, source: &str) -> Salon {
    let mut options = Options::of(shape);
    let mut queues = Vec::new();
    for (broker, [source_is, url, queue_is, signed, hold_for]) in
        Broker::ALL.into_iter().zip([RABBIT, STREAM])
    {
        let queue = Queue::new(broker, broker.shared().await.unwrap()).await.unwrap();
        options = options
            .with(source_is, source)
            .with(url, &queue.url)
            .with(queue_is, &queue.name)
            .with(signed, false)
            .with(hold_for, "2s");
        queues.push(queue);
    }
    let [rabbit, stream] = queues.try_into().unwrap();
    Salon { stand: Stand::with(options).await.unwrap(), rabbit, stream }
}

impl Salon {
    fn queues(&self) -> [&Queue; 2] {
        [&self.rabbit, &self.stream]
    }

    /// The books once so many receipts were taken off the queues and settled.
    async fn accepted(&self, many: u64) -> Value {
        eventually(PATIENCE, || async {
            let answer = self.stand.api.get(&self.stand.keys.read, "/v1/reconcile").await?;
            let books = &answer.body["tenants"][0];
            ensure!(books["accepted"] == many && books["in_flight"] == 0, "not yet: {books}");
            Ok(books.clone())
        })
        .await
        .unwrap()
    }

    async fn quarantine(&self) -> Vec<Value> {
        let list = self.stand.api.get(&self.stand.keys.read, "/v1/quarantine").await.unwrap();
        list.body["entries"].as_array().unwrap().clone()
    }
}

fn bytes(event: &Value) -> Vec<u8> {
    event.to_string().into_bytes()
}

async fn an_event_sent_to_either_broker_is_found_by_the_read_api_and_once_however_often_it_is_sent(
    shape: Shape,
) {
    let salon = salon(shape, "salon-bot").await;
    for (number, queue) in (0..).zip(salon.queues()) {
        let event = events::numbered(number, 0, 1);
        queue.send(&bytes(&event), &[]).await.unwrap();
        queue.send(&bytes(&event), &[]).await.unwrap();
        // Two more in one letter.
        let batch = json!([events::numbered(number, 1, 1), events::numbered(number, 2, 1)]);
        queue.send(&bytes(&batch), &[("content-type", "application/json")]).await.unwrap();
    }
    let books = salon.accepted(8).await;
    assert_eq!((&books["stored"], &books["duplicate"]), (&json!(6), &json!(2)), "{books}");
    for run in 0..2 {
        let path = format!("/v1/sessions/{}", events::session(run, 0));
        let found = salon.stand.api.all(&salon.stand.keys.read, &path, "events").await.unwrap();
        assert_eq!(found.len(), 3);
        assert_eq!(found[0]["id"], events::id(run, 0));
    }
}

async fn what_is_none_goes_to_quarantine_with_its_reason_and_nothing_behind_it_waits(shape: Shape) {
    let salon = salon(shape, "salon-bot").await;
    let good = events::numbered(0, 0, 1);
    let mixed = json!([{"session_id": "+79990000077"}, good]);
    for queue in salon.queues() {
        queue.send("{\"phone\": \"+79990000077\"".as_bytes(), &[]).await.unwrap();
        queue.send(b"\xff\xfe", &[]).await.unwrap();
        queue.send(&vec![b' '; 5 * 1024 * 1024], &[]).await.unwrap();
        queue.send(b"{}", &[("content-type", "text/plain")]).await.unwrap();
        queue.send(&bytes(&mixed), &[]).await.unwrap();
    }
    let books = salon.accepted(12).await;
    let kept = [&books["stored"], &books["duplicate"], &books["quarantined"]];
    assert_eq!(kept, [&json!(1), &json!(1), &json!(10)], "{books}");
    let entries = salon.quarantine().await;
    let details: Vec<_> = entries.iter().map(|entry| entry["detail"].as_str().unwrap()).collect();
    for slug in ["body-too-large", "unsupported-media-type", "invalid-json"] {
        let named = details.iter().filter(|detail| detail.starts_with(slug)).count();
        assert_eq!(named, 2, "{slug}: {details:?}");
    }
    assert!(!json!(entries).to_string().contains("9990000077"), "{entries:?}");
}

async fn a_messenger_is_believed_by_its_own_proof_only(shape: Shape) {
    let salon = salon(shape, "salon-telegram").await;
    let secret = salon.stand.keys.telegram.secret.clone();
    for (number, queue) in (0..).zip(salon.queues()) {
        let body = bytes(&telegram_message(7 + number, 100, "Можно записаться?"));
        queue.send(&body, &[("X-Telegram-Bot-Api-Secret-Token", &secret)]).await.unwrap();
        queue.send(&body, &[("X-Telegram-Bot-Api-Secret-Token", "wrong")]).await.unwrap();
        queue.send(&body, &[]).await.unwrap();
    }
    let books = salon.accepted(6).await;
    assert_eq!((&books["stored"], &books["quarantined"]), (&json!(2), &json!(4)), "{books}");
    for entry in salon.quarantine().await {
        assert!(entry["detail"].as_str().unwrap().starts_with("signature-"), "{entry}");
        assert_eq!(entry["class"], "invalid");
    }
}

/// The queues are there before their source is: it is made as any other of its kind.
async fn another_systems_letters_are_proven_and_read_as_its_mapping_says(shape: Shape) {
    let salon = salon(shape, "salon-calendar").await;
    let set = json!({"channel": "site", "session_id": "/visit", "action": "message"});
    let verify = json!({"by": "header", "name": "X-Api-Key"});
    let file = json!({"version": 1, "body": "form", "verify": verify, "events": [{"set": set}]});
    let folder = tempfile::tempdir().unwrap();
    let mapping = folder.path().join("calendar.json");
    std::fs::write(&mapping, file.to_string()).unwrap();
    let mapping = mapping.to_str().unwrap();
    let words =
        ["source", "add", "salon-calendar", "--tenant", "salon", "--kind", "mapping", "--mapping", mapping];
    let made = salon.stand.cli.json(&words).await.unwrap();
    let secret = made["secret"].as_str().unwrap();
    for (number, queue) in salon.queues().into_iter().enumerate() {
        let body = format!("visit=v-{number}&wish=%D0%BC%D0%B0%D0%BD%D0%B8%D0%BA%D1%8E%D1%80");
        queue.send(body.as_bytes(), &[("X-Api-Key", secret)]).await.unwrap();
        queue.send(body.as_bytes(), &[("X-Api-Key", "wrong")]).await.unwrap();
    }
    let books = salon.accepted(4).await;
    assert_eq!((&books["stored"], &books["quarantined"]), (&json!(2), &json!(2)), "{books}");
    for entry in salon.quarantine().await {
        assert!(entry["detail"].as_str().unwrap().starts_with("signature-invalid"), "{entry}");
    }
}

async fn a_revoked_source_closes_its_queue(shape: Shape) {
    let salon = salon(shape, "salon-bot").await;
    for (number, queue) in (0..).zip(salon.queues()) {
        queue.send(&bytes(&events::numbered(number, 0, 1)), &[]).await.unwrap();
    }
    salon.accepted(2).await;
    salon.stand.cli.json(&["source", "revoke", "salon-bot"]).await.unwrap();
    for queue in ["rabbit", "stream"] {
        let closed = format!("letopis_queue_connected{{queue=\"{queue}\"}} 0");
        eventually(PATIENCE, || async {
            let metrics = salon.stand.api.metrics().await?;
            ensure!(metrics.contains(&closed), "the queue is open");
            Ok(())
        })
        .await
        .unwrap();
    }
    for (number, queue) in (0..).zip(salon.queues()) {
        queue.send(&bytes(&events::numbered(number, 1, 1)), &[]).await.unwrap();
    }
    // What was sent since waits in the broker: a letter there is not lost, and not ours.
    if let Bot::Rabbit(channel, _connection) = salon.rabbit.connect().await.unwrap() {
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let name = salon.rabbit.name.as_str().into();
        let queue = channel.queue_declare(name, passive, FieldTable::default()).await.unwrap();
        assert_eq!((queue.message_count(), queue.consumer_count()), (1, 0));
    }
    salon.accepted(2).await;
}

async fn whoever_waits_for_an_answer_hears_what_http_would_have_said(shape: Shape) {
    let salon = salon(shape, "salon-bot").await;
    let Bot::Rabbit(channel, _connection) = salon.rabbit.connect().await.unwrap() else { unreachable!() };
    let exclusive = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
    let place = channel.queue_declare("".into(), exclusive, FieldTable::default()).await.unwrap();
    let (options, none) = (BasicConsumeOptions { no_ack: true, ..Default::default() }, FieldTable::default());
    let mut answers = channel.basic_consume(place.name().clone(), "".into(), options, none).await.unwrap();
    let send = async |body: &[u8], to: &str| {
        let properties = BasicProperties::default().with_reply_to(to.into()).with_correlation_id("7".into());
        let (exchange, key) = ("".into(), salon.rabbit.name.as_str().into());
        let options = BasicPublishOptions::default();
        channel.basic_publish(exchange, key, options, body, properties).await.unwrap().await.unwrap();
    };
    let place = place.name().as_str().to_owned();
    send(&bytes(&events::numbered(0, 0, 1)), &place).await;
    send(b"{\"channel\": 7}", &place).await;
    send(b"{\"channel\": 8}", "nobody").await;
    for (status, named) in [(202, events::id(0, 0)), (422, "/problems/invalid-event".to_owned())] {
        let answer = tokio::time::timeout(PATIENCE, answers.next()).await.unwrap().unwrap().unwrap();
        let headers = answer.properties.headers().as_ref().unwrap().inner();
        assert_eq!(headers.get("status"), Some(&AMQPValue::LongInt(status)));
        let body: Value = serde_json::from_slice(&answer.data).unwrap();
        assert!(body["event_id"] == named || body["type"] == named, "{body}");
    }
    let books = salon.accepted(2).await;
    assert_eq!((&books["stored"], &books["quarantined"]), (&json!(1), &json!(1)), "{books}");
}

//! What only AMQP promises.

use std::time::Duration;

use bytes::Bytes;
use contract_tests::queue::QueueWorld as _;
use futures_util::StreamExt as _;
use lapin::BasicProperties;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, QueueDeclareOptions, QueueDeleteOptions};
use lapin::types::{AMQPValue, FieldTable};
use ports::queue::{Answer, OpenQueueError, QueueDoor as _, QueueOptions, ReplyTo};
use queue_amqp::AmqpQueue;

use crate::world::{Queue, queue};

const SOON: Duration = Duration::from_secs(5);

fn refusal() -> Answer {
    let body = Bytes::from_static(b"{\"status\":422}");
    Answer { status: 422, media_type: "application/problem+json", body }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn properties_and_headers_stand_beside_the_body_by_their_names_in_http() {
    let queue = queue().await;
    let mut headers = FieldTable::default();
    headers.insert("Webhook-Timestamp".into(), AMQPValue::LongLongInt(1_772_355_600));
    headers.insert("X-Odd".into(), AMQPValue::Boolean(true));
    let properties = BasicProperties::default().with_headers(headers);
    let properties = properties.with_content_type("application/json".into()).with_reply_to("q".into());
    queue.publish(b"{}", properties.with_correlation_id("7".into())).await;
    let door = queue.open().await;
    let letter = door.receive(SOON).await.unwrap().remove(0);
    assert_eq!(letter.header("content-type"), Some(b"application/json".as_slice()));
    assert_eq!(letter.header("webhook-timestamp"), Some(b"1772355600".as_slice()));
    assert_eq!((letter.header("x-odd"), letter.header("content-encoding")), (None, None));
    assert_eq!(letter.reply_to, Some(ReplyTo { queue: "q".into(), correlation: Some("7".into()) }));
    door.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_comes_where_it_is_waited_for() {
    let queue = queue().await;
    let exclusive = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
    let place = queue.owner.queue_declare("".into(), exclusive, FieldTable::default()).await.unwrap();
    let door = queue.open().await;
    let to = ReplyTo { queue: place.name().to_string(), correlation: Some("7".into()) };
    assert!(door.answer(&to, refusal()).await.unwrap());
    let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
    let mut answers =
        queue.owner.basic_consume(place.name().clone(), "".into(), options, arguments).await.unwrap();
    let answer = answers.next().await.unwrap().unwrap();
    answer.ack(BasicAckOptions::default()).await.unwrap();
    assert_eq!(answer.data, refusal().body);
    assert_eq!(answer.properties.correlation_id().as_ref().unwrap().as_str(), "7");
    assert_eq!(answer.properties.content_type().as_ref().unwrap().as_str(), "application/problem+json");
    door.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_nobody_waits_for_is_told_apart_and_letters_keep_coming() {
    let queue = queue().await;
    let door = queue.open().await;
    for place in ["nobody", "amq.rabbitmq.reply-to.of-nobody", "amq.rabbitmq.reply-to"] {
        let to = ReplyTo { queue: place.to_owned(), correlation: None };
        assert!(!door.answer(&to, refusal()).await.unwrap(), "{place}");
    }
    queue.send(b"{}", "").await;
    assert_eq!(door.receive(SOON).await.unwrap().len(), 1);
    door.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_is_not_there_is_an_error_until_it_is() {
    let queue = queue().await;
    let door = queue.open().await;
    let name = queue.name.as_str();
    queue.owner.queue_delete(name.into(), QueueDeleteOptions::default()).await.unwrap();
    assert!(door.receive(SOON).await.is_err());
    let durable = QueueDeclareOptions::durable();
    queue.owner.queue_declare(name.into(), durable, FieldTable::default()).await.unwrap();
    queue.send(b"{}", "").await;
    assert_eq!(door.receive(SOON).await.unwrap().len(), 1);
    queue.owner.queue_delete(name.into(), QueueDeleteOptions::default()).await.unwrap();
    assert!(door.receive(SOON).await.is_err(), "a queue that goes away is noticed, too");
    queue.owner.queue_declare(name.into(), durable, FieldTable::default()).await.unwrap();
}

fn encrypted(queue: &Queue, host: &str, ca: Option<Vec<u8>>) -> QueueOptions {
    let url = format!("amqps://guest@{host}:{}/%2f", queue.broker.tls_port);
    QueueOptions { url, ca, ..queue.options() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn letters_come_over_tls_from_a_broker_whose_certificate_was_signed_by_whom_we_trust() {
    let queue = queue().await;
    queue.send(b"{}", "").await;
    for host in ["localhost", "127.0.0.1"] {
        let door = AmqpQueue::new(&encrypted(&queue, host, Some(queue.broker.ca.clone()))).unwrap();
        assert_eq!(door.receive(SOON).await.unwrap().len(), 1, "{host}");
        door.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_of_somebody_else_ends_the_connection_before_the_password_is_told() {
    let queue = queue().await;
    let door = AmqpQueue::new(&encrypted(&queue, "localhost", None)).unwrap();
    let refused = door.receive(SOON).await.unwrap_err();
    let cause = format!("{:?}", refused.0);
    assert!(cause.contains("UnknownIssuer"), "{cause}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_an_error_and_an_address_that_is_none_is_refused_without_being_quoted() {
    let queue = queue().await;
    let wrong = QueueOptions { password: Some("hunter2".to_owned()), ..queue.options() };
    let refused = AmqpQueue::new(&wrong).unwrap().receive(SOON).await.unwrap_err();
    assert!(!format!("{refused:?}").contains("hunter2"));

    let odd = QueueOptions { url: "amqpx://user:hunter2@host".to_owned(), ..queue.options() };
    let refused = AmqpQueue::new(&odd).err().unwrap();
    assert!(matches!(refused, OpenQueueError::Url(_)));
    assert!(!format!("{refused} {refused:?}").contains("hunter2"));
    let plain = QueueOptions { ca: Some(queue.broker.ca.clone()), ..queue.options() };
    assert!(matches!(AmqpQueue::new(&plain).err().unwrap(), OpenQueueError::CertificatesWithoutTls));
}

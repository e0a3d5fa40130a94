//! What only a stream promises.

use std::collections::HashMap;
use std::time::Duration;

use contract_tests::queue::QueueWorld as _;
use ports::queue::OpenQueueError;
use queue_redis::RedisQueue;
use redis::{Value, cmd};

use crate::world::{Stream, stream};

const SOON: Duration = Duration::from_millis(500);

async fn consumers(stream: &Stream) -> usize {
    let consumers: Vec<HashMap<String, Value>> =
        stream.tell(cmd("XINFO").arg("CONSUMERS").arg(&stream.name).arg("letopis")).await;
    consumers.len()
}

#[tokio::test]
async fn what_was_in_the_stream_before_there_was_a_group_comes_too_and_stays_there_for_its_owner() {
    let stream = stream().await;
    stream.send(b"{}", "").await;
    let door = stream.open().await;
    let letters = door.receive(SOON).await.unwrap();
    door.acknowledge(&[letters[0].tag.clone()]).await.unwrap();
    assert_eq!(stream.left().await, 0);
    let entries: usize = stream.tell(cmd("XLEN").arg(&stream.name)).await;
    assert_eq!(entries, 1);
    door.close().await;
}

#[tokio::test]
async fn a_door_that_leaves_takes_its_name_out_of_the_group_and_leaves_what_it_held_to_others() {
    let stream = stream().await;
    stream.send(b"{}", "").await;
    let door = stream.open().await;
    let letters = door.receive(SOON).await.unwrap();
    assert_eq!(consumers(&stream).await, 1);
    door.acknowledge(&[letters[0].tag.clone()]).await.unwrap();
    door.close().await;
    assert_eq!(consumers(&stream).await, 0);

    stream.send(b"{}", "").await;
    let door = stream.open().await;
    assert_eq!(door.receive(SOON).await.unwrap().len(), 1);
    door.close().await;
    assert_eq!(consumers(&stream).await, 1, "with its name would go what is still there under it");
    let next = stream.open().await;
    assert_eq!(next.receive(Duration::ZERO).await.unwrap().len(), 1, "at once");
}

#[tokio::test]
async fn a_group_that_is_gone_is_made_anew_and_gives_what_the_stream_still_has() {
    let stream = stream().await;
    let door = stream.open().await;
    door.receive(Duration::ZERO).await.unwrap();
    stream.tell::<()>(cmd("DEL").arg(&stream.name)).await;
    stream.send(b"{}", "").await;
    assert!(door.receive(SOON).await.is_err());
    assert_eq!(door.receive(SOON).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_entry_without_the_field_of_the_body_comes_without_one() {
    let stream = stream().await;
    stream.tell::<()>(cmd("XADD").arg(&stream.name).arg("*").arg("event").arg("{}")).await;
    let door = stream.open().await;
    let letters = door.receive(SOON).await.unwrap();
    assert_eq!((&letters[0].body, letters[0].header("event")), (&None, Some(b"{}".as_slice())));
}

#[tokio::test]
async fn an_address_that_is_none_is_refused_without_being_quoted() {
    let stream = stream().await;
    let mut options = stream.options();
    options.url = "http://user:hunter2@host".to_owned();
    let refused = RedisQueue::new(&options).err().unwrap();
    assert!(matches!(refused, OpenQueueError::Url(_)));
    assert!(!format!("{refused} {refused:?} {options:?}").contains("hunter2"));
    options.url = "redis://host".to_owned();
    options.ca = Some(Vec::new());
    assert!(matches!(RedisQueue::new(&options).err().unwrap(), OpenQueueError::CertificatesWithoutTls));
}

//! The contract of [`ports::idempotency::IdempotencyStore`].

use domain::event::Digest;
use domain::id::SourceId;
use futures_util::future::join_all;
use ports::idempotency::{Begun, IdempotencyKey, IdempotencyStore, StoredAnswer};

use crate::World;
use crate::fixtures::{at, digest};

/// The port.
pub type Port = dyn IdempotencyStore;

/// One named test per clause. `open` is the path of an `async fn() -> impl World<dyn IdempotencyStore>`.
#[macro_export]
macro_rules! idempotency_contract {
    ($open:path) => {
        $crate::named_tests!(store, $open, $crate::idempotency::Port, $crate::idempotency:
            a_key_is_new_then_in_progress_then_done
            a_key_with_another_body_is_a_conflict
            the_answer_first_finished_is_kept
            sources_do_not_share_keys
            a_forgotten_key_is_new_again
            of_many_bodies_at_once_one_has_the_key);
        $crate::named_tests!(world, $open, $crate::idempotency::Port, $crate::idempotency:
            an_answer_survives_reopening);
    };
}

pub async fn a_key_is_new_then_in_progress_then_done(store: &Port) {
    let key = key("bot", "a");
    assert_eq!(store.begin(&key, body(1), at(0)).await.unwrap(), Begun::New);
    assert_eq!(store.begin(&key, body(1), at(1)).await.unwrap(), Begun::InProgress);
    let answer = answer(202, r#"{"event_id":"x"}"#);
    assert_eq!(store.finish(&key, answer.clone()).await.unwrap(), answer);
    assert_eq!(store.begin(&key, body(1), at(2)).await.unwrap(), Begun::Done(answer));
}

pub async fn a_key_with_another_body_is_a_conflict(store: &Port) {
    let key = key("bot", "a");
    store.begin(&key, body(1), at(0)).await.unwrap();
    assert_eq!(store.begin(&key, body(2), at(1)).await.unwrap(), Begun::Conflict);
    store.finish(&key, answer(202, "{}")).await.unwrap();
    assert_eq!(store.begin(&key, body(2), at(2)).await.unwrap(), Begun::Conflict);
}

pub async fn the_answer_first_finished_is_kept(store: &Port) {
    let key = key("bot", "a");
    store.begin(&key, body(1), at(0)).await.unwrap();
    let (first, second) = (answer(202, "[1]"), answer(207, "[2]"));
    store.finish(&key, first.clone()).await.unwrap();
    assert_eq!(store.finish(&key, second).await.unwrap(), first);
    assert_eq!(store.begin(&key, body(1), at(1)).await.unwrap(), Begun::Done(first));
}

pub async fn sources_do_not_share_keys(store: &Port) {
    store.begin(&key("bot", "a"), body(1), at(0)).await.unwrap();
    assert_eq!(store.begin(&key("site", "a"), body(2), at(0)).await.unwrap(), Begun::New);
    store.finish(&key("bot", "a"), answer(202, "{}")).await.unwrap();
    assert_eq!(store.begin(&key("site", "a"), body(2), at(0)).await.unwrap(), Begun::InProgress);
}

pub async fn a_forgotten_key_is_new_again(store: &Port) {
    let (old, young) = (key("bot", "old"), key("bot", "young"));
    store.begin(&old, body(1), at(0)).await.unwrap();
    store.finish(&old, answer(202, "{}")).await.unwrap();
    store.begin(&young, body(1), at(10)).await.unwrap();
    assert_eq!(store.forget_before(at(10)).await.unwrap(), 1);
    assert_eq!(store.begin(&old, body(2), at(11)).await.unwrap(), Begun::New);
    assert_eq!(store.begin(&young, body(1), at(11)).await.unwrap(), Begun::InProgress);
}

pub async fn of_many_bodies_at_once_one_has_the_key(store: &Port) {
    let key = key("bot", "a");
    let begun = join_all((0..8).map(|n| store.begin(&key, body(n), at(0)))).await;
    let begun: Vec<_> = begun.into_iter().map(Result::unwrap).collect();
    assert_eq!(begun.iter().filter(|begun| **begun == Begun::New).count(), 1, "{begun:?}");
    assert_eq!(begun.iter().filter(|begun| **begun == Begun::Conflict).count(), 7, "{begun:?}");
}

pub async fn an_answer_survives_reopening(world: &dyn World<Port>) {
    let key = key("bot", "a");
    let answer = answer(207, "[]");
    let store = world.open().await;
    store.begin(&key, body(1), at(0)).await.unwrap();
    store.finish(&key, answer.clone()).await.unwrap();
    drop(store);
    assert_eq!(world.open().await.begin(&key, body(1), at(1)).await.unwrap(), Begun::Done(answer));
}

fn key(source: &str, text: &str) -> IdempotencyKey {
    IdempotencyKey { source: SourceId::parse(source).unwrap(), key: digest(text.as_bytes()) }
}

fn body(content: u8) -> Digest {
    digest(&[content + 1])
}

fn answer(status: u16, body: &str) -> StoredAnswer {
    StoredAnswer { status, body: body.as_bytes().to_vec() }
}

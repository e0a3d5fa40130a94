//! The contract of [`ports::queue::QueueDoor`].

pub mod proxy;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ports::queue::{Letter, LetterTag, QueueDoor};
use tokio::time::timeout;

use crate::{PATIENCE, eventually};
use proxy::Proxy;

/// Letters a door of the contract's worlds holds at the most.
pub const HELD: u16 = 10;

/// After how long another door may take what a door of the contract's worlds does not say it holds.
pub const HOLD_FOR: Duration = Duration::from_millis(400);

/// Long enough for a letter that is there to come.
const A_WHILE: Duration = Duration::from_millis(200);

/// A queue of its own on a real broker, empty at first, gone when dropped.
#[async_trait]
pub trait QueueWorld: Send + Sync {
    /// A door at it that holds [`HELD`] letters for [`HOLD_FOR`], by way of [`Self::proxy`].
    async fn open(&self) -> Arc<dyn QueueDoor>;

    /// Sends a letter as a bot would, with a header `note`, and waits until the broker has it.
    async fn send(&self, body: &[u8], note: &str);

    /// What stands between doors and the broker.
    fn proxy(&self) -> &Proxy;
}

/// One named test per clause. `open` is the path of an `async fn() -> impl QueueWorld`.
#[macro_export]
macro_rules! queue_contract {
    ($open:path) => {
        $crate::named_tests!(world, $open, dyn $crate::queue::QueueWorld, $crate::queue:
            a_letter_comes_as_it_was_sent
            an_empty_queue_gives_nothing
            a_waiting_door_wakes_up_when_a_letter_comes
            what_is_acknowledged_does_not_come_again
            what_is_not_acknowledged_beside_what_is_comes_again_to_the_next_door
            no_more_letters_are_held_than_may_be
            what_a_closed_door_held_comes_again_to_it_too_when_it_comes_back
            two_doors_never_have_one_letter_as_long_as_both_hold_theirs
            what_a_door_that_is_gone_held_comes_to_another
            a_lost_connection_loses_no_letter
            while_the_broker_is_away_a_door_says_so_and_works_once_it_is_back
            what_cannot_be_acknowledged_any_more_does_no_harm);
    };
}

pub async fn a_letter_comes_as_it_was_sent(world: &dyn QueueWorld) {
    let body = [b"{\"text\":\"\xd0\xb4\xd0\xb0\"}".as_slice(), &[0, 255, 10]].concat();
    world.send(&body, "как есть").await;
    let door = world.open().await;
    let letters = some(&*door).await;
    assert_eq!(letters[0].body.as_deref(), Some(body.as_slice()));
    assert_eq!(letters[0].header("note"), Some("как есть".as_bytes()));
    assert_eq!((letters[0].header("else"), &letters[0].reply_to), (None, &None));
    door.close().await;
}

pub async fn an_empty_queue_gives_nothing(world: &dyn QueueWorld) {
    let door = world.open().await;
    assert_eq!(door.receive(Duration::from_millis(20)).await.unwrap(), []);
    door.close().await;
}

pub async fn a_waiting_door_wakes_up_when_a_letter_comes(world: &dyn QueueWorld) {
    let door = world.open().await;
    assert_eq!(door.receive(Duration::from_millis(20)).await.unwrap(), []);
    let (received, ()) = tokio::join!(timeout(PATIENCE, door.receive(2 * PATIENCE)), world.send(b"1", ""));
    assert_eq!(texts(&received.expect("it waits its whole time").unwrap()), ["1"]);
    door.close().await;
}

pub async fn what_is_acknowledged_does_not_come_again(world: &dyn QueueWorld) {
    send(world, 0..3).await;
    let door = world.open().await;
    let letters = exactly(&*door, 3).await;
    door.acknowledge(&tags(&letters)).await.unwrap();
    door.close().await;
    nothing_is_left(world).await;
}

pub async fn what_is_not_acknowledged_beside_what_is_comes_again_to_the_next_door(world: &dyn QueueWorld) {
    send(world, 0..4).await;
    let door = world.open().await;
    let letters = exactly(&*door, 4).await;
    let (first, third) = (letters[0].tag.clone(), letters[2].tag.clone());
    door.acknowledge(&[first, third]).await.unwrap();
    door.close().await;
    let next = world.open().await;
    let letters = exactly(&*next, 2).await;
    assert_eq!(sorted(texts(&letters)), ["1", "3"]);
    next.acknowledge(&tags(&letters)).await.unwrap();
    next.close().await;
    nothing_is_left(world).await;
}

pub async fn no_more_letters_are_held_than_may_be(world: &dyn QueueWorld) {
    send(world, 0..25).await;
    let door = world.open().await;
    let first = exactly(&*door, usize::from(HELD)).await;
    assert_eq!(door.receive(A_WHILE).await.unwrap(), []);
    // What is held without a word may go to another door after a while, and this one would be told of it again.
    door.hold(&tags(&first)).await.unwrap();
    door.acknowledge(&tags(&first[..4])).await.unwrap();
    let more = exactly(&*door, 4).await;
    assert_eq!(door.receive(A_WHILE).await.unwrap(), []);
    let seen: BTreeSet<_> = texts(&first).into_iter().chain(texts(&more)).collect();
    assert_eq!(seen.len(), 14);
    door.close().await;
}

pub async fn what_a_closed_door_held_comes_again_to_it_too_when_it_comes_back(world: &dyn QueueWorld) {
    send(world, 0..3).await;
    let door = world.open().await;
    let letters = exactly(&*door, 3).await;
    door.acknowledge(&tags(&letters[..1])).await.unwrap();
    door.close().await;
    let again = exactly(&*door, 2).await;
    assert_eq!(sorted(texts(&again)), ["1", "2"]);
    door.acknowledge(&tags(&again)).await.unwrap();
    door.close().await;
    nothing_is_left(world).await;
}

pub async fn two_doors_never_have_one_letter_as_long_as_both_hold_theirs(world: &dyn QueueWorld) {
    send(world, 0..10).await;
    let (one, other) = (world.open().await, world.open().await);
    let mut held = Vec::new();
    let mut seen = Vec::new();
    // Longer than a door may be silent, so that what is held without a word would have come to the other.
    let until = tokio::time::Instant::now() + 3 * HOLD_FOR;
    while tokio::time::Instant::now() < until || seen.len() < 10 {
        for door in [&one, &other] {
            let letters = door.receive(Duration::from_millis(20)).await.unwrap();
            seen.extend(texts(&letters));
            held.push((door.clone(), tags(&letters)));
        }
        for (door, tags) in &held {
            door.hold(tags).await.unwrap();
        }
    }
    assert_eq!(sorted(seen), (0..10).map(|number| number.to_string()).collect::<Vec<_>>());
    for (door, tags) in held {
        door.acknowledge(&tags).await.unwrap();
    }
    one.close().await;
    other.close().await;
    nothing_is_left(world).await;
}

pub async fn what_a_door_that_is_gone_held_comes_to_another(world: &dyn QueueWorld) {
    send(world, 0..3).await;
    let door = world.open().await;
    exactly(&*door, 3).await;
    // As a kill does it: no farewell, and its connections break.
    drop(door);
    world.proxy().cut();
    let next = world.open().await;
    let letters = exactly(&*next, 3).await;
    assert_eq!(sorted(texts(&letters)), ["0", "1", "2"]);
    next.close().await;
}

pub async fn a_lost_connection_loses_no_letter(world: &dyn QueueWorld) {
    send(world, 0..6).await;
    let door = world.open().await;
    let held = some(&*door).await;
    world.proxy().cut();
    // Nobody knows whether that arrived.
    drop(door.acknowledge(&tags(&held)).await);
    let mut seen: BTreeSet<String> = texts(&held).into_iter().collect();
    let drain = async {
        loop {
            let Ok(letters) = door.receive(HOLD_FOR + A_WHILE).await else { continue };
            drop(door.acknowledge(&tags(&letters)).await);
            seen.extend(texts(&letters));
            if letters.is_empty() {
                return;
            }
        }
    };
    timeout(PATIENCE, drain).await.expect("letters keep coming");
    assert_eq!(seen.len(), 6);
    door.close().await;
    nothing_is_left(world).await;
}

pub async fn while_the_broker_is_away_a_door_says_so_and_works_once_it_is_back(world: &dyn QueueWorld) {
    world.proxy().close();
    let door = world.open().await;
    assert!(door.receive(A_WHILE).await.is_err());
    for number in 0..2 {
        send(world, number..number + 1).await;
        world.proxy().open();
        let letters = some(&*door).await;
        assert_eq!(texts(&letters), [number.to_string()]);
        door.acknowledge(&tags(&letters)).await.unwrap();
        // An acknowledgement may be on its way: what is asked after it is answered after it.
        door.receive(Duration::from_millis(20)).await.unwrap();
        world.proxy().close();
        eventually("the door to notice", async || door.receive(A_WHILE).await.err()).await;
    }
    world.proxy().open();
    door.close().await;
}

pub async fn what_cannot_be_acknowledged_any_more_does_no_harm(world: &dyn QueueWorld) {
    send(world, 0..1).await;
    let door = world.open().await;
    let old = tags(&some(&*door).await);
    world.proxy().cut();
    // A broker that saw the connection go sends it again; one that goes by names knows that we have it.
    let mut again = Vec::new();
    for _try in 0..3 {
        again.extend(door.receive(A_WHILE).await.unwrap_or_default());
    }
    door.hold(&old).await.unwrap();
    door.hold(&[LetterTag("of nobody".to_owned())]).await.unwrap();
    door.acknowledge(&tags(&again)).await.unwrap();
    door.acknowledge(&old).await.unwrap();
    door.acknowledge(&old).await.unwrap();
    send(world, 1..2).await;
    let next = some(&*door).await;
    assert_eq!(texts(&next), ["1"]);
    door.acknowledge(&tags(&next)).await.unwrap();
    door.close().await;
    nothing_is_left(world).await;
}

async fn send(world: &dyn QueueWorld, numbers: std::ops::Range<u32>) {
    for number in numbers {
        world.send(number.to_string().as_bytes(), "").await;
    }
}

/// Receives until something comes; a broken connection is made anew.
async fn some(door: &dyn QueueDoor) -> Vec<Letter> {
    let ask = async || door.receive(A_WHILE).await.ok().filter(|letters| !letters.is_empty());
    eventually("a letter", ask).await
}

/// Receives until so many have come, which are all there are to come.
async fn exactly(door: &dyn QueueDoor, many: usize) -> Vec<Letter> {
    let mut letters = Vec::new();
    while letters.len() < many {
        letters.extend(some(door).await);
    }
    assert_eq!(letters.len(), many);
    letters
}

/// Not even for a door that waits until nobody else can be holding anything.
async fn nothing_is_left(world: &dyn QueueWorld) {
    let door = world.open().await;
    assert_eq!(door.receive(HOLD_FOR + A_WHILE).await.unwrap(), []);
    door.close().await;
}

fn tags(letters: &[Letter]) -> Vec<LetterTag> {
    letters.iter().map(|letter| letter.tag.clone()).collect()
}

/// The bodies, which are texts here.
fn texts(letters: &[Letter]) -> Vec<String> {
    let text = |letter: &Letter| String::from_utf8(letter.body.as_ref().unwrap().to_vec()).unwrap();
    letters.iter().map(text).collect()
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

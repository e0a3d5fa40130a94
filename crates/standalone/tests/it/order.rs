//! Order and repetition of what messengers send change nothing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::registry::SourceKind;
use privacy::{MasterKeys, Vault};
use rand::RngExt as _;
use rand::seq::SliceRandom as _;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng as _;

use crate::world::{Posted, World, bodies, difference};

/// Made-up examples share numbers here and there. Of two contents under one number the first stays, as it must: whatever has
/// a number that was there is left out.
fn without_conflicts() -> Vec<Posted> {
    let mut known = BTreeSet::new();
    let mut kept = bodies();
    kept.retain(|posted| {
        let seen = channels::parse(posted.kind, &posted.body, posted.at).unwrap_or_default();
        let numbers: Vec<_> = seen.into_iter().map(|seen| (posted.kind, seen.native_id)).collect();
        let is_new = numbers.iter().all(|number| !known.contains(number));
        known.extend(numbers);
        is_new
    });
    let kinds: BTreeSet<_> = kept.iter().map(|posted| posted.kind).collect();
    assert_eq!(
        kinds.len() + 2,
        SourceKind::ALL.len(),
        "all but our own event and mappings, which have tests of their own"
    );
    assert!(kept.len() > 100);
    kept
}

fn vault() -> Arc<Vault> {
    Arc::new(Vault::new(MasterKeys::generate().unwrap()))
}

#[tokio::test]
async fn twenty_deliveries_and_some_of_them_again_in_fifty_orders_leave_one_state() {
    let (vault, mut dice) = (vault(), ChaCha8Rng::seed_from_u64(20));
    let twenty = two_of_each_kind(&mut dice);
    assert!(twenty.len() >= 17, "{}", twenty.len());
    let straight = World::with(vault.clone()).await;
    straight.take(&twenty).await;
    let straight = straight.state().await;
    assert!(straight.len() > 15, "three lists and a timeline of each conversation: {}", straight.len());
    assert!(straight.iter().any(|(path, _)| path.starts_with("/v1/subjects/")), "no client was found");
    let sessions = &straight[1].1["total"]["sessions"]["total"];
    assert!(sessions.as_u64().unwrap() > 5, "{sessions}");
    for order in 0..50 {
        let mut arrived = twenty.clone();
        for _ in 0..6 {
            arrived.push(twenty[dice.random_range(0..twenty.len())].clone());
        }
        arrived.shuffle(&mut dice);
        let world = World::with(vault.clone()).await;
        for together in arrived.chunks(dice.random_range(3..12)) {
            world.take(together).await;
        }
        let state = world.state().await;
        let names: Vec<_> = arrived.iter().map(|posted| format!("{}/{}", posted.kind, posted.name)).collect();
        assert!(state == straight, "order {order}: {names:?}: {:#}", difference(&straight, &state));
    }
}

/// Of each kind two, where there are as many, and of Telegram four; a shared contact among them, which makes a client known.
fn two_of_each_kind(dice: &mut ChaCha8Rng) -> Vec<Posted> {
    let mut all = without_conflicts();
    all.shuffle(dice);
    all.sort_by_key(|posted| posted.name != "message-contact-own");
    let of = |kind| {
        let count = if kind == SourceKind::Telegram { 4 } else { 2 };
        all.iter().filter(move |posted| posted.kind == kind).take(count).cloned()
    };
    SourceKind::ALL.into_iter().flat_map(of).collect()
}

#[tokio::test]
async fn a_delivery_that_comes_ten_times_is_there_once() {
    let (vault, all) = (vault(), without_conflicts());
    let once = World::with(vault.clone()).await;
    once.take(&all).await;
    let once = once.state().await;
    let again = World::with(vault).await;
    for time in 0..10 {
        for together in all.chunks(40) {
            let later = |posted: &Posted| Posted {
                at: posted.at.plus(Duration::from_secs(60 * time)),
                ..posted.clone()
            };
            again.take(&together.iter().map(later).collect::<Vec<_>>()).await;
        }
    }
    let state = again.state().await;
    assert!(state == once, "{:#}", difference(&once, &state));
}

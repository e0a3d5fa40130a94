//! Looking at what stopped, and sending it through again.

use domain::quarantine::{QuarantineState, ReasonClass, Stage};
use ports::bus::Topic;
use serde_json::json;

use crate::ask::{get, post, world};
use crate::world::{World, at, reason, tenant};

async fn salon_with_entries() -> (World, Vec<String>) {
    let world = world().await;
    let entries = [
        (Stage::Normalize, ReasonClass::Unreadable, Some("/message/date")),
        (Stage::Record, ReasonClass::Conflict, None),
        (Stage::Analyse, ReasonClass::HandlerFailed, None),
    ];
    let put = |(hour, (stage, class, pointer)): (usize, (Stage, ReasonClass, Option<&str>))| {
        let received = at(&format!("2026-03-01T1{hour}:00:00Z"));
        world.quarantine(&tenant("salon"), received, stage, reason(class, pointer, "an integer")).to_string()
    };
    let receipts = entries.into_iter().enumerate().map(put).collect();
    (world, receipts)
}

#[tokio::test]
async fn an_entry_says_why_and_where_and_nothing_of_the_body() {
    let (world, _) = salon_with_entries().await;
    let body = get(&world, "/v1/quarantine").await.body;
    assert!(!body.to_string().contains("\"sealed\""), "the message itself is not shown");
    insta::assert_json_snapshot!(body);
}

#[tokio::test]
async fn entries_are_filtered_paged_and_shown_by_receipt() {
    let (world, receipts) = salon_with_entries().await;
    let only = get(&world, "/v1/quarantine?class=conflict&state=open").await.body;
    assert_eq!(only["entries"].as_array().unwrap().len(), 1);
    assert_eq!(only["entries"][0]["receipt"], receipts[1]);
    assert_eq!(get(&world, "/v1/quarantine?state=resolved").await.body["entries"], json!([]));

    let first = get(&world, "/v1/quarantine?limit=2").await.body;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = get(&world, &format!("/v1/quarantine?limit=2&cursor={cursor}")).await.body;
    assert_eq!(second["entries"][0]["receipt"], receipts[0]);
    assert_eq!((second["entries"].as_array().unwrap().len(), &second["next_cursor"]), (1, &json!(null)));

    let shown = get(&world, &format!("/v1/quarantine/{}", receipts[0])).await.body;
    assert_eq!(shown["entries"][0]["pointer"], "/message/date");
    for missing in ["nonsense", "0190b3a4-7c1e-7a3b-9d57-5f3c2b1a0e4d"] {
        assert_eq!(get(&world, &format!("/v1/quarantine/{missing}")).await.status, 404);
    }
    for query in ["class=bad", "state=bad", "limit=-1", "cursor=bad"] {
        assert_eq!(get(&world, &format!("/v1/quarantine?{query}")).await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn a_replay_goes_in_where_its_stage_begins() {
    let (world, receipts) = salon_with_entries().await;
    let expected = [
        (Topic::Replay, "replaying", QuarantineState::Replaying),
        (Topic::Events, "replaying", QuarantineState::Replaying),
        (Topic::Events, "resolved", QuarantineState::Resolved),
    ];
    for (index, (topic, word, state)) in expected.into_iter().enumerate() {
        let path = format!("/v1/quarantine/{}/replay", receipts[index]);
        let answer = post(&world, &world.keys.admin, &path, json!({})).await;
        assert_eq!(
            (answer.status, &answer.body["state"], &answer.body["replays"]),
            (202, &word.into(), &1.into())
        );
        let held = world.store.held();
        let (published, message) = held.published.last().unwrap();
        assert_eq!((*published, &message.payload[..], &message.origin), (topic, &b"sealed"[..], &None));
        assert_eq!(message.tenant, tenant("salon"));
        assert_eq!(held.quarantine[index].state, state);
    }
}

#[tokio::test]
async fn what_was_dealt_with_is_not_sent_again_and_what_is_on_its_way_may_be() {
    let (world, receipts) = salon_with_entries().await;
    let path = format!("/v1/quarantine/{}/replay", receipts[0]);
    for _ in 0..2 {
        assert_eq!(post(&world, &world.keys.admin, &path, json!({})).await.status, 202);
    }
    world.store.held().quarantine[0].state = QuarantineState::Resolved;
    let answer = post(&world, &world.keys.admin, &path, json!({})).await;
    assert_eq!((answer.status, answer.problem()), (409, "conflict"));
    assert_eq!(world.store.held().published.len(), 2);
}

#[tokio::test]
async fn a_receipt_at_several_stages_needs_to_be_told_which() {
    let (world, receipts) = salon_with_entries().await;
    {
        let mut held = world.store.held();
        let mut second = held.quarantine[1].clone();
        second.stage = Stage::Analyse;
        held.quarantine.push(second);
    }
    let path = format!("/v1/quarantine/{}/replay", receipts[1]);
    let answer = post(&world, &world.keys.admin, &path, json!({})).await;
    assert_eq!((answer.status, &answer.body["errors"][0]["pointer"]), (400, &"?stage".into()));
    let chosen = post(&world, &world.keys.admin, &format!("{path}?stage=analyse"), json!({})).await;
    assert_eq!((chosen.status, &chosen.body["stage"]), (202, &"analyse".into()));
    assert_eq!(
        post(&world, &world.keys.admin, &format!("{path}?stage=normalize"), json!({})).await.status,
        404
    );
}

#[tokio::test]
async fn a_bus_that_is_down_leaves_the_entry_as_it_was() {
    let (world, receipts) = salon_with_entries().await;
    let path = format!("/v1/quarantine/{}/replay", receipts[0]);
    world.store.held().is_down = true;
    assert_eq!(post(&world, &world.keys.admin, &path, json!({})).await.status, 503);
    let held = world.store.held();
    assert_eq!((held.quarantine[0].state, held.quarantine[0].replays), (QuarantineState::Open, 0));
}

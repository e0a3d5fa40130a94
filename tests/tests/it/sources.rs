//! A source from being added to being heard, as a bot's developer goes about it.

use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};
use system_tests::api::{Hook, eventually};
use system_tests::{Shape, Stand};

use crate::telegram_message;

on_both_shapes! {
    a_source_added_over_the_api_is_waited_for_refused_and_heard
    the_command_line_lists_how_sources_are_doing_and_waits_for_the_first_event
}

/// The telling of refusals has a beat of ten seconds.
const PATIENCE: Duration = Duration::from_secs(40);

async fn shown(stand: &Stand, id: &str) -> Value {
    stand.api.get(&stand.keys.read, &format!("/v1/sources/{id}")).await.unwrap().body
}

async fn a_source_added_over_the_api_is_waited_for_refused_and_heard(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    let new = json!({"id": "salon-new-bot", "kind": "telegram", "name": "Новый бот"});
    let added = stand.api.post(&stand.keys.admin, "/v1/sources", &new).await.unwrap();
    assert_eq!(added.status, 201, "{}", added.body);
    assert_eq!(shown(&stand, "salon-new-bot").await["source"]["condition"], "waiting");

    let path = "/v1/hooks/salon-new-bot".to_owned();
    let wrong = Hook { path: path.clone(), secret: "wrong".to_owned() };
    let message = telegram_message(1, 70_001, "Здравствуйте");
    let refuse = || async {
        let answer = stand.api.telegram(&wrong, &message).await?;
        ensure!(answer.status == 401, "a gateway may hear of a new source a little later: {}", answer.status);
        Ok(())
    };
    eventually(PATIENCE, refuse).await.unwrap();
    eventually(PATIENCE, || async {
        let refused = shown(&stand, "salon-new-bot").await["source"]["last_refused"].clone();
        ensure!(refused["reason"] == "wrong_proof", "{refused}");
        Ok(())
    })
    .await
    .unwrap();

    let right = Hook { path, secret: added.body["secret"].as_str().unwrap().to_owned() };
    assert_eq!(stand.api.telegram(&right, &message).await.unwrap().status, 200);
    stand.settled().await.unwrap();
    let heard = shown(&stand, "salon-new-bot").await;
    assert_eq!(heard["source"]["condition"], "receiving", "{heard}");
    assert_eq!(heard["source"]["events_last_hour"], 1, "{heard}");
    assert_eq!(heard["last_event"]["user_text"], "Здравствуйте", "{heard}");
}

async fn the_command_line_lists_how_sources_are_doing_and_waits_for_the_first_event(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    let source = stand.keys.telegram.path.rsplit('/').next().unwrap().to_owned();
    let watch = ["source", "watch", source.as_str(), "--first", "--wait", "40s"];
    let send = async {
        let message = telegram_message(1, 70_002, "Здравствуйте");
        stand.api.telegram(&stand.keys.telegram, &message).await
    };
    let (watched, sent) = tokio::join!(stand.cli.json(&watch), send);
    assert_eq!(sent.unwrap().status, 200);
    let watched = watched.unwrap();
    assert_eq!(watched["understood"]["action"], "message", "{watched}");
    assert!(!watched.to_string().contains("Здравствуйте"), "texts are for the page: {watched}");
    let listed = stand.cli.json(&["source", "list", "--tenant", "salon"]).await.unwrap();
    let states: Vec<_> =
        listed.as_array().unwrap().iter().map(|row| (row["id"].as_str().unwrap(), &row["state"])).collect();
    assert!(states.contains(&(&*source, &json!("receiving"))), "{listed}");
    assert!(states.iter().any(|(_, state)| **state == "waiting"), "{listed}");
}

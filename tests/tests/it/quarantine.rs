//! What could not be understood.

use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};
use system_tests::api::eventually;
use system_tests::{Shape, Stand};

on_both_shapes! {
    an_entry_is_listed_with_its_reason_by_api_and_command_line_and_shows_nothing_personal
    only_a_person_who_asks_for_it_is_shown_the_body
    a_replayed_entry_that_still_cannot_be_read_comes_back_with_its_times_kept
    what_waits_for_one_cause_is_sent_through_together_and_comes_back_as_it_was
    a_body_is_opened_with_a_reason_and_who_did_it_stays_on_record
    what_was_dismissed_waits_no_more_counts_as_before_and_can_be_had_back
}

/// An update whose message has no chat: JSON, so the door takes it; no message of Telegram's.
fn unreadable() -> Value {
    json!({"update_id": 5, "message": {"message_id": 1, "date": 1_772_355_600, "text": "Номер +79990000077"}})
}

async fn stand_with_one_entry(shape: Shape) -> (Stand, Value) {
    let stand = Stand::new(shape).await.unwrap();
    let sent = stand.api.telegram(&stand.keys.telegram, &unreadable()).await.unwrap();
    assert_eq!(sent.status, 200);
    let books = stand.settled().await.unwrap();
    assert_eq!((&books["accepted"], &books["quarantined"]), (&json!(1), &json!(1)));
    let list = stand.api.get(&stand.keys.read, "/v1/quarantine").await.unwrap();
    let entry = list.body["entries"][0].clone();
    (stand, entry)
}

async fn an_entry_is_listed_with_its_reason_by_api_and_command_line_and_shows_nothing_personal(shape: Shape) {
    let (stand, entry) = stand_with_one_entry(shape).await;
    assert_eq!(
        (&entry["stage"], &entry["state"], &entry["replays"]),
        (&json!("normalize"), &json!("open"), &json!(0))
    );
    assert!(["unreadable", "invalid"].contains(&entry["class"].as_str().unwrap()), "{entry}");
    assert!(entry["pointer"].as_str().unwrap().starts_with("/message"), "{entry}");
    assert!(!entry.to_string().contains("9990000077"), "{entry}");

    let listed = stand.cli.json(&["quarantine", "list", "--tenant", "salon"]).await.unwrap();
    assert_eq!(listed[0]["receipt"], entry["receipt"]);
    assert_eq!(listed[0]["pointer"], entry["pointer"]);
    assert!(!listed.to_string().contains("9990000077"), "{listed}");
}

async fn only_a_person_who_asks_for_it_is_shown_the_body(shape: Shape) {
    let (stand, entry) = stand_with_one_entry(shape).await;
    let receipt = entry["receipt"].as_str().unwrap();
    let shown = stand.cli.run(&["quarantine", "show", "--tenant", "salon", receipt]).await.unwrap();
    assert!(shown.status.success() && !String::from_utf8_lossy(&shown.stdout).contains("9990000077"));
    let opened = stand
        .cli
        .run(&["quarantine", "show", "--tenant", "salon", "--body", "--reason", "a scenario", receipt])
        .await
        .unwrap();
    assert!(String::from_utf8_lossy(&opened.stdout).contains("+79990000077"));
}

async fn a_replayed_entry_that_still_cannot_be_read_comes_back_with_its_times_kept(shape: Shape) {
    let (stand, entry) = stand_with_one_entry(shape).await;
    let path = format!("/v1/quarantine/{}/replay?stage=normalize", entry["receipt"].as_str().unwrap());
    assert_eq!(stand.api.post(&stand.keys.read, &path, &json!({})).await.unwrap().status, 403);
    let replayed = stand.api.post(&stand.keys.admin, &path, &json!({})).await.unwrap();
    assert!((200..300).contains(&replayed.status), "{replayed:?}");
    let back = came_back(&stand, 1).await;
    for kept in ["receipt", "received_at", "class", "pointer"] {
        assert_eq!(back[kept], entry[kept], "{kept}");
    }
    let by_command = stand.cli.json(&["quarantine", "replay", "--tenant", "salon", "--open"]).await.unwrap();
    assert_eq!(by_command["replayed"], 1);
    came_back(&stand, 2).await;
    let books = stand.settled().await.unwrap();
    assert_eq!((&books["accepted"], &books["quarantined"]), (&json!(1), &json!(1)));
}

async fn came_back(stand: &Stand, replays: u64) -> Value {
    eventually(Duration::from_secs(20), || async {
        let list = stand.api.get(&stand.keys.read, "/v1/quarantine").await?;
        let entry = &list.body["entries"][0];
        ensure!(entry["state"] == "open" && entry["replays"] == replays, "not back: {entry}");
        Ok(entry.clone())
    })
    .await
    .unwrap()
}

/// All entries of the salon: receipt, when received, how often replayed, state.
async fn entries(stand: &Stand) -> Vec<Value> {
    let mut entries = stand.api.all(&stand.keys.read, "/v1/quarantine", "entries").await.unwrap();
    entries.sort_by_key(|entry| entry["receipt"].to_string());
    entries
}

async fn what_waits_for_one_cause_is_sent_through_together_and_comes_back_as_it_was(shape: Shape) {
    let (stand, first) = stand_with_one_entry(shape).await;
    for update in 6..=9 {
        let mut more = unreadable();
        more["update_id"] = json!(update);
        assert_eq!(stand.api.telegram(&stand.keys.telegram, &more).await.unwrap().status, 200);
    }
    let books = stand.settled().await.unwrap();
    let before = entries(&stand).await;
    let groups = stand.api.get(&stand.keys.read, "/v1/quarantine/groups").await.unwrap();
    let group = &groups.body["groups"][0];
    assert_eq!((groups.body["groups"].as_array().unwrap().len(), &group["open"]), (1, &json!(5)));
    assert_eq!((&group["pointer"], &group["class"]), (&first["pointer"], &first["class"]));

    let id = group["id"].as_str().unwrap();
    let path = format!("/v1/quarantine/groups/{id}/replay");
    let sent = stand.api.post(&stand.keys.admin, &path, &json!({})).await.unwrap();
    assert_eq!((sent.status, &sent.body["sent"], &sent.body["more"]), (202, &json!(5), &json!(false)));
    // The parser is what it was, so all of them come back: the same receipts, times and books.
    let came_back = |times: u64| {
        let stand = &stand;
        move || async move {
            let now = entries(stand).await;
            ensure!(now.iter().all(|entry| entry["replays"] == times && entry["state"] == "open"), "{now:?}");
            Ok(now)
        }
    };
    let now = eventually(Duration::from_secs(30), came_back(1)).await.unwrap();
    let whole = |entries: &[Value]| -> Vec<_> {
        entries.iter().map(|entry| (entry["receipt"].clone(), entry["received_at"].clone())).collect()
    };
    assert_eq!(whole(&now), whole(&before));
    assert_eq!(stand.settled().await.unwrap(), books);

    let listed = stand.cli.json(&["quarantine", "groups", "--tenant", "salon"]).await.unwrap();
    assert_eq!((&listed[0]["group"], &listed[0]["open"]), (&json!(id), &json!(5)));
    let replayed =
        stand.cli.json(&["quarantine", "replay", "--tenant", "salon", "--group", id]).await.unwrap();
    assert_eq!(replayed["replayed"], 5);
    eventually(Duration::from_secs(30), came_back(2)).await.unwrap();
}

async fn a_body_is_opened_with_a_reason_and_who_did_it_stays_on_record(shape: Shape) {
    let (stand, entry) = stand_with_one_entry(shape).await;
    let path = format!("/v1/quarantine/{}/open", entry["receipt"].as_str().unwrap());
    let why = json!({"reason": "жалоба клиента"});
    let opened = stand.api.post(&stand.keys.read, &path, &why).await.unwrap();
    assert_eq!(opened.status, 200, "{}", opened.body);
    assert!(opened.body["body"].as_str().unwrap().contains("+79990000077"));
    let audit = stand.api.get(&stand.keys.admin, "/v1/audit").await.unwrap();
    assert_eq!(audit.body["entries"][0]["reason"], "жалоба клиента");
    let listed = stand.cli.json(&["audit", "--tenant", "salon"]).await.unwrap();
    assert_eq!((&listed[0]["receipt"], &listed[0]["who"]), (&entry["receipt"], &json!("key")));
}

async fn what_was_dismissed_waits_no_more_counts_as_before_and_can_be_had_back(shape: Shape) {
    let (stand, entry) = stand_with_one_entry(shape).await;
    let books = stand.settled().await.unwrap();
    let groups = || async { stand.api.get(&stand.keys.read, "/v1/quarantine/groups").await.unwrap().body };
    let waiting = groups().await;
    let id = waiting["groups"][0]["id"].as_str().unwrap().to_owned();
    let [dismiss, take_back] =
        ["dismiss", "take-back"].map(|deed| format!("/v1/quarantine/groups/{id}/{deed}"));
    let why = json!({"reason": "сообщения проверки"});
    assert_eq!(stand.api.post(&stand.keys.read, &dismiss, &why).await.unwrap().status, 403);
    let answer = stand.api.post(&stand.keys.admin, &dismiss, &why).await.unwrap();
    assert_eq!((answer.status, &answer.body["moved"]), (200, &json!(1)), "{}", answer.body);
    assert_eq!(stand.api.post(&stand.keys.admin, &dismiss, &why).await.unwrap().status, 404, "none waits");

    let dismissed = groups().await;
    assert_eq!(dismissed["groups"], json!([]));
    assert_eq!(
        (&dismissed["dismissed"][0]["id"], &dismissed["dismissed"][0]["dismissed"]),
        (&json!(id), &json!(1))
    );
    assert_eq!(stand.settled().await.unwrap(), books);
    // What comes again for the same cause waits for somebody, whatever was dismissed before.
    let mut again = unreadable();
    again["update_id"] = json!(6);
    assert_eq!(stand.api.telegram(&stand.keys.telegram, &again).await.unwrap().status, 200);
    assert_eq!(stand.settled().await.unwrap()["quarantined"], 2);
    let list = ["quarantine", "groups", "--tenant", "salon"];
    assert_eq!(stand.cli.json(&list).await.unwrap()[0]["open"], 1);
    // All that waits is sent through, and what was dismissed is not.
    let replayed = stand.cli.json(&["quarantine", "replay", "--tenant", "salon", "--open"]).await.unwrap();
    assert_eq!(replayed["replayed"], 1);

    let back = stand.api.post(&stand.keys.admin, &take_back, &json!({})).await.unwrap();
    assert_eq!((back.status, &back.body["moved"]), (200, &json!(1)), "{}", back.body);
    eventually(Duration::from_secs(30), || async {
        let group = groups().await;
        ensure!(group["groups"][0]["open"] == 2 && group["dismissed"] == json!([]), "{group}");
        Ok(())
    })
    .await
    .unwrap();
    let entries = entries(&stand).await;
    assert!(
        entries.iter().any(|now| now["receipt"] == entry["receipt"] && now["replays"] == 0),
        "{entries:?}"
    );

    let audit = stand.api.get(&stand.keys.admin, "/v1/audit").await.unwrap().body;
    let deeds: Vec<_> =
        audit["entries"].as_array().unwrap().iter().rev().map(|entry| &entry["deed"]).collect();
    assert_eq!(deeds, [&json!("dismissed"), &json!("took_back")]);
    let by_command = ["quarantine", "dismiss", "--tenant", "salon", &id, "--reason", "проверка"];
    assert_eq!(stand.cli.json(&by_command).await.unwrap()["dismissed"], 2);
    let by_command = ["quarantine", "take-back", "--tenant", "salon", &id];
    assert_eq!(stand.cli.json(&by_command).await.unwrap()["taken_back"], 2);
}

//! A bot behind a source: what it is passed, what it answers, and what is kept of both.

use std::time::Duration;

use anyhow::ensure;
use serde_json::{Value, json};
use system_tests::api::{Answer, Hook, eventually};
use system_tests::bot::Bot;
use system_tests::{Shape, Stand};

use crate::telegram_message;

on_both_shapes! {
    what_a_bot_answers_is_passed_back_and_recorded_once_also_over_a_crash
    a_bot_that_is_away_is_told_once_and_loses_nothing_and_its_address_is_told_to_nobody
}

const CHAT: i64 = 5_551_112_233;
/// What the tests wait for at most: a change of a source reaches a running gateway within two seconds.
const PATIENCE: Duration = Duration::from_secs(20);

fn says(text: &str) -> Value {
    json!({"method": "sendMessage", "chat_id": CHAT, "text": text})
}

/// A source with this bot behind it, that the gateways have heard of.
async fn source_of(stand: &Stand, bot: &Bot) -> Hook {
    let url = bot.url();
    let words = ["source", "add", "front", "--tenant", "salon", "--kind", "telegram", "--forward-to", &url];
    let added = stand.cli.json(&words).await.unwrap();
    let shown = added.to_string();
    assert!(
        shown.contains("http://127.0.0.1:") && !shown.contains("AAF") && !shown.contains("s3cret"),
        "{shown}"
    );
    let secret = added["secret"].as_str().unwrap().to_owned();
    let hook = Hook { path: "/v1/hooks/front".to_owned(), secret };
    let wrong = Hook { secret: "wrong".to_owned(), ..hook.clone() };
    until(stand, &wrong, 0, |answer| answer.status == 401).await;
    hook
}

/// Delivers an update until it is answered like this.
async fn until(stand: &Stand, hook: &Hook, number: i64, is_it: impl Fn(&Answer) -> bool) -> Answer {
    let attempt = || async {
        let answer = deliver(stand, hook, number).await;
        ensure!(is_it(&answer), "{answer:?}");
        Ok(answer)
    };
    eventually(PATIENCE, attempt).await.unwrap()
}

async fn deliver(stand: &Stand, hook: &Hook, number: i64) -> Answer {
    stand.api.telegram(hook, &telegram_message(number, CHAT, "Есть время завтра?")).await.unwrap()
}

async fn what_a_bot_answers_is_passed_back_and_recorded_once_also_over_a_crash(shape: Shape) {
    let mut stand = Stand::new(shape).await.unwrap();
    let bot = Bot::saying(&says("Да, в 12:00"), Duration::from_millis(30)).await.unwrap();
    let hook = source_of(&stand, &bot).await;
    let answer = deliver(&stand, &hook, 1).await;
    assert_eq!((answer.status, &answer.body), (200, &says("Да, в 12:00")));
    assert_eq!(bot.heard(), [telegram_message(1, CHAT, "Есть время завтра?").to_string()]);

    // Telegram did not hear us, and delivers again: to another process, too.
    bot.now_says(200, &says("Нет"));
    stand.letopis.kill().await.unwrap();
    stand.restart().await.unwrap();
    for _again in 0..3 {
        let again = until(&stand, &hook, 1, |answer| answer.status != 404 && answer.status != 503).await;
        assert_eq!((again.status, again.body), (200, says("Да, в 12:00")));
    }
    assert_eq!(bot.heard().len(), 1, "it was not asked again");

    let books = stand.settled().await.unwrap();
    assert_eq!((&books["stored"], &books["quarantined"]), (&json!(2), &json!(0)), "{books}");
    let session = stand.api.session(&stand.keys.read, &CHAT.to_string()).await.unwrap().unwrap();
    let events = session["events"].as_array().unwrap();
    let of = |actor: &str| events.iter().find(|event| event["actor"] == actor).unwrap();
    assert_eq!(of("client")["user_text"], "Есть время завтра?");
    assert_eq!(of("assistant")["assistant_response"], "Да, в 12:00");
    assert!(of("assistant")["response_time_ms"].as_u64().unwrap() >= 30, "{events:?}");

    stand.cli.json(&["source", "forward", "front", "--off"]).await.unwrap();
    let number = std::sync::atomic::AtomicI64::new(100);
    let unanswered = || async {
        let next = number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let answer = deliver(&stand, &hook, next).await;
        ensure!(answer.body == json!({}), "{answer:?}");
        Ok(())
    };
    eventually(PATIENCE, unanswered).await.unwrap();
}

async fn a_bot_that_is_away_is_told_once_and_loses_nothing_and_its_address_is_told_to_nobody(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    let bot = Bot::saying(&json!({}), Duration::ZERO).await.unwrap();
    let hook = source_of(&stand, &bot).await;
    let listed = stand.cli.json(&["source", "list"]).await.unwrap().to_string();
    assert!(listed.contains("http://127.0.0.1:") && !listed.contains("AAF"), "{listed}");

    bot.now_says(500, &json!({"ok": false}));
    assert_eq!(deliver(&stand, &hook, 1).await.status, 500);
    drop(bot);
    for number in 2..=5 {
        let answer = deliver(&stand, &hook, number).await;
        assert_eq!((answer.status, &answer.body["type"]), (502, &json!("/problems/bot-unavailable")));
    }
    let back = Bot::saying(&says("Я тут"), Duration::ZERO).await.unwrap();
    stand.cli.json(&["source", "forward", "front", "--to", &back.url()]).await.unwrap();
    until(&stand, &hook, 5, |answer| answer.status == 200).await;

    let books = stand.settled().await.unwrap();
    // Five updates and one answer, however often each came.
    assert_eq!((&books["stored"], &books["quarantined"]), (&json!(6), &json!(0)), "{books}");
    let printed = String::from_utf8(stand.letopis.printed().unwrap()).unwrap();
    let told = |what: &str| printed.lines().filter(|line| line.contains(what)).count();
    assert_eq!(told("the bot behind a source does not answer"), 1, "{printed}");
    assert_eq!(told("the bot behind a source answers again"), 1, "{printed}");
    for secret in ["AAF-t0ken", "s3cret", "Я тут", "Есть время"] {
        assert!(!printed.contains(secret), "{secret}");
    }
    let metrics = stand.api.metrics().await.unwrap();
    let refused = "letopis_ingest_forwarded_total{outcome=\"refused\",source=\"front\"} 1";
    assert!(
        metrics.contains(refused) && metrics.contains("outcome=\"unreachable\",source=\"front\""),
        "{metrics}"
    );
}

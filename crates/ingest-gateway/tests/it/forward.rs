//! Deliveries that are passed on to the bot behind a source, and answers that are passed back.

use std::num::NonZeroUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix_web::test::TestRequest;
use channels::parse;
use domain::registry::SourceKind;
use domain::timestamp::Timestamp;
use ingest_gateway::{Config, Forward};
use serde_json::{Value, json};

use crate::bot::{Bot, Manner};
use crate::fakes::Mood;
use crate::salon::{Answer, Salon, TELEGRAM_SECRET, small};

fn update(number: i64) -> String {
    let chat = json!({"id": 100, "type": "private"});
    let message = json!({"message_id": 1, "date": 1_767_268_800, "chat": chat, "text": "Можно записаться?"});
    // Written as nobody else would, to see that it is passed on as it came.
    format!("{{ \"update_id\" :{number},\n \"message\": {message} }}")
}

fn call() -> Value {
    json!({"method": "sendMessage", "chat_id": 100, "text": "Да, в 12:00"})
}

fn impatient() -> Config {
    let forward = Forward {
        timeout: Duration::from_millis(400),
        at_once: NonZeroUsize::new(1).unwrap(),
        max_answer_bytes: NonZeroUsize::new(64 * 1024).unwrap(),
        ..Forward::default()
    };
    Config { forward, ..small() }
}

/// A salon whose Telegram source has this bot behind it.
fn salon_of(bot: &Bot) -> Salon {
    let salon = Salon::with(impatient());
    salon.passes_on_to(&bot.url);
    salon
}

async fn deliver(salon: &Salon, number: i64) -> Answer {
    let request = TestRequest::post().uri("/v1/hooks/tg").set_payload(update(number));
    let request = request.insert_header(("content-type", "application/json"));
    salon.send(request.insert_header(("x-telegram-bot-api-secret-token", TELEGRAM_SECRET))).await
}

/// What the deliveries taken so far mean.
fn meanings(salon: &Salon) -> Vec<(String, Option<String>)> {
    let deliveries = salon.deliveries().into_iter();
    let observations = deliveries.flat_map(|(delivery, body)| {
        assert_eq!(delivery.kind, SourceKind::Telegram);
        parse(SourceKind::Telegram, body.as_bytes(), Timestamp::EPOCH).unwrap()
    });
    observations.map(|seen| (seen.native_id, seen.texts.user.or(seen.texts.assistant))).collect()
}

fn said(id: &str, text: &str) -> (String, Option<String>) {
    (id.to_owned(), Some(text.to_owned()))
}

#[tokio::test]
async fn the_bot_gets_the_very_bytes_and_its_proof_and_its_answer_goes_back_as_it_is() {
    let bot = Bot::that(Manner::says_json(&call())).await;
    let salon = salon_of(&bot);
    let answer = deliver(&salon, 7).await;
    assert_eq!((answer.status, &answer.body), (200, &call()));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!((answer.header("set-cookie"), answer.header("location")), (None, None));

    let heard = bot.heard();
    let (head, body) = heard[0].split_once("\r\n\r\n").unwrap();
    assert_eq!((heard.len(), body), (1, update(7).as_str()));
    let head = head.to_lowercase();
    assert!(head.starts_with("post /hook/7001:aaf?k=1 http/1.1"), "{head}");
    assert!(head.contains(&format!("x-telegram-bot-api-secret-token: {TELEGRAM_SECRET}")), "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
    assert!(head.contains("authorization: basic ym90onbhntu="), "{head}");
    assert_eq!(
        meanings(&salon),
        [said("update:7", "Можно записаться?"), said("update:7:answer", "Да, в 12:00")]
    );
}

#[tokio::test]
async fn a_delivery_that_comes_again_is_answered_as_before_and_the_bot_is_not_asked_again() {
    let bot = Bot::that(Manner::says_json(&call())).await;
    let salon = salon_of(&bot);
    deliver(&salon, 7).await;
    bot.now(Manner::says_json(&json!({"method": "sendMessage", "chat_id": 100, "text": "Нет"})));
    let again = deliver(&salon, 7).await;
    assert_eq!((again.status, again.body), (200, call()));
    assert_eq!(bot.heard().len(), 1);
    // Taken twice, and the same twice: the ledger keeps one.
    let deliveries = salon.deliveries();
    assert_eq!(deliveries[0].1, deliveries[2].1);
    assert_eq!(deliveries[1].1, deliveries[3].1);
    assert_ne!(deliver(&salon, 8).await.body, call(), "another update is asked anew");
    assert!(salon.metrics().contains("letopis_ingest_forwarded_total{outcome=\"repeated\",source=\"tg\"} 1"));
}

#[tokio::test]
async fn an_answer_that_says_nothing_is_passed_back_and_is_no_event() {
    for (status, content_type, body) in [
        ("200 OK", "application/json", "{}"),
        ("200 OK", "text/plain", "ok"),
        ("204 No Content", "text/plain", ""),
    ] {
        let bot = Bot::that(Manner::says(status, content_type, body)).await;
        let salon = salon_of(&bot);
        let answer = deliver(&salon, 7).await;
        assert_eq!(answer.status.to_string(), status[..3]);
        assert_eq!(meanings(&salon).len(), 1, "{body}");
        assert!(salon.metrics().contains("{outcome=\"silent\",source=\"tg\"} 1"), "{}", salon.metrics());
    }
}

#[tokio::test]
async fn a_bot_that_refuses_is_believed_and_asked_again() {
    let bot =
        Bot::that(Manner::says("500 Internal Server Error", "application/json", &call().to_string())).await;
    let salon = salon_of(&bot);
    assert_eq!(deliver(&salon, 7).await.status, 500);
    bot.now(Manner::says("302 Found", "text/plain", "elsewhere"));
    assert_eq!(deliver(&salon, 7).await.status, 302, "where the operator did not say, nothing is sent");
    assert!(meanings(&salon).iter().all(|(id, _)| id == "update:7"), "nobody was told anything");
    bot.now(Manner::says_json(&call()));
    assert_eq!(deliver(&salon, 7).await.body, call());
    assert_eq!(bot.heard().len(), 3);
}

#[tokio::test]
async fn a_bot_that_is_away_or_slow_costs_no_delivery_and_its_address_is_told_to_nobody() {
    let bot = Bot::that(Manner::HangsUp).await;
    let salon = salon_of(&bot);
    for (manner, outcome) in [(Manner::HangsUp, "unreachable"), (Manner::Thinks, "late")] {
        bot.now(manner);
        let answer = deliver(&salon, 7).await;
        assert_eq!((answer.status, answer.slug()), (502, "bot-unavailable"));
        let told = answer.body.to_string();
        assert!(!told.contains("127.0.0.1") && !told.contains("7001") && !told.contains("pa55"), "{told}");
        assert!(salon.metrics().contains(&format!("{{outcome=\"{outcome}\",source=\"tg\"}} 1")));
    }
    assert_eq!(
        meanings(&salon),
        [said("update:7", "Можно записаться?"), said("update:7", "Можно записаться?")]
    );
}

#[tokio::test]
async fn a_bot_is_passed_only_so_much_at_once_and_another_one_none_the_less() {
    let bot = Bot::that(Manner::Thinks).await;
    let salon = salon_of(&bot);
    let (first, second) = tokio::join!(deliver(&salon, 7), deliver(&salon, 8));
    let details = [&first, &second].map(|answer| answer.body["detail"].as_str().unwrap().to_owned());
    assert_eq!([first.status, second.status], [502, 502]);
    assert!(details.iter().any(|detail| detail.contains("at once")), "{details:?}");
    assert_eq!(bot.heard().len(), 1);
    bot.now(Manner::says_json(&call()));
    assert_eq!(deliver(&salon, 8).await.body, call());
}

#[tokio::test]
async fn an_answer_larger_than_is_held_passes_through_whole() {
    let bot = Bot::that(Manner::GoesOn).await;
    let salon = salon_of(&bot);
    let answer = deliver(&salon, 7).await;
    assert_eq!((answer.status, answer.bytes), (200, 3_000_000));
    assert!(salon.metrics().contains("{outcome=\"large\",source=\"tg\"} 1"));
    bot.now(Manner::says_json(&call()));
    assert_eq!(deliver(&salon, 8).await.body, call(), "its place is free again");
}

#[tokio::test]
async fn what_cannot_be_made_durable_is_passed_neither_on_nor_back() {
    let bot = Bot::that(Manner::says_json(&call())).await;
    let salon = salon_of(&bot);
    *salon.bus.mood.lock().unwrap() = Mood::Down;
    assert_eq!(deliver(&salon, 7).await.status, 503);
    assert!(bot.heard().is_empty(), "not passed on");

    *salon.bus.mood.lock().unwrap() = Mood::Well;
    salon.idempotency.is_down.store(true, Ordering::Relaxed);
    let answer = deliver(&salon, 7).await;
    assert_eq!((answer.status, answer.slug()), (503, "bus-unavailable"));
    assert!(bot.heard().is_empty(), "it may have been answered before");

    salon.idempotency.is_down.store(false, Ordering::Relaxed);
    salon.idempotency.cannot_finish.store(true, Ordering::Relaxed);
    let answer = deliver(&salon, 7).await;
    assert_eq!((answer.status, answer.slug()), (503, "bus-unavailable"), "not kept, not passed back");
    assert_eq!(bot.heard().len(), 1);

    salon.idempotency.cannot_finish.store(false, Ordering::Relaxed);
    *salon.bus.left.lock().unwrap() = Some(1);
    let answer = deliver(&salon, 7).await;
    assert_eq!((answer.status, answer.slug()), (503, "bus-unavailable"), "not recorded, not passed back");
    *salon.bus.left.lock().unwrap() = None;
    // The answer was kept: the bot is not asked again for what it has said.
    assert_eq!(deliver(&salon, 7).await.body, call());
    assert_eq!(bot.heard().len(), 2);
    assert_eq!(meanings(&salon).last(), Some(&said("update:7:answer", "Да, в 12:00")));
}

#[tokio::test]
async fn without_the_right_proof_nothing_is_passed_on() {
    let bot = Bot::that(Manner::says_json(&call())).await;
    let salon = salon_of(&bot);
    let request = TestRequest::post().uri("/v1/hooks/tg").set_payload(update(7));
    let request = request.insert_header(("x-telegram-bot-api-secret-token", "guessed"));
    assert_eq!(salon.send(request).await.status, 401);
    assert!(bot.heard().is_empty() && salon.messages().is_empty());
}

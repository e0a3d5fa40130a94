//! The figures, and how sure they are.

use domain::channel::Channel;

use crate::ask::{about, get, happened, world};
use crate::world::{World, tenant};

async fn salon_with_figures() -> World {
    let world = world().await;
    let salon = tenant("salon");
    let tell = |observation| world.tell(&salon, "telegram-bot", observation);
    for (n, last) in ["attend", "attend", "no_show", "cancel"].into_iter().enumerate() {
        let (session, appointment) = (format!("t-{n}"), format!("a-{n}"));
        tell(about(happened(0, Channel::Telegram, &session, "book"), &appointment));
        tell(about(happened(90, Channel::Telegram, &session, last), &appointment));
    }
    tell(happened(5, Channel::Max, "m-1", "create_lead"));
    tell(happened(6, Channel::Max, "m-2", "fallback"));
    world
}

#[tokio::test]
async fn the_overview_counts_by_channel_and_in_total() {
    let world = salon_with_figures().await;
    insta::assert_json_snapshot!(get(&world, "/v1/overview").await.body);
}

#[tokio::test]
async fn a_share_out_of_nothing_has_no_value() {
    let world = world().await;
    let body = get(&world, "/v1/overview").await.body;
    insta::assert_json_snapshot!(body["total"]["no_show"], @r#"
    {
      "high": null,
      "low": null,
      "n": 0,
      "value": null,
      "x": 0
    }
    "#);
}

#[tokio::test]
async fn the_period_is_thirty_days_until_now_unless_said_otherwise() {
    let world = salon_with_figures().await;
    let body = get(&world, "/v1/overview").await.body;
    assert_eq!(
        (&body["from"], &body["until"]),
        (&"2026-02-13T12:00:00Z".into(), &"2026-03-15T12:00:00Z".into())
    );
    let before = "/v1/overview?from=2026-02-01T00:00:00%2B03:00&until=2026-03-01T00:00:00%2B03:00";
    assert_eq!(get(&world, before).await.body["total"]["sessions"]["total"], 0);
}

#[tokio::test]
async fn a_period_that_is_none_is_refused_by_name() {
    let world = world().await;
    for (query, pointer) in [
        ("from=yesterday", "?from"),
        ("until=2026-03-01", "?until"),
        ("from=2026-03-02T00:00:00Z&until=2026-03-01T00:00:00Z", "?until"),
        ("from=2026-04-02T00:00:00Z", "?until"),
    ] {
        let answer = get(&world, &format!("/v1/overview?{query}")).await;
        assert_eq!((answer.status, answer.problem()), (400, "invalid-parameter"), "{query}");
        assert_eq!(answer.body["errors"][0]["pointer"], pointer, "{query}");
    }
}

#[tokio::test]
async fn a_store_that_is_down_is_answered_with_later() {
    let world = salon_with_figures().await;
    world.store.held().is_down = true;
    for path in ["/v1/overview", "/v1/sessions", "/v1/sessions/t-1", "/v1/quarantine", "/v1/reconcile"] {
        let answer = get(&world, path).await;
        assert_eq!(answer.status, 503, "{path}");
        assert_eq!(answer.header("retry-after"), "2", "{path}");
        assert!(!answer.body.to_string().contains("unplugged"), "the cause stays in the log");
    }
}

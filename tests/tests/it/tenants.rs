//! What a business is said to be.

use std::time::Duration;

use anyhow::ensure;
use serde_json::json;
use system_tests::api::eventually;
use system_tests::{Shape, Stand};

on_both_shapes! {
    a_business_is_a_clinic_for_everybody_once_somebody_said_so
}

async fn a_business_is_a_clinic_for_everybody_once_somebody_said_so(shape: Shape) {
    let stand = Stand::new(shape).await.unwrap();
    let shown = async || stand.api.get(&stand.keys.read, "/v1/tenant").await.unwrap().body;
    assert_eq!(shown().await["trade"], "ordinary");

    stand.cli.succeed(&["tenant", "trade", "salon", "clinic"]).await.unwrap();
    let told = eventually(Duration::from_secs(30), || async {
        let tenant = shown().await;
        ensure!(tenant["trade"] == "clinic", "{tenant}");
        Ok(())
    });
    told.await.unwrap();

    let ordinary = json!({"trade": "ordinary"});
    let set = stand.api.post(&stand.keys.admin, "/v1/tenant/trade", &ordinary).await.unwrap();
    assert_eq!((set.status, &set.body["trade"]), (200, &json!("ordinary")));
    let listed = stand.cli.json(&["tenant", "list"]).await.unwrap();
    assert_eq!(listed[0]["trade"], "ordinary", "{listed}");
}

//! Short versions of the trials of a cluster; `scripts/faults` has all of them, at length.
//!
//! On engines of their own, because these are killed.

use std::path::PathBuf;
use std::time::Duration;

use system_tests::trials::{Effort, Report, Setting, kill_matrix, outage, queues, rolling, scene};

const EFFORT: Effort = Effort { connections: 16, sessions: 200, rate: None, lasting: Duration::from_secs(4) };

fn setting() -> Setting {
    let keep = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("trials");
    Setting { keep: Some(keep), ..Setting::default() }
}

fn assert_kept(report: anyhow::Result<Report>) {
    let report = report.unwrap();
    assert!(report.is_kept(), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_may_be_killed_alone_and_in_pairs_and_no_acknowledged_event_is_lost() {
    let plan = kill_matrix::Plan::short(6_000, 7);
    let run = async |scene: &mut _| kill_matrix::run(scene, &plan, EFFORT).await;
    assert_kept(scene::on(&setting(), "kill-matrix", run).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_down_stops_neither_arrival_nor_the_other_store() {
    let effort = Effort { rate: Some(200), ..EFFORT };
    assert_kept(scene::on(&setting(), "outage", async |scene| outage::run(scene, effort).await).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_process_may_be_restarted_in_turn_under_load_and_nobody_notices() {
    let effort = Effort { rate: Some(300), ..EFFORT };
    assert_kept(scene::on(&setting(), "rolling", async |scene| rolling::run(scene, effort).await).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn brokers_and_gateways_may_be_killed_and_each_event_of_a_queue_is_stored_once() {
    let plan = queues::Plan { events: 2_000, sessions: 200, kills: 1, seed: 7 };
    assert_kept(queues::run(&setting(), plan).await);
}

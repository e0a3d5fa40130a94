//! What each fixture means: reviewed once, and kept as snapshots.

use channels::parse;
use domain::registry::SourceKind;
use domain::timestamp::Timestamp;
use event_schema::public;
use serde_json::json;

use crate::fixtures;

/// Later than anything in the fixtures, and easy to tell from it.
pub(crate) fn received_at() -> Timestamp {
    Timestamp::parse("2027-01-01T00:00:00Z").unwrap()
}

#[test]
fn every_fixture_means_what_its_snapshot_says() {
    for fixture in fixtures::all() {
        // Tried when an address is registered: answered at the door, and never read.
        if (fixture.kind, fixture.name.as_str()) == (SourceKind::Wazzup, "test-ping") {
            continue;
        }
        let observations = parse(fixture.kind, &fixture.body, received_at()).unwrap();
        let meanings: Vec<_> = observations
            .iter()
            .map(|observation| json!({ "native_id": observation.native_id, "event": public::print(observation) }))
            .collect();
        insta::assert_json_snapshot!(format!("{}--{}", fixture.kind, fixture.name), meanings);
    }
}

#[test]
fn every_observation_keeps_the_rules_of_the_public_event() {
    for fixture in fixtures::all() {
        for observation in parse(fixture.kind, &fixture.body, received_at()).unwrap() {
            let printed = public::print(&observation);
            assert_eq!(public::print(&public::parse(printed.clone()).unwrap()), printed, "{}", fixture.name);
        }
    }
}

#[test]
fn no_two_things_that_happened_have_one_number() {
    for fixture in fixtures::all() {
        let observations = parse(fixture.kind, &fixture.body, received_at()).unwrap();
        let mut ids: Vec<_> = observations.iter().map(|observation| &observation.native_id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), observations.len(), "{} {}", fixture.kind, fixture.name);
        assert!(ids.iter().all(|id| !id.is_empty()), "{} {}", fixture.kind, fixture.name);
    }
}

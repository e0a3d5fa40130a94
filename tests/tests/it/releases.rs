//! Data of earlier releases.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::Value;
use system_tests::{House, Options, Shape};

/// Data folders of earlier releases, with what those answered; none is ever changed. Files are migrated each by itself:
/// the first folder has every file in its first schema, and one is added, made by the release before, when a file that
/// was migrated once is migrated again.
const RELEASES: [&str; 1] = ["one-box-1"];

#[tokio::test]
async fn data_of_every_earlier_schema_is_read_as_it_was_by_its_own_release() {
    for release in RELEASES {
        let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(release);
        // What was received when the fixture was made must not be past its time when this runs.
        let forever = Options::of(Shape::OneBox)
            .with("LETOPIS__RETENTION__EVENTS", "36500days")
            .with("LETOPIS__RETENTION__ROLLUPS", "36500days");
        let house = House::new(forever).await.unwrap();
        lay_out(&fixture, &house.folder.path().join("data"));
        let stand = house.open().await.unwrap();
        let told: Value = serde_json::from_slice(&fs::read(fixture.join("answers.json")).unwrap()).unwrap();
        let key = told["read_key"].as_str().unwrap();
        for (path, expected) in told["answers"].as_object().unwrap() {
            let answer = stand.api.get(key, path).await.unwrap();
            assert_eq!((answer.status, &answer.body), (200, expected), "{release} {path}");
        }
    }
}

/// Puts a release's data in the place of what is there.
fn lay_out(fixture: &Path, data: &Path) {
    fs::remove_dir_all(data).unwrap();
    fs::create_dir(data).unwrap();
    fs::copy(fixture.join("master.key"), data.join("master.key")).unwrap();
    for name in ["bus.db", "ledger.db", "analytics.db"] {
        let packed = fs::File::open(fixture.join(format!("{name}.gz"))).unwrap();
        let mut whole = Vec::new();
        GzDecoder::new(packed).read_to_end(&mut whole).unwrap();
        fs::write(data.join(name), whole).unwrap();
    }
}

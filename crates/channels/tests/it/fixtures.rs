//! The fixtures.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// Telegram's updates, by the names of their files.
pub(crate) fn updates() -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(folder().join("telegram")).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    let updates: BTreeMap<_, _> = paths
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read(path).unwrap()))
        .collect();
    assert!(updates.len() > 30, "fixtures are gone");
    updates
}

#[test]
fn every_fixture_has_its_source_written_down() {
    let provenance = fs::read_to_string(folder().join("PROVENANCE.tsv")).unwrap();
    let listed: Vec<_> = provenance
        .lines()
        .skip(1)
        .filter_map(|line| line.split('\t').next()?.strip_prefix("telegram/"))
        .collect();
    let names: Vec<_> = updates().into_keys().map(|name| format!("{name}.json")).collect();
    for name in &names {
        assert!(listed.contains(&name.as_str()), "{name}");
    }
    assert_eq!(listed.len(), names.len());
}

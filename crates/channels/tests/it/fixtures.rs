//! The fixtures.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use domain::registry::SourceKind;

/// A body as a messenger sends it.
#[derive(Clone, Debug)]
pub(crate) struct Fixture {
    pub(crate) kind: SourceKind,
    /// The file's name without its end.
    pub(crate) name: String,
    pub(crate) body: Vec<u8>,
}

pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// All of them, each in the folder of its kind.
pub(crate) fn all() -> Vec<Fixture> {
    let mut found: Vec<Fixture> = SourceKind::ALL.into_iter().flat_map(of_kind).collect();
    found.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    assert!(found.len() > 100, "fixtures are gone");
    found
}

fn of_kind(kind: SourceKind) -> Vec<Fixture> {
    let folder = folder().join(kind.as_str());
    // Our own event has none here: its examples stand in its document.
    let Ok(files) = fs::read_dir(folder) else { return Vec::new() };
    let read = |path: &Path| Fixture {
        kind,
        name: path.file_stem().unwrap().to_str().unwrap().to_owned(),
        body: fs::read(path).unwrap(),
    };
    files.map(|file| read(&file.unwrap().path())).collect()
}

/// Forms as Bitrix24 sends them, which a mapping reads: name and body.
pub(crate) fn of_bitrix24() -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(folder().join("bitrix24")).unwrap().map(|file| file.unwrap().path());
    let read =
        |path: PathBuf| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap());
    let mut found: Vec<_> = files.map(read).collect();
    found.sort();
    found
}

/// One of them.
pub(crate) fn one(kind: SourceKind, name: &str) -> Vec<u8> {
    fs::read(folder().join(kind.as_str()).join(name).with_extension("json")).unwrap()
}

#[test]
fn every_fixture_has_its_source_written_down() {
    let provenance = fs::read_to_string(folder().join("PROVENANCE.tsv")).unwrap();
    let files = provenance.lines().skip(1).filter_map(|line| line.split('\t').next());
    let listed: BTreeSet<_> = files.filter(|file| file.contains('/')).map(str::to_owned).collect();
    let forms = of_bitrix24().into_iter().map(|(name, _)| format!("bitrix24/{name}"));
    let names: BTreeSet<_> = all()
        .into_iter()
        .map(|fixture| format!("{}/{}.json", fixture.kind, fixture.name))
        .chain(forms)
        .chain(["otlp-protobuf/export.binpb".to_owned()])
        .collect();
    let aside: Vec<_> = listed.symmetric_difference(&names).collect();
    assert!(aside.is_empty(), "listed and not there, or there and not listed: {aside:?}");
}

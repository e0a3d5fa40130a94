//! `cargo xtask schemas`: the Rust types of the protobuf messages, generated and committed, so that an ordinary build
//! needs neither protoc nor a build script.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

const PROTOS: [&str; 4] = [
    "letopis/event/v1/event.proto",
    "letopis/event/v1/raw.proto",
    "letopis/event/v1/quarantine.proto",
    "letopis/event/v1/pack.proto",
];
const GENERATED: &str = "letopis.event.v1.rs";

/// Writes the generated file, or with `check` fails when the committed one differs.
pub(crate) fn run(root: &Path, check: bool) -> anyhow::Result<()> {
    let fresh = generate(&root.join("proto-schemas"))?;
    let target: PathBuf = root.join("crates/event-schema/src/wire").join(GENERATED);
    if !check {
        return fs::write(&target, fresh).with_context(|| format!("cannot write {}", target.display()));
    }
    if fs::read_to_string(&target).unwrap_or_default() != fresh {
        bail!("{} is not what proto-schemas/ says: run `cargo xtask schemas`", target.display());
    }
    Ok(())
}

fn generate(schemas: &Path) -> anyhow::Result<String> {
    let descriptors = protox::compile(PROTOS, [schemas]).context("proto-schemas/ does not compile")?;
    let out = tempfile::tempdir()?;
    prost_build::Config::new()
        .bytes(["."])
        .out_dir(out.path())
        .compile_fds(descriptors)
        .context("cannot generate Rust from proto-schemas/")?;
    Ok(fs::read_to_string(out.path().join(GENERATED))?)
}

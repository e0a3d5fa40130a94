//! `cargo xtask schemas`: the Rust types of the protobuf messages, generated and committed, so that an ordinary build
//! needs neither protoc nor a build script.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail};

/// Messages of one package, and where their types go.
struct Schema {
    folder: &'static str,
    protos: &'static [&'static str],
    /// The file's name is the package's.
    generated: &'static str,
    target: &'static str,
    /// Whether `bytes` share the memory of the message they were read from.
    is_shared: bool,
}

const SCHEMAS: [Schema; 2] = [
    Schema {
        folder: "proto-schemas",
        protos: &[
            "letopis/event/v1/event.proto",
            "letopis/event/v1/raw.proto",
            "letopis/event/v1/quarantine.proto",
            "letopis/event/v1/pack.proto",
        ],
        generated: "letopis.event.v1.rs",
        target: "crates/event-schema/src/wire",
        is_shared: true,
    },
    // OpenTelemetry's: not ours to lint, and never to break.
    Schema {
        folder: "crates/channels/proto",
        protos: &["otlp.proto"],
        generated: "otlp.rs",
        target: "crates/channels/src/otlp/wire",
        is_shared: false,
    },
];

/// Writes the generated files, or with `check` fails when a committed one differs.
pub(crate) fn run(root: &Path, check: bool) -> anyhow::Result<()> {
    for schema in &SCHEMAS {
        let fresh = generate(root, schema)?;
        let target = root.join(schema.target).join(schema.generated);
        if !check {
            fs::write(&target, fresh).with_context(|| format!("cannot write {}", target.display()))?;
        } else if fs::read_to_string(&target).unwrap_or_default() != fresh {
            bail!("{} is not what {}/ says: run `cargo xtask schemas`", target.display(), schema.folder);
        }
    }
    Ok(())
}

fn generate(root: &Path, schema: &Schema) -> anyhow::Result<String> {
    let folder = root.join(schema.folder);
    let descriptors = protox::compile(schema.protos, [&folder])
        .with_context(|| format!("{}/ does not compile", schema.folder))?;
    let out = tempfile::tempdir()?;
    let mut config = prost_build::Config::new();
    if schema.is_shared {
        config.bytes(["."]);
    }
    config
        .out_dir(out.path())
        .compile_fds(descriptors)
        .with_context(|| format!("cannot generate Rust from {}/", schema.folder))?;
    Ok(fs::read_to_string(out.path().join(schema.generated))?)
}

//! What needs logic to check or generate. `scripts/` calls it; so can you.

mod layers;
mod manifests;
mod schemas;

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};

/// Checks and generators of this repository.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Check that crates know only what their layer may, and that manifests leave versions and features to the root.
    Layers,
    /// Generate the Rust types of proto-schemas/; with --check, fail when the committed ones differ.
    Schemas {
        /// Compare instead of writing.
        #[arg(long)]
        check: bool,
    },
}

fn main() -> anyhow::Result<()> {
    let root = root();
    match Arguments::parse().task {
        Task::Layers => layers(&root),
        Task::Schemas { check } => schemas::run(&root, check),
    }
}

#[expect(clippy::print_stdout, reason = "a check that says nothing leaves one wondering whether it looked")]
fn layers(root: &Path) -> anyhow::Result<()> {
    println!("layers: {}", manifests::check(root)?);
    Ok(())
}

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

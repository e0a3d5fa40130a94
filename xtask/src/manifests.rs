//! Manifests of the workspace: read for the layer rule, and held to one way of being written.
//!
//! Members name no version and no feature: a feature that only one member asks for is there when everything is built
//! and missing when that member's neighbour is built alone, and switching between the two rebuilds half the graph.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use cargo_metadata::{DependencyKind, MetadataCommand, Package};
use toml::{Table, Value};

use crate::layers::{Arrow, Member};

const DEPENDENCY_TABLES: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// Checks every member; returns a line to print, or all that is wrong.
pub(crate) fn check(root: &Path) -> anyhow::Result<String> {
    // Without the crates of others: what members declare is the question, and this needs neither network nor lock.
    let metadata = MetadataCommand::new().manifest_path(root.join("Cargo.toml")).no_deps().exec()?;
    let packages = metadata.workspace_packages();

    let members: Vec<Member> = packages.iter().map(|package| member(package)).collect();
    let mut wrong = crate::layers::violations(&members);
    for package in &packages {
        let path = package.manifest_path.as_std_path();
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let manifest = text.parse().with_context(|| format!("cannot parse {}", path.display()))?;
        let found = faults(&manifest);
        wrong.extend(found.into_iter().map(|fault| format!("{}: {fault}", package.name)));
    }
    if wrong.is_empty() {
        let arrows: usize = members.iter().map(|member| member.arrows.len()).sum();
        return Ok(format!("{} crates, {arrows} dependencies, all where they belong", members.len()));
    }
    anyhow::bail!("the layer rule is broken:\n  {}", wrong.join("\n  "))
}

fn member(package: &Package) -> Member {
    let arrow = |dependency: &cargo_metadata::Dependency| Arrow {
        to: dependency.name.clone(),
        tests_only: dependency.kind == DependencyKind::Development,
    };
    Member { name: package.name.to_string(), arrows: package.dependencies.iter().map(arrow).collect() }
}

/// What is not as every manifest has to be, in words.
fn faults(manifest: &Table) -> Vec<String> {
    let mut faults = Vec::new();
    if manifest.get("lints").and_then(Value::as_table).is_none_or(|lints| !is_inherited(lints)) {
        faults.push("[lints] must be `workspace = true`".to_owned());
    }
    let description = manifest.get("package").and_then(|package| package.get("description"));
    if description.and_then(Value::as_str).is_none_or(str::is_empty) {
        faults.push("[package] must have a description: what the crate is for, in one line".to_owned());
    }
    for table in DEPENDENCY_TABLES {
        let dependencies = manifest.get(table).and_then(Value::as_table).into_iter().flatten();
        let own = dependencies.filter(|(_, written)| !written.as_table().is_some_and(is_inherited));
        faults.extend(own.map(|(name, _)| {
            format!(
                "[{table}] {name} must be `{name}.workspace = true`: versions and features stand in the root"
            )
        }));
    }
    if manifest.contains_key("target") {
        faults.push("[target] dependencies would escape this check".to_owned());
    }
    faults
}

/// `workspace = true`, and nothing beside it.
fn is_inherited(table: &Table) -> bool {
    table.len() == 1 && table.get("workspace").and_then(Value::as_bool) == Some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        [package]
        name = "normalizer"
        description = "Opens what the gateway sealed"
        [lints]
        workspace = true
        [dependencies]
        ports.workspace = true
        [dev-dependencies]
        tokio = { workspace = true }
    "#;

    fn faults_of(text: &str) -> Vec<String> {
        faults(&text.parse().unwrap())
    }

    #[test]
    fn a_manifest_that_inherits_everything_has_no_fault() {
        assert!(faults_of(GOOD).is_empty());
    }

    #[test]
    fn a_version_or_a_feature_of_a_members_own_is_a_fault() {
        let own_version = faults_of(&GOOD.replace("ports.workspace = true", "ports = \"1\""));
        let own_feature =
            faults_of(&GOOD.replace("{ workspace = true }", "{ workspace = true, features = [\"fs\"] }"));
        assert!(own_version[0].starts_with("[dependencies] ports must be"), "{own_version:?}");
        assert!(own_feature[0].starts_with("[dev-dependencies] tokio must be"), "{own_feature:?}");
    }

    #[test]
    fn a_crate_without_lints_or_description_has_two_faults() {
        assert_eq!(faults_of("[package]\nname = \"normalizer\"").len(), 2);
    }

    #[test]
    fn a_dependency_of_one_platform_is_a_fault() {
        let text = format!("{GOOD}\n[target.'cfg(unix)'.dependencies]\nlibc = \"0.2\"");
        assert_eq!(faults_of(&text), ["[target] dependencies would escape this check"]);
    }
}

//! What a measure prints, and the file it leaves.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::bench::machine::Machine;
use crate::bench::usage::Snapshot;

/// The figures of one measure: for a person, and for a program.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// What was measured, on what.
    pub title: String,
    /// Names and figures, top down.
    pub lines: Vec<(String, String)>,
    /// What is to be known about them before they are believed.
    pub noise: Vec<String>,
    /// The same and more.
    pub json: Value,
    /// Figures that somebody asked for.
    pub against: Vec<Against>,
}

/// A figure beside the one that was asked for.
#[derive(Clone, Debug)]
pub struct Against {
    /// What it is.
    pub name: String,
    /// What was asked for.
    pub asked: Asked,
    /// What it came to.
    pub came_to: f64,
    /// Of both.
    pub unit: &'static str,
}

/// A limit.
#[derive(Clone, Copy, Debug)]
pub enum Asked {
    /// So much or more.
    AtLeast(f64),
    /// Less than this.
    Below(f64),
}

impl Sheet {
    /// An empty one.
    #[must_use]
    pub const fn of(title: String) -> Self {
        Self { title, lines: Vec::new(), noise: Vec::new(), json: Value::Null, against: Vec::new() }
    }

    /// One line more.
    pub fn line(&mut self, name: impl Into<String>, figure: impl Into<String>) {
        self.lines.push((name.into(), figure.into()));
    }

    /// Says what else went on on the machine between two moments; `known` are the processes that belong to the measure.
    pub fn note_noise(&mut self, machine: &Machine, before: &Snapshot, after: &Snapshot, known: &[u32]) {
        self.noise = machine.noise(after.others(before, known), after.stolen(before));
    }

    /// One figure more that was asked for.
    pub fn against(&mut self, name: impl Into<String>, asked: Asked, came_to: f64, unit: &'static str) {
        self.against.push(Against { name: name.into(), asked, came_to, unit });
    }
}

impl Asked {
    /// Whether it is kept.
    #[must_use]
    pub fn is_met(self, by: f64) -> bool {
        match self {
            Self::AtLeast(limit) => by >= limit,
            Self::Below(limit) => by < limit,
        }
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(limit) => write!(f, "≥ {limit}"),
            Self::Below(limit) => write!(f, "< {limit}"),
        }
    }
}

impl fmt::Display for Against {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let met = if self.asked.is_met(self.came_to) { "reached" } else { "NOT REACHED" };
        let asked = format!("asked: {} {}", self.asked, self.unit);
        write!(f, "{:<52} {:>10.2} {:<9} {asked:<22} {met}", self.name, self.came_to, self.unit)
    }
}

impl fmt::Display for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "== {}", self.title)?;
        let width = self.lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        for (name, figure) in &self.lines {
            writeln!(f, "{name:<width$}  {figure}")?;
        }
        for noise in &self.noise {
            writeln!(f, "NOT QUIET: {noise}")?;
        }
        Ok(())
    }
}

/// Writes sheets into a file, with the commit, the date and the machine: into `file`, or into one named after the
/// measure in `target/bench`. Gives its path.
///
/// # Errors
/// It cannot be written.
pub fn keep(
    file: Option<&Path>,
    measure: &str,
    machine: &Machine,
    sheets: &[Sheet],
) -> anyhow::Result<PathBuf> {
    let file = file.map_or_else(|| usual_file(measure, machine), Path::to_owned);
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let of = |sheet: &Sheet| {
        let against = |one: &Against| {
            json!({
                "name": one.name, "asked": one.asked.to_string(), "came_to": one.came_to, "unit": one.unit,
                "reached": one.asked.is_met(one.came_to),
            })
        };
        json!({
            "title": sheet.title, "quiet": sheet.noise.is_empty(), "noise": sheet.noise, "figures": sheet.json,
            "against": sheet.against.iter().map(against).collect::<Vec<_>>(),
        })
    };
    let all = json!({
        "measure": measure, "date": machine.date(), "commit": machine.commit, "machine": machine.json(),
        "results": sheets.iter().map(of).collect::<Vec<_>>(),
    });
    let text = serde_json::to_string_pretty(&all)? + "\n";
    fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(file.canonicalize()?)
}

fn usual_file(measure: &str, machine: &Machine) -> PathBuf {
    // A colon is no part of a file's name everywhere.
    let date = machine.date().replace(':', "");
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../target/bench"))
        .join(format!("{date}-{measure}.json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_met_or_not() {
        assert!(Asked::AtLeast(5.0).is_met(5.0) && !Asked::AtLeast(5.0).is_met(4.9));
        assert!(Asked::Below(5.0).is_met(4.9) && !Asked::Below(5.0).is_met(5.0));
    }
}

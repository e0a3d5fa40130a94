//! What a trial prints.

use std::fmt;
use std::time::Duration;

use crate::trials::load::Sent;
use crate::trials::verdict::Verdict;

/// What was done, what came of it, and which promises were broken.
#[derive(Clone, Debug)]
pub struct Report {
    /// The name of the trial.
    pub trial: &'static str,
    /// What was done, and what was seen meanwhile.
    pub table: Table,
    /// What happened besides, for the reader.
    pub notes: Vec<String>,
    /// Promises of this trial that were broken meanwhile.
    pub broken: Vec<String>,
    /// What was sent.
    pub sent: Sent,
    /// What became of it.
    pub verdict: Verdict,
}

/// Rows under headings.
#[derive(Clone, Debug)]
pub struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty one.
    #[must_use]
    pub fn of(headings: &[&'static str]) -> Self {
        Self { headings: headings.to_vec(), rows: Vec::new() }
    }

    /// One row more: a cell for each heading.
    pub fn add<const N: usize>(&mut self, row: [String; N]) {
        self.rows.push(row.into());
    }
}

impl Report {
    /// Everything that was promised and not kept.
    #[must_use]
    pub fn broken(&self) -> Vec<String> {
        let mut broken = self.broken.clone();
        if self.sent.seen.odd > 0 {
            let (odd, first) = (self.sent.seen.odd, self.sent.seen.odd_answers.join("\n  "));
            broken.push(format!("{odd} answers but 2xx and 503 with Retry-After:\n  {first}"));
        }
        broken.extend(self.verdict.broken());
        broken
    }

    /// Whether all promises were kept.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.broken().is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { trial, table, notes, sent, verdict, .. } = self;
        writeln!(f, "== {trial}\n\n{table}")?;
        for note in notes {
            writeln!(f, "{note}")?;
        }
        let (seen, books) = (&sent.seen, &verdict.books);
        writeln!(f, "sent          {} acknowledged in {}", sent.events, seconds(sent.took))?;
        writeln!(
            f,
            "senders saw   503 {} times, nobody there {} times, a broken connection {} times, the longest wait {}",
            seen.refused,
            seen.unreached,
            seen.broken,
            seconds(seen.slowest)
        )?;
        for (store, difference) in [("ledger", &verdict.ledger), ("analytics", &verdict.analytics)] {
            let (lost, extra) = (difference.lost.len(), difference.extra.len());
            writeln!(f, "{store:<12}  lost {lost}, extra {extra}")?;
        }
        writeln!(
            f,
            "books         accepted {} = stored {} + duplicate {} + quarantined {} + in flight {}",
            books["accepted"], books["stored"], books["duplicate"], books["quarantined"], books["in_flight"],
        )?;
        writeln!(
            f,
            "settled       ledger {}, analytics {} after the last start",
            seconds(verdict.ledger_settled),
            seconds(verdict.analytics_settled)
        )?;
        let broken = self.broken();
        for promise in &broken {
            writeln!(f, "BROKEN        {promise}")?;
        }
        writeln!(f, "verdict       {}", if broken.is_empty() { "kept" } else { "BROKEN" })
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.chain([self.headings[column].len()]).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..self.headings.len()).map(width).collect();
        let headings: Vec<String> = self.headings.iter().map(ToString::to_string).collect();
        for row in std::iter::once(&headings).chain(&self.rows) {
            for (column, (cell, width)) in row.iter().zip(&widths).enumerate() {
                // Names to the left, figures to the right.
                if column == 0 { write!(f, "{cell:<width$}")? } else { write!(f, "  {cell:>width$}")? }
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// `1.2 s`
#[must_use]
pub fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut table = Table::of(&["who", "n"]);
        table.add(["Redis".to_owned(), "12".to_owned()]);
        assert_eq!(table.to_string(), "who     n\nRedis  12\n");
    }
}

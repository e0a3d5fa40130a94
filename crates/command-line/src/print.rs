//! What the command line says: tables for people, JSON for programs. The only place that writes to standard output.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

/// Says things in the form asked for.
#[derive(Clone)]
pub struct Print {
    json: bool,
    out: Arc<Mutex<dyn Write + Send>>,
}

impl Print {
    /// Says things on standard output: as JSON, or as text for people.
    #[must_use]
    pub fn new(json: bool) -> Self {
        Self::onto(json, Arc::new(Mutex::new(std::io::stdout())))
    }

    /// Says things somewhere else.
    pub(crate) fn onto(json: bool, out: Arc<Mutex<dyn Write + Send>>) -> Self {
        Self { json, out }
    }

    /// Whether a program reads along.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Says one thing: `value` to programs, `text` to people.
    pub fn say(&self, value: &Value, text: &str) {
        if self.json { self.text(&format!("{value:#}\n")) } else { self.text(&format!("{text}\n")) }
    }

    /// Lists things: an array to programs, a table of the named fields to people.
    pub fn list(&self, rows: &[Value], columns: &[&str], if_empty: &str) {
        if self.json {
            self.text(&format!("{:#}\n", Value::from(rows.to_vec())));
        } else if rows.is_empty() {
            self.text(&format!("{if_empty}\n"));
        } else {
            self.text(&table(rows, columns));
        }
    }

    /// Says something by the way, on standard error.
    pub fn note(&self, text: &str) {
        // Nobody is left to tell when standard error is gone.
        let _closed = writeln!(std::io::stderr(), "{text}");
    }

    /// Says why a command failed, and what its causes were, on standard error.
    pub fn failure(&self, cause: &anyhow::Error) {
        let mut text = format!("error: {cause:#}\n");
        if self.json {
            text = format!("{}\n", json!({"error": format!("{cause:#}")}));
        }
        // Nobody is left to tell when standard error is gone.
        let _closed = std::io::stderr().write_all(text.as_bytes());
    }

    /// Writes text as it is. A reader that went away (`| head`) is not a fault.
    pub fn text(&self, text: &str) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let _closed = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

fn table(rows: &[Value], columns: &[&str]) -> String {
    let cell = |row: &Value, column: &str| match row.get(column) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let width = |column: &&str| {
        rows.iter()
            .map(|row| cell(row, column).chars().count())
            .max()
            .unwrap_or(0)
            .max(column.chars().count())
    };
    let widths: Vec<usize> = columns.iter().map(width).collect();
    let line = |cells: Vec<String>| {
        let padded: Vec<_> =
            cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", padded.join("  ").trim_end())
    };
    let head = line(columns.iter().map(|column| column.replace('_', " ")).collect());
    let body = rows.iter().map(|row| line(columns.iter().map(|column| cell(row, column)).collect()));
    std::iter::once(head).chain(body).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_lines_up_whatever_the_alphabet() {
        let rows = [json!({"id": "a", "name": "Салон «Весна»"}), json!({"id": "bbb", "name": null})];
        assert_eq!(table(&rows, &["id", "name"]), "id   name\na    Салон «Весна»\nbbb\n");
    }
}

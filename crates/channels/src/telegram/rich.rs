//! Rich messages (Bot API 10.1): a document of blocks, of which the words are kept.
//!
//! What a bot sends may also be written as HTML or Markdown, and is kept as written, like other texts with marks in them.

use serde_json::Value;

use super::TEXT;
use crate::form;

/// What of a block is words, in the order in which it is shown.
const WORDS: [&str; 4] = ["summary", "text", "expression", "credit"];
/// What of a block holds more blocks.
const INSIDE: [&str; 4] = ["blocks", "items", "cells", "caption"];

/// The words of a rich message; a text longer than any other of a messenger is cut.
pub(super) fn text(rich: &Value) -> Option<String> {
    let rich = form::opened(rich);
    let written = ["markdown", "html"].into_iter().find_map(|form| rich.get(form)?.as_str());
    let text = match written {
        Some(written) => written.to_owned(),
        None => {
            let mut lines = Vec::new();
            collect(rich.get("blocks")?, &mut lines);
            lines.join("\n")
        }
    };
    let text: String = text.chars().filter(|c| *c != '\0').take(TEXT).collect();
    Some(text).filter(|text| !text.trim().is_empty())
}

/// A line for each block, item and row. As deep as JSON is let in, which has a limit.
fn collect(block: &Value, lines: &mut Vec<String>) {
    match block {
        Value::Array(row) if row.iter().any(is_cell) => {
            let cells: Vec<_> = row.iter().map(inline).collect();
            lines.push(cells.join("\t"));
        }
        Value::Array(blocks) => blocks.iter().for_each(|block| collect(block, lines)),
        Value::Object(parts) => {
            let words = WORDS.iter().filter_map(|key| parts.get(*key)).map(inline);
            lines.extend(words.filter(|line| !line.trim().is_empty()));
            INSIDE.iter().filter_map(|key| parts.get(*key)).for_each(|inside| collect(inside, lines));
        }
        Value::String(words) => lines.push(words.clone()),
        _ => (),
    }
}

/// A cell of a table has words, and unlike a block no type; an item of a list has neither.
fn is_cell(value: &Value) -> bool {
    value.get("text").is_some() && value.get("type").is_none()
}

/// Formatted text: plain, a sequence, or text with a mark around it.
fn inline(text: &Value) -> String {
    match text {
        Value::String(plain) => plain.clone(),
        Value::Array(sequence) => sequence.iter().map(inline).collect(),
        Value::Object(marked) => {
            let shown = ["text", "alternative_text", "expression"];
            shown.into_iter().find_map(|key| marked.get(key)).map(inline).unwrap_or_default()
        }
        _ => String::new(),
    }
}

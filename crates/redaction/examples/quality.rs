//! Prints how well the golden sentences are found, part by part and kind by kind.
//!
//! `--mistakes dev` also prints the sentences of a part that are not found exactly; `--find` reads sentences from
//! standard input, a line each, and prints what is found in each as `kind start end` in characters, for comparisons.

#![allow(clippy::print_stdout, reason = "printing is what it is for")]

#[path = "../tests/it/golden.rs"]
mod golden;

use std::io::BufRead as _;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => table(),
        ["--mistakes", part] => {
            golden::measure(&golden::read(part)).1.iter().for_each(|mistake| println!("{mistake}"))
        }
        ["--find"] => find_in_lines(),
        _ => println!("usage: quality [--mistakes dev|first|held-out | --find]"),
    }
}

fn table() {
    println!("| part | kind | marked | recall | precision |\n|---|---|---|---|---|");
    for part in [golden::DEVELOPMENT, golden::FIRST, golden::HELD_OUT] {
        let sentences = golden::read(part);
        let (scores, _) = golden::measure(&sentences);
        for (name, kind) in golden::NAMES {
            let score = scores.get(&kind).copied().unwrap_or_default();
            println!(
                "| {part} | {name} | {} | {:.3} | {:.3} |",
                score.marked,
                score.recall(),
                score.precision()
            );
        }
        let clean = sentences.iter().filter(|sentence| sentence.labels.is_empty()).count();
        println!("| {part} | {} sentences, {clean} with nothing to find | | | |", sentences.len());
    }
}

fn find_in_lines() {
    for line in std::io::stdin().lock().lines() {
        let text = line.expect("standard input is text");
        let chars = |byte: usize| text[..byte].chars().count();
        let found: Vec<_> = redaction::find(&text)
            .iter()
            .map(|finding| {
                let name =
                    golden::NAMES.iter().find(|(_, kind)| *kind == finding.kind).map_or("", |(name, _)| name);
                format!("{name} {} {}", chars(finding.range.start), chars(finding.range.end))
            })
            .collect();
        println!("{}", found.join(";"));
    }
}

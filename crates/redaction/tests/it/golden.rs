//! The golden sentences: reading them, and how well they are found. The example `quality` prints what is measured here.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use redaction::{Finding, Kind};

/// How a kind is called in the golden files.
pub(crate) const NAMES: [(&str, Kind); 10] = [
    ("имя", Kind::Name),
    ("телефон", Kind::Phone),
    ("почта", Kind::Email),
    ("карта", Kind::Card),
    ("паспорт", Kind::Passport),
    ("снилс", Kind::Snils),
    ("омс", Kind::Oms),
    ("др", Kind::BirthDate),
    ("адрес", Kind::Address),
    ("ссылка", Kind::Link),
];

/// What the rules were made on.
pub(crate) const DEVELOPMENT: &str = "dev";
/// What was written before there was a rule, and held out until the rules were there: what was found wrong in it then is
/// mended since, so that it says less today than it did (`docs/redaction.md`).
pub(crate) const FIRST: &str = "first";
/// What no rule was made on.
pub(crate) const HELD_OUT: &str = "held-out";

/// A sentence and what is personal in it.
#[derive(Clone, Debug)]
pub(crate) struct Sentence {
    pub(crate) text: String,
    pub(crate) labels: Vec<Finding>,
}

/// The sentences of one part, in the order of the files and lines.
pub(crate) fn read(part: &str) -> Vec<Sentence> {
    files(part)
        .iter()
        .flat_map(|file| {
            let text = std::fs::read_to_string(file).expect("the golden files are beside the tests");
            text.lines()
                .filter(|line| !line.starts_with('#') && !line.is_empty())
                .map(parse)
                .collect::<Vec<_>>()
        })
        .collect()
}

fn files(part: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(part);
    let entries = std::fs::read_dir(folder).expect("the golden files are beside the tests");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    files.sort();
    files
}

/// `{имя:Анна}` marks what is personal.
fn parse(line: &str) -> Sentence {
    let mut sentence = Sentence { text: String::new(), labels: Vec::new() };
    let mut rest = line;
    while let Some((before, marked)) = rest.split_once('{') {
        sentence.text.push_str(before);
        let (mark, after) = marked.split_once('}').unwrap_or_else(|| panic!("a mark is not closed: {line}"));
        let (name, content) = mark.split_once(':').unwrap_or_else(|| panic!("a mark without a kind: {line}"));
        let kind = NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap_or_else(|| panic!("an unknown kind: {line}"))
            .1;
        let start = sentence.text.len();
        sentence.text.push_str(content);
        sentence.labels.push(Finding { kind, range: start..sentence.text.len() });
        rest = after;
    }
    sentence.text.push_str(rest);
    sentence
}

/// How well one kind is found.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Score {
    /// Marked in the sentences.
    pub(crate) marked: usize,
    /// Of these, with every letter and digit found as that kind.
    pub(crate) covered: usize,
    /// Found.
    pub(crate) found: usize,
    /// Of these, with every letter and digit marked as that kind.
    pub(crate) right: usize,
}

impl Score {
    pub(crate) fn recall(&self) -> f64 {
        share(self.covered, self.marked)
    }

    pub(crate) fn precision(&self) -> f64 {
        share(self.right, self.found)
    }
}

fn share(part: usize, whole: usize) -> f64 {
    let count = |number: usize| f64::from(u32::try_from(number).expect("a few hundred"));
    if whole == 0 { 1.0 } else { count(part) / count(whole) }
}

/// The score of every kind, and the sentences that are not found exactly.
pub(crate) fn measure(sentences: &[Sentence]) -> (BTreeMap<Kind, Score>, Vec<String>) {
    let mut scores = BTreeMap::<Kind, Score>::new();
    let mut mistakes = Vec::new();
    for sentence in sentences {
        let found = redaction::find(&sentence.text);
        let mut is_right = true;
        for label in &sentence.labels {
            let covered = is_covered(&sentence.text, label, &found);
            let score = scores.entry(label.kind).or_default();
            score.marked += 1;
            score.covered += usize::from(covered);
            is_right &= covered;
        }
        for finding in &found {
            let right = is_covered(&sentence.text, finding, &sentence.labels);
            let score = scores.entry(finding.kind).or_default();
            score.found += 1;
            score.right += usize::from(right);
            is_right &= right;
        }
        if !is_right {
            mistakes.push(format!("{}\n    {}", sentence.text, redaction::redact(&sentence.text)));
        }
    }
    (scores, mistakes)
}

/// Whether each letter and digit of `one` lies in one of `others` of the same kind.
fn is_covered(text: &str, one: &Finding, others: &[Finding]) -> bool {
    let holds = |range: &Range<usize>, at: usize| range.contains(&at);
    let covered = |at: usize| others.iter().any(|other| other.kind == one.kind && holds(&other.range, at));
    text[one.range.clone()]
        .char_indices()
        .filter(|(_, c)| c.is_alphanumeric())
        .all(|(at, _)| covered(one.range.start + at))
}

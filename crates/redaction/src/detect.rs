//! The detectors, and the order in which they may claim tokens.
//!
//! Each looks at the tokens that the ones before it left, and gives ranges of tokens. What is claimed becomes one opaque
//! token before the next one looks. When all have looked and something was found, they look again: what they see then is
//! what they would see in the redacted text, so that in the end redacting it changes nothing.

mod address;
mod birth;
mod document;
mod email;
mod link;
mod name;
mod phone;

use std::ops::Range;

use crate::lexicon::Flags;
use crate::token::{Token, Tokens};
use crate::{Finding, Kind};

/// How often the detectors look at most. Texts of people are done after two; the bound is for who tries.
const ROUNDS: usize = 8;

const DETECTORS: usize = 7;

/// What a detector sees.
#[derive(Clone, Copy)]
pub(crate) struct View<'t> {
    pub(crate) text: &'t str,
    pub(crate) tokens: &'t [Token],
}

/// A detector's claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) kind: Kind,
    pub(crate) tokens: Range<usize>,
}

impl<'t> View<'t> {
    pub(crate) fn get(&self, at: usize) -> Option<&'t Token> {
        self.tokens.get(at)
    }

    /// The first token from `at` on that something may begin with: most begin nothing.
    pub(crate) fn next(&self, at: usize, may_begin: impl FnMut(&'t Token) -> bool) -> Option<usize> {
        let distance = self.tokens.get(at..)?.iter().position(may_begin)?;
        Some(at + distance)
    }

    pub(crate) fn word(&self, at: usize) -> &'t str {
        self.get(at).map_or("", |token| token.text(self.text))
    }

    pub(crate) fn is(&self, at: usize, flags: Flags) -> bool {
        self.get(at).is_some_and(|token| token.is(flags))
    }

    pub(crate) fn is_mark(&self, at: usize, mark: char) -> bool {
        self.get(at).is_some_and(|token| token.is_mark(mark))
    }

    pub(crate) fn is_digits(&self, at: usize) -> bool {
        self.get(at).is_some_and(Token::is_digits)
    }

    pub(crate) fn is_word(&self, at: usize) -> bool {
        self.get(at).is_some_and(Token::is_word)
    }

    pub(crate) fn is_glued(&self, at: usize) -> bool {
        self.get(at).is_some_and(|token| token.glued)
    }

    /// The tokens before `at`, the nearest first, up to `most` of them and not past the end of a line.
    pub(crate) fn before(&self, at: usize, most: usize) -> impl Iterator<Item = &'t Token> + use<'t> {
        let tokens = &self.tokens[..at];
        let mut line_ended = self.tokens.get(at).is_some_and(|token| token.new_line);
        tokens.iter().rev().take(most).take_while(move |token| {
            let ended = line_ended;
            line_ended |= token.new_line;
            !ended
        })
    }

    pub(crate) fn any_before(&self, at: usize, most: usize, flags: Flags) -> bool {
        self.before(at, most).any(|token| token.is(flags))
    }

    /// Whether the number at `at` is said to be that of an order, an article or the like.
    pub(crate) fn is_of_an_order(&self, at: usize) -> bool {
        let mut before = self.before(at, 6).skip_while(|token| {
            !token.is_word() && !token.is_digits() || token.is(Flags::NUMBER | Flags::PREPOSITION)
        });
        before.next().is_some_and(|token| token.is(Flags::ORDER))
    }
}

impl std::ops::BitOr for Flags {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.with(other)
    }
}

/// Everything about a person in a text, health aside.
pub(crate) fn personal(text: &str, tokens: &mut Tokens) -> Vec<Finding> {
    let detectors = detectors(tokens);
    let mut findings = Vec::new();
    // After how many claims each has found nothing: until there is another one, it would find nothing again.
    let mut found_nothing_after = [None; DETECTORS];
    for _round in 0..ROUNDS {
        let found_before = findings.len();
        for (detect, nothing_after) in detectors.iter().zip(&mut found_nothing_after) {
            let Some(detect) = detect.filter(|_| *nothing_after != Some(findings.len())) else { continue };
            let before = findings.len();
            claim(text, tokens, detect, &mut findings);
            *nothing_after = (findings.len() == before).then_some(before);
        }
        if findings.len() == found_before {
            break;
        }
    }
    findings.sort_unstable_by_key(|finding| finding.range.start);
    findings
}

type Detector = fn(View<'_>) -> Vec<Claim>;

/// The detectors that have anything to do with these tokens, in their order.
fn detectors(tokens: &Tokens) -> [Option<Detector>; DETECTORS] {
    let only = |needed: bool, detector: Detector| needed.then_some(detector);
    let flags = tokens.flags;
    let has_numbers = tokens.has_digits || flags.any(Flags::COUNTS);
    [
        only(tokens.has_joints, link::detect),
        only(tokens.has_joints || flags.any(Flags::AT), email::detect),
        only(tokens.has_digits, document::detect),
        only(has_numbers || flags.any(Flags::ORDINAL), birth::detect),
        only(has_numbers, phone::detect),
        only(has_numbers, address::detect),
        only(tokens.has_capitals || flags.any(name::MAY_BE), name::detect),
    ]
}

fn claim(text: &str, tokens: &mut Tokens, detect: Detector, findings: &mut Vec<Finding>) {
    let claims = detect(View { text, tokens: &tokens.list });
    if claims.is_empty() {
        return;
    }
    for Claim { kind, tokens: range } in &claims {
        let range = tokens.list[range.start].start..tokens.list[range.end - 1].end;
        findings.push(Finding { kind: *kind, range });
    }
    tokens.collapse(claims.into_iter().map(|claim| claim.tokens));
}

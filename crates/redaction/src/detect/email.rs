//! E-mail addresses: typed, and dictated as "анна собака мейл точка ру".

use std::ops::Range;

use super::{Claim, View};
use crate::Kind;
use crate::lexicon::Flags;
use crate::token::{Script, Shape, Token};

/// So many tokens at most belong to either side of the sign.
const LONGEST_SIDE: usize = 16;

pub(super) fn detect(view: View<'_>) -> Vec<Claim> {
    let mut claims: Vec<Claim> = Vec::new();
    let mut free_from = 0;
    let mut from = 0;
    while let Some(at) = view.next(from, |token| token.is_mark('@') || token.is(Flags::AT)) {
        let found = if view.is_mark(at, '@') {
            typed(&view, at, free_from).or_else(|| dictated(&view, at..at + 1, free_from))
        } else {
            dictated(&view, with_brackets(&view, at), free_from)
        };
        from = at + 1;
        if let Some(tokens) = found {
            (from, free_from) = (tokens.end, tokens.end);
            claims.push(Claim { kind: Kind::Email, tokens });
        }
    }
    claims
}

/// Around an `@` without a blank.
fn typed(view: &View<'_>, at: usize, free_from: usize) -> Option<Range<usize>> {
    let is_part = |token: &Token, marks: &str| match token.shape {
        Shape::Word(..) | Shape::Digits => true,
        Shape::Mark(mark) => marks.contains(mark),
        Shape::Found => false,
    };
    let mut start = at;
    while start > free_from
        && at - start < LONGEST_SIDE
        && view.is_glued(start)
        && is_part(&view.tokens[start - 1], "._%+-")
    {
        start -= 1;
    }
    while start < at && matches!(view.tokens[start].shape, Shape::Mark(mark) if mark != '_') {
        start += 1;
    }
    let mut end = at + 1;
    while end - at <= LONGEST_SIDE
        && view.is_glued(end)
        && view.get(end).is_some_and(|token| is_part(token, ".-"))
    {
        end += 1;
    }
    while end > at + 1 && !view.is_word(end - 1) {
        end -= 1;
    }
    let domain = &view.tokens[at + 1..end];
    let has_top = domain.len() >= 3 && domain[domain.len() - 2].is_mark('.');
    (start < at && has_top).then_some(start..end)
}

/// The sign in words, with the brackets some put around it.
fn with_brackets(view: &View<'_>, at: usize) -> Range<usize> {
    let is_bracketed = at > 0
        && matches!(view.tokens[at - 1].shape, Shape::Mark('(' | '['))
        && matches!(view.get(at + 1).map(|t| t.shape), Some(Shape::Mark(')' | ']')));
    if is_bracketed { at - 1..at + 2 } else { at..at + 1 }
}

fn dictated(view: &View<'_>, sign: Range<usize>, free_from: usize) -> Option<Range<usize>> {
    let is_bare = sign.len() == 1;
    let is_english = is_bare && is_latin(&view.tokens[sign.start]);
    let end = domain(view, sign.end, is_english)?;
    // "Reach me at anna@mail.ru", "see us at salon.ru": an ordinary "at".
    let is_ordinary = is_english
        && (view.is_mark(end, '@')
            || !(view.is(sign.end, Flags::MAIL_HOST)
                || view.tokens[sign.end..end].iter().any(|token| token.is(Flags::DOT))));
    if is_ordinary {
        return None;
    }
    let start = local_part(view, sign.start, free_from)?;
    Some(start..end)
}

/// "мейл ру", "яндекс точка ру", "gmail.com", "clinic dot org"
fn domain(view: &View<'_>, start: usize, needs_a_dot: bool) -> Option<usize> {
    let host = view.get(start).filter(|token| token.is_word())?;
    let mut at = start + 1;
    let mut dots = 0;
    let mut end = None;
    while at - start < LONGEST_SIDE {
        let Some(after_dot) = dot(view, at) else { break };
        if !view.is_word(after_dot) {
            break;
        }
        dots += 1;
        at = after_dot + 1;
        if view.is(after_dot, Flags::TOP_DOMAIN)
            || view.is_mark(after_dot - 1, '.') && view.is_glued(after_dot)
        {
            end = Some(at);
        }
    }
    if end.is_some() || dots > 0 {
        return end;
    }
    if needs_a_dot || !host.is(Flags::MAIL_HOST) {
        return None;
    }
    Some(if view.is(start + 1, Flags::TOP_DOMAIN) { start + 2 } else { start + 1 })
}

/// What follows a dot at `at`, written or said.
fn dot(view: &View<'_>, at: usize) -> Option<usize> {
    if view.is_mark(at, '.') || view.is(at, Flags::DOT) {
        return Some(at + 1);
    }
    let is_bracketed = |open, close| view.is_mark(at, open) && view.is_mark(at + 2, close);
    (view.is(at + 1, Flags::DOT) && (is_bracketed('(', ')') || is_bracketed('[', ']'))).then_some(at + 3)
}

/// Backwards from the sign: words and digits, joined by what joins them in an address.
fn local_part(view: &View<'_>, end: usize, free_from: usize) -> Option<usize> {
    let is_atom = |at: usize| view.get(at).is_some_and(|token| token.is_word() || token.is_digits());
    let mut start = end.checked_sub(1).filter(|at| *at >= free_from && is_atom(*at))?;
    while end - start < LONGEST_SIDE {
        let Some(before) = start.checked_sub(1).filter(|at| *at >= free_from) else { break };
        // "olga85", and the same dictated.
        let is_counted = view.is_digits(start) && is_latin(&view.tokens[before])
            || view.is(start, Flags::COUNTS)
                && view.is_word(start)
                && view.is_word(before)
                && !view.is(before, Flags::DOT | Flags::DASH);
        if is_counted || (view.is_glued(start) && is_atom(before)) {
            start = before;
            continue;
        }
        let joint = &view.tokens[before];
        let is_joint = joint.is(Flags::DOT | Flags::DASH)
            || (view.is_glued(start) && matches!(joint.shape, Shape::Mark('.' | '_' | '-')));
        if !is_joint {
            break;
        }
        let mut atom = before.checked_sub(1).filter(|at| *at >= free_from);
        if joint.is(Flags::DASH) && atom.is_some_and(|at| view.is(at, Flags::LOW)) {
            atom = atom.and_then(|at| at.checked_sub(1)).filter(|at| *at >= free_from);
        }
        match atom.filter(|at| is_atom(*at)) {
            Some(atom) => start = atom,
            None => break,
        }
    }
    Some(start)
}

fn is_latin(token: &Token) -> bool {
    matches!(token.shape, Shape::Word(Script::Latin, _))
}

//! Links to persons, and links that open something to whoever has them.
//!
//! A price list's address stays; it says nothing of who reads it.

use super::{Claim, View};
use crate::Kind;
use crate::token::{Script, Shape};

/// What lies on these is a person, a private meeting, a private document, or hides where it leads.
const PERSONAL_HOSTS: &[&str] = &[
    "t.me",
    "telegram.me",
    "wa.me",
    "vk.com",
    "vk.ru",
    "vk.me",
    "m.vk.com",
    "instagram.com",
    "facebook.com",
    "fb.com",
    "fb.me",
    "m.me",
    "ok.ru",
    "tiktok.com",
    "x.com",
    "twitter.com",
    "linkedin.com",
    "api.whatsapp.com",
    "chat.whatsapp.com",
    "viber.me",
    "max.ru",
    "zoom.us",
    "meet.google.com",
    "telemost.yandex.ru",
    "docs.google.com",
    "drive.google.com",
    "forms.gle",
    "disk.yandex.ru",
    "yadi.sk",
    "dropbox.com",
    "bit.ly",
    "clck.ru",
    "goo.su",
    "tinyurl.com",
    "youtu.be",
    "threads.net",
];

/// Parameters that open something, however short they are.
const SECRETS: &[&str] = &[
    "token", "key", "code", "auth", "sig", "hash", "session", "sid", "pwd", "password", "pin", "otp", "uid",
];

/// From so many characters on, a value may be anybody's and no page number.
const LONG_VALUE: usize = 6;
const LONG_SEGMENT: usize = 16;

pub(super) fn detect(view: View<'_>) -> Vec<Claim> {
    let mut claims = Vec::new();
    let mut at = 0;
    while at < view.tokens.len() {
        let end = end_of_chunk(&view, at);
        if let Some(tokens) = link_in(&view, at, end) {
            claims.push(Claim { kind: Kind::Link, tokens });
        }
        at = end;
    }
    claims
}

/// Where what begins at `at` is followed by a blank.
pub(super) fn end_of_chunk(view: &View<'_>, at: usize) -> usize {
    let rest = &view.tokens[at + 1..];
    at + 1 + rest.iter().position(|token| !token.glued || token.shape == Shape::Found).unwrap_or(rest.len())
}

/// The tokens of a chunk without the brackets and stops around it.
fn link_in(view: &View<'_>, start: usize, end: usize) -> Option<std::ops::Range<usize>> {
    if end - start < 2 {
        return None;
    }
    let chunk = &view.tokens[start..end];
    let is_joint = |c: char| matches!(c, '/' | '@' | '.');
    if !chunk.iter().any(|token| matches!(token.shape, Shape::Mark(mark) if is_joint(mark))) {
        return None;
    }
    let begins =
        |shape: Shape| matches!(shape, Shape::Word(Script::Latin, _) | Shape::Digits | Shape::Mark('@'));
    let first = start + chunk.iter().position(|token| begins(token.shape))?;
    let ends =
        |shape: Shape| matches!(shape, Shape::Word(..) | Shape::Digits | Shape::Mark('/' | '=' | '-' | '_'));
    let last = start + chunk.iter().rposition(|token| ends(token.shape))?;
    if first >= last {
        return None;
    }
    let text = &view.text[view.tokens[first].start..view.tokens[last].end];
    (is_handle(text) || is_telling(text)).then_some(first..last + 1)
}

/// `@lana_hairstyle`
fn is_handle(text: &str) -> bool {
    text.strip_prefix('@').is_some_and(|handle| {
        handle.len() >= 4 && handle.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.'))
    })
}

fn is_telling(text: &str) -> bool {
    let (has_scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) if scheme.len() <= 8 => (true, rest),
        Some(_) => return false,
        None => (false, text),
    };
    let end_of_authority = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end_of_authority);
    if authority.contains('@') {
        return has_scheme;
    }
    if !authority.contains('.') || !authority.is_ascii() || authority.ends_with('.') {
        return false;
    }
    let (path, query) = rest.split_once(['?', '#']).unwrap_or((rest, ""));
    let host = authority.split(':').next().unwrap_or(authority).to_ascii_lowercase();
    let host = host.strip_prefix("www.").unwrap_or(&host);
    let is_personal = PERSONAL_HOSTS
        .iter()
        .any(|known| host.strip_suffix(known).is_some_and(|sub| sub.is_empty() || sub.ends_with('.')));
    (is_personal && path.len() > 1)
        || path.split('/').any(opens_something)
        || query.split(['&', ';']).any(is_secret)
}

/// A part of a path that nobody would type: an id, a token.
fn opens_something(segment: &str) -> bool {
    if segment.len() < LONG_SEGMENT || !segment.bytes().any(|b| b.is_ascii_digit()) {
        return false;
    }
    if segment.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') {
        return true;
    }
    let is_mixed =
        segment.bytes().any(|b| b.is_ascii_uppercase()) && segment.bytes().any(|b| b.is_ascii_lowercase());
    // "skidka20procentov" goes to digits and back once.
    let turns = segment
        .as_bytes()
        .windows(2)
        .filter(|two| two[0].is_ascii_digit() != two[1].is_ascii_digit())
        .count();
    segment.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') && (is_mixed || turns > 2)
}

fn is_secret(parameter: &str) -> bool {
    let (name, value) = parameter.split_once('=').unwrap_or(("", parameter));
    let name = name.to_ascii_lowercase();
    !value.is_empty()
        && !name.starts_with("utm_")
        && (SECRETS.contains(&name.as_str())
            || (value.len() >= LONG_VALUE && value.bytes().any(|b| b.is_ascii_digit())))
}

//! A text as tokens: words, runs of digits, single marks, and what is already a placeholder.

use std::ops::Range;

use crate::Kind;
use crate::lexicon::{Entry, Flags, LEXICON, Lexicon, WordHash};

/// One token. Blanks are not tokens; what they say is in `glued` and `new_line`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) shape: Shape,
    /// Nothing stands between this one and the one before it.
    pub(crate) glued: bool,
    /// A line ends before it.
    pub(crate) new_line: bool,
    pub(crate) entry: Entry,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Word(Script, Case),
    /// ASCII digits.
    Digits,
    Mark(char),
    /// Was found, or is a placeholder: nobody looks into it or past it.
    Found,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Script {
    Cyrillic,
    Latin,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Case {
    Lower,
    /// A capital and then small letters; a single capital, too.
    Title,
    Upper,
    Mixed,
}

impl Token {
    pub(crate) fn is(&self, flags: Flags) -> bool {
        self.entry.flags.any(flags)
    }

    pub(crate) fn is_mark(&self, mark: char) -> bool {
        self.shape == Shape::Mark(mark)
    }

    pub(crate) fn is_word(&self) -> bool {
        matches!(self.shape, Shape::Word(..))
    }

    pub(crate) fn is_digits(&self) -> bool {
        self.shape == Shape::Digits
    }

    /// Bytes; letters are one or two.
    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }

    pub(crate) fn starts_with_a_capital(&self) -> bool {
        matches!(self.shape, Shape::Word(_, Case::Title | Case::Upper))
    }

    pub(crate) fn text<'t>(&self, text: &'t str) -> &'t str {
        &text[self.start..self.end]
    }
}

/// The tokens of a text, and what there is among them.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) list: Vec<Token>,
    /// Every flag that some token has.
    pub(crate) flags: Flags,
    pub(crate) has_digits: bool,
    /// `@`, `.` or `/` between letters: a link or an address may be there.
    pub(crate) has_joints: bool,
    pub(crate) has_capitals: bool,
}

impl Tokens {
    pub(crate) fn read(text: &str) -> Self {
        Reader::new(text).read()
    }

    /// Makes one opaque token of each range of tokens; the ranges are in order and apart.
    pub(crate) fn collapse(&mut self, ranges: impl Iterator<Item = Range<usize>>) {
        let (mut read, mut written) = (0, 0);
        for range in ranges {
            self.list.copy_within(read..range.start, written);
            written += range.start - read;
            let (first, last) = (self.list[range.start], self.list[range.end - 1]);
            self.list[written] = Token { end: last.end, shape: Shape::Found, entry: Entry::UNKNOWN, ..first };
            written += 1;
            read = range.end;
        }
        let rest = self.list.len() - read;
        self.list.copy_within(read.., written);
        self.list.truncate(written + rest);
    }
}

struct Reader<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    lexicon: &'static Lexicon,
    tokens: Tokens,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        let tokens = Tokens {
            list: Vec::with_capacity(text.len() / 8),
            flags: Flags::NONE,
            has_digits: false,
            has_joints: false,
            has_capitals: false,
        };
        Self { text, bytes: text.as_bytes(), at: 0, lexicon: &LEXICON, tokens }
    }

    fn read(mut self) -> Tokens {
        let mut end_of_last = 0;
        let mut new_line = true;
        while let Some(&byte) = self.bytes.get(self.at) {
            let start = self.at;
            let (shape, entry) = match byte {
                b' ' | b'\t' => {
                    self.at += 1;
                    continue;
                }
                b'\n' | b'\r' => {
                    self.at += 1;
                    new_line = true;
                    continue;
                }
                b'0'..=b'9' => self.digits(),
                b'A'..=b'Z' | b'a'..=b'z' | 0xd0 | 0xd1 => self.word(),
                b'[' => self.placeholder_or_bracket(),
                0..=0x7f => self.mark(char::from(byte)),
                _ => {
                    let Some(wide) = self.wide() else { continue };
                    wide
                }
            };
            let glued = start == end_of_last && start > 0;
            self.tokens.list.push(Token { start, end: self.at, shape, glued, new_line, entry });
            end_of_last = self.at;
            new_line = false;
        }
        self.tokens
    }

    fn digits(&mut self) -> (Shape, Entry) {
        self.at += self.bytes[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.tokens.has_digits = true;
        (Shape::Digits, Entry::UNKNOWN)
    }

    fn mark(&mut self, mark: char) -> (Shape, Entry) {
        self.at += mark.len_utf8();
        self.tokens.has_joints |= matches!(mark, '@' | '/')
            || (mark == '.' && self.bytes.get(self.at).is_some_and(u8::is_ascii_alphabetic));
        (Shape::Mark(mark), Entry::UNKNOWN)
    }

    fn placeholder_or_bracket(&mut self) -> (Shape, Entry) {
        let here = &self.bytes[self.at..];
        let placeholder =
            Kind::ALL.iter().map(|kind| kind.placeholder()).find(|text| here.starts_with(text.as_bytes()));
        let Some(placeholder) = placeholder else { return self.mark('[') };
        self.at += placeholder.len();
        (Shape::Found, Entry::UNKNOWN)
    }

    /// What begins with neither ASCII nor the common Cyrillic letters; nothing for a blank.
    fn wide(&mut self) -> Option<(Shape, Entry)> {
        let next = self.text[self.at..].chars().next()?;
        if next.is_whitespace() || is_invisible(next) {
            self.at += next.len_utf8();
            return None;
        }
        if next.is_alphabetic() { Some(self.word()) } else { Some(self.mark(next)) }
    }

    fn word(&mut self) -> (Shape, Entry) {
        let mut word = WordInHand::default();
        let bytes = self.bytes;
        let mut at = self.at;
        while let Some(&byte) = bytes.get(at) {
            at += match byte {
                b'a'..=b'z' => word.push_ascii(byte, false),
                b'A'..=b'Z' => word.push_ascii(byte.to_ascii_lowercase(), true),
                0xd0 | 0xd1 => match bytes.get(at + 1) {
                    Some(second) => word.push_cyrillic(byte, *second),
                    None => break,
                },
                0..=0x7f => break,
                _ => match self.text[at..].chars().next() {
                    Some(next) if next.is_alphabetic() => word.push_wide(next),
                    Some(next) if is_joined_to_a_letter(next) => word.push_accent(next, &bytes[..at]),
                    _ => break,
                },
            };
        }
        self.at = at;
        let entry = self.lexicon.get(word.hash);
        self.tokens.flags = self.tokens.flags.with(entry.flags);
        let case = word.case();
        self.tokens.has_capitals |= case != Case::Lower;
        (Shape::Word(word.script(), case), entry)
    }
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' | '\u{fe0f}')
}

/// Stress marks, and the second halves of й and ё as some keyboards send them.
fn is_joined_to_a_letter(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// A word while it is read: the hash of its lower-case form as the dictionary has it (ё is е), and how it is written.
#[derive(Default)]
struct WordInHand {
    hash: WordHash,
    /// Without the last letter, for й in two halves.
    before_last: WordHash,
    letters: usize,
    capitals: usize,
    first_is_capital: bool,
    has_cyrillic: bool,
    has_latin: bool,
    has_other: bool,
}

impl WordInHand {
    fn push(&mut self, lower: u32, capital: bool) {
        self.first_is_capital |= capital && self.letters == 0;
        self.capitals += usize::from(capital);
        self.letters += 1;
        self.before_last = self.hash;
        self.hash = self.hash.with(lower);
    }

    fn push_ascii(&mut self, lower: u8, capital: bool) -> usize {
        self.has_latin = true;
        self.push(u32::from(lower), capital);
        1
    }

    /// The two bytes of U+0400 to U+047F.
    fn push_cyrillic(&mut self, first: u8, second: u8) -> usize {
        let letter = (u32::from(first) & 0x1f) << 6 | u32::from(second) & 0x3f;
        let (lower, capital) = match letter {
            0x410..=0x42f => (letter + 0x20, true),
            // Ё and ё are looked up as е.
            0x401 => (0x435, true),
            0x451 => (0x435, false),
            // The rest of the block's capitals: Ђ to Џ.
            0x400..=0x40f => (letter + 0x50, true),
            _ => (letter, false),
        };
        self.has_cyrillic = true;
        self.push(lower, capital);
        2
    }

    fn push_wide(&mut self, c: char) -> usize {
        self.has_latin |= c < '\u{250}';
        self.has_other |= c >= '\u{250}';
        self.push(u32::from(c.to_lowercase().next().unwrap_or(c)), c.is_uppercase());
        c.len_utf8()
    }

    /// A mark over the last letter: nothing, but for what makes й of и.
    fn push_accent(&mut self, c: char, before: &[u8]) -> usize {
        if c == '\u{306}' && (before.ends_with("и".as_bytes()) || before.ends_with("И".as_bytes())) {
            self.hash = self.before_last.with(u32::from('й'));
        }
        c.len_utf8()
    }

    fn case(&self) -> Case {
        match (self.first_is_capital, self.capitals) {
            (false, 0) => Case::Lower,
            (true, 1) => Case::Title,
            (_, capitals) if capitals == self.letters => Case::Upper,
            _ => Case::Mixed,
        }
    }

    fn script(&self) -> Script {
        match (self.has_cyrillic, self.has_latin, self.has_other) {
            (true, false, false) => Script::Cyrillic,
            (false, true, false) => Script::Latin,
            _ => Script::Other,
        }
    }
}

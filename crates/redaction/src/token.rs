//! A text as tokens: words, runs of digits, single marks, and what is already a placeholder.

use std::ops::Range;

use crate::Kind;
use crate::lexicon::{Entry, Flags, LEXICON, Table, WordHash};

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
    end_of_last: usize,
    new_line: bool,
    lexicon: &'static Table,
    tokens: Tokens,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        let tokens = Tokens {
            list: Vec::with_capacity(text.len() / 5 + 1),
            flags: Flags::NONE,
            has_digits: false,
            has_joints: false,
            has_capitals: false,
        };
        let (bytes, lexicon) = (text.as_bytes(), &*LEXICON);
        Self { text, bytes, at: 0, end_of_last: 0, new_line: true, lexicon, tokens }
    }

    fn read(mut self) -> Tokens {
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b' ' | b'\t' => self.at += 1,
                b'\n' | b'\r' => {
                    self.at += 1;
                    self.new_line = true;
                }
                b'0'..=b'9' => self.digits(),
                b'A'..=b'Z' | b'a'..=b'z' | 0xd0 | 0xd1 => self.word(),
                b'[' => self.placeholder_or_bracket(),
                0..=0x7f => self.mark(char::from(byte)),
                _ => self.wide(),
            }
        }
        self.tokens
    }

    /// A token from here to `end`.
    fn push(&mut self, end: usize, shape: Shape, entry: Entry) {
        let start = self.at;
        let glued = start == self.end_of_last && start > 0;
        self.tokens.list.push(Token { start, end, shape, glued, new_line: self.new_line, entry });
        (self.at, self.end_of_last, self.new_line) = (end, end, false);
    }

    fn digits(&mut self) {
        let length = self.bytes[self.at..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.tokens.has_digits = true;
        self.push(self.at + length, Shape::Digits, Entry::UNKNOWN);
    }

    fn mark(&mut self, mark: char) {
        let end = self.at + mark.len_utf8();
        self.tokens.has_joints |= matches!(mark, '@' | '/')
            || (mark == '.' && self.bytes.get(end).is_some_and(u8::is_ascii_alphabetic));
        self.push(end, Shape::Mark(mark), Entry::UNKNOWN);
    }

    fn placeholder_or_bracket(&mut self) {
        let here = &self.bytes[self.at..];
        let mut placeholders = Kind::ALL.iter().map(|kind| kind.placeholder());
        match placeholders.find(|text| here.starts_with(text.as_bytes())) {
            Some(placeholder) => self.push(self.at + placeholder.len(), Shape::Found, Entry::UNKNOWN),
            None => self.mark('['),
        }
    }

    /// What begins with neither ASCII nor the common Cyrillic letters.
    fn wide(&mut self) {
        let Some(next) = self.text[self.at..].chars().next() else { return };
        if next.is_whitespace() || is_invisible(next) {
            self.at += next.len_utf8();
        } else if next.is_alphabetic() {
            self.word();
        } else {
            self.mark(next);
        }
    }

    fn word(&mut self) {
        let mut word = WordInHand::default();
        let bytes = self.bytes;
        let mut at = self.at;
        while let Some(&byte) = bytes.get(at) {
            at += match byte {
                0xd0 | 0xd1 => word.push_cyrillic(&bytes[at..]),
                b'a'..=b'z' | b'A'..=b'Z' => word.push_ascii(&bytes[at..]),
                0..=0x7f => break,
                _ => match self.text[at..].chars().next() {
                    Some(next) if next.is_alphabetic() => word.push_wide(next),
                    Some(next) if is_joined_to_a_letter(next) => word.push_accent(next, &bytes[..at]),
                    _ => break,
                },
            };
        }
        let entry = self.lexicon.get(word.hash);
        self.tokens.flags = self.tokens.flags.with(entry.flags);
        let case = word.case();
        self.tokens.has_capitals |= case != Case::Lower;
        self.push(at, Shape::Word(word.script(), case), entry);
    }
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}' | '\u{fe0f}')
}

/// Stress marks, and the second halves of й and ё as some keyboards send them.
fn is_joined_to_a_letter(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

/// How each letter of U+0400 to U+047F is looked up, and whether it is a capital.
const CYRILLIC: [(u32, bool); 128] = {
    let mut letters = [(0, false); 128];
    let mut place = 0;
    let mut letter = 0x400;
    while place < letters.len() {
        letters[place] = match letter {
            0x410..=0x42f => (letter + 0x20, true),
            // Ё and ё are looked up as е.
            0x401 => (0x435, true),
            0x451 => (0x435, false),
            // The rest of the block's capitals: Ђ to Џ.
            0x400..=0x40f => (letter + 0x50, true),
            _ => (letter, false),
        };
        place += 1;
        letter += 1;
    }
    letters
};

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

    /// As many letters of ASCII as there are at the head of `bytes`, at least one; how many bytes they are.
    fn push_ascii(&mut self, bytes: &[u8]) -> usize {
        self.has_latin = true;
        let letters = bytes.iter().take_while(|byte| byte.is_ascii_alphabetic());
        let before = self.letters;
        letters.for_each(|byte| self.push(u32::from(byte.to_ascii_lowercase()), byte.is_ascii_uppercase()));
        self.letters - before
    }

    /// The same of U+0400 to U+047F, which are two bytes each.
    fn push_cyrillic(&mut self, bytes: &[u8]) -> usize {
        self.has_cyrillic = true;
        let (pairs, _) = bytes.as_chunks::<2>();
        let letters = pairs.iter().take_while(|[first, _]| matches!(first, 0xd0 | 0xd1));
        let before = self.letters;
        letters.for_each(|[first, second]| {
            let (lower, is_capital) = CYRILLIC[usize::from(first & 1) << 6 | usize::from(second & 0x3f)];
            self.push(lower, is_capital);
        });
        2 * (self.letters - before)
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

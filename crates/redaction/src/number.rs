//! Digits in words: "восемь девятьсот тринадцать", "double five".

use crate::lexicon::Flags;
use crate::token::{Script, Shape, Token};

/// What each word counts.
pub(crate) const NUMBER_WORDS: &[(u16, &str)] = &[
    (0, "ноль нуль нолик ноля zero oh"),
    (1, "один одна раз единица единичка одно one"),
    (2, "два две двойка two double"),
    (3, "три тройка three triple"),
    (4, "четыре four"),
    (5, "пять five"),
    (6, "шесть six"),
    (7, "семь семёрка seven"),
    (8, "восемь восьмёрка eight"),
    (9, "девять девятка nine"),
    (10, "десять ten"),
    (11, "одиннадцать eleven"),
    (12, "двенадцать twelve"),
    (13, "тринадцать thirteen"),
    (14, "четырнадцать fourteen"),
    (15, "пятнадцать fifteen"),
    (16, "шестнадцать sixteen"),
    (17, "семнадцать seventeen"),
    (18, "восемнадцать eighteen"),
    (19, "девятнадцать nineteen"),
    (20, "двадцать twenty"),
    (30, "тридцать thirty"),
    (40, "сорок forty"),
    (50, "пятьдесят fifty"),
    (60, "шестьдесят sixty"),
    (70, "семьдесят seventy"),
    (80, "восемьдесят eighty"),
    (90, "девяносто ninety"),
    (100, "сто hundred"),
    (200, "двести"),
    (300, "триста"),
    (400, "четыреста"),
    (500, "пятьсот"),
    (600, "шестьсот"),
    (700, "семьсот"),
    (800, "восемьсот"),
    (900, "девятьсот"),
];

/// At most this many words make one number.
const LONGEST: usize = 3;

/// The digits of one number in words, most significant first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spoken {
    digits: [u8; 3],
    length: usize,
    /// How many tokens it takes.
    pub(crate) tokens: usize,
}

impl Spoken {
    /// Reads one number at the head of `tokens`: a digit, "сорок пять", "девятьсот тринадцать", "double five".
    pub(crate) fn read(tokens: &[Token]) -> Option<Self> {
        let first = tokens.first()?;
        if first.is(Flags::TIMES) {
            let digit = u8::try_from(tokens.get(1)?.entry.number().filter(|value| *value < 10)?).ok()?;
            return Some(Self {
                digits: [digit; 3],
                length: if is_triple(first) { 3 } else { 2 },
                tokens: 2,
            });
        }
        let mut value = first.entry.number()?;
        let mut taken = 1;
        // What may still be added: tens to a hundred, a digit to tens.
        let mut room = room_below(value);
        while taken < LONGEST {
            let Some(token) = tokens.get(taken) else { break };
            let Some(next) = token.entry.number() else { break };
            if next == 100 && value < 10 && matches!(token.shape, Shape::Word(Script::Latin, _)) {
                (value, room, taken) = (value * 100, 100, taken + 1);
                continue;
            }
            if next == 0 || next >= room {
                break;
            }
            (value, room, taken) = (value + next, room_below(next), taken + 1);
        }
        let (digits, length) = digits_of(value);
        Some(Self { digits, length, tokens: taken })
    }

    pub(crate) fn digits(&self) -> &[u8] {
        &self.digits[..self.length]
    }
}

fn is_triple(token: &Token) -> bool {
    token.entry.number() == Some(3)
}

fn room_below(value: u16) -> u16 {
    match value {
        100.. => 100,
        20..=99 => 10,
        _ => 0,
    }
}

fn digits_of(value: u16) -> ([u8; 3], usize) {
    let digit = |unit: u16| u8::try_from(value / unit % 10).unwrap_or(0);
    match value {
        100.. => ([digit(100), digit(10), digit(1)], 3),
        10..=99 => ([digit(10), digit(1), 0], 2),
        _ => ([digit(1), 0, 0], 1),
    }
}

/// The value of up to four ASCII digits.
pub(crate) fn small_number(text: &str, token: &Token) -> Option<u16> {
    if token.shape != Shape::Digits || token.len() > 4 {
        return None;
    }
    Some(token.text(text).bytes().fold(0, |number, digit| number * 10 + u16::from(digit - b'0')))
}

//! What holds for any text.

use proptest::prelude::*;
use redaction::{find, redact};

/// Pieces from which a text is made that has something to find, or nearly.
const PIECES: &[&str] = &[
    "Анна",
    "Вера",
    "Сергеевна",
    "Иванова",
    "мастер",
    "меня зовут",
    "8",
    "913",
    "123-45-67",
    "+7",
    "(383)",
    "восемь",
    "девятьсот",
    "двадцать",
    "три",
    "и",
    "паспорт",
    "4510",
    "123456",
    "снилс",
    "117-094-180 45",
    "2202",
    "2780 5504",
    "0640",
    "@",
    "собака",
    "мейл",
    "точка",
    "ру",
    "mail.ru",
    "https://",
    "t.me/",
    "x?token=1",
    "ул.",
    "Ленина",
    "дом",
    "5",
    ",",
    "кв.",
    "12",
    "м²",
    "родилась",
    "15.03.1985",
    "марта",
    "г.р.",
    "[имя]",
    "[телефон]",
    "«",
    "»",
    ".",
    "!",
    "-",
    "А.",
    "С.",
    "James",
    "Rose",
    "John",
    "Baker Street",
    "на",
    "к",
    "салон",
    "\n",
    "№",
    "заказ",
    "ещё",
    "г.",
    "Омск",
    "630099",
    "эээ",
    "double",
    "five",
    "Шульга",
    "Б",
    "й\u{306}",
    "\u{301}",
    "_",
    "/",
    ":",
    "=",
];

fn pieced() -> impl Strategy<Value = String> {
    let piece = (prop::sample::select(PIECES), prop::bool::weighted(0.8));
    prop::collection::vec(piece, 0..40).prop_map(|pieces| {
        pieces.into_iter().map(|(piece, blank)| format!("{piece}{}", if blank { " " } else { "" })).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn redacting_twice_changes_nothing(text in pieced()) {
        let once = redact(&text).into_owned();
        prop_assert_eq!(redact(&once), once.as_str(), "{}", text);
    }

    #[test]
    fn findings_stand_in_order_and_apart_on_the_borders_of_letters(text in pieced()) {
        let mut end = 0;
        for finding in find(&text) {
            prop_assert!(finding.range.start >= end && finding.range.start < finding.range.end, "{}", text);
            prop_assert!(text.get(finding.range.clone()).is_some());
            end = finding.range.end;
        }
    }

    #[test]
    fn any_text_at_all_is_read(text in "\\PC*") {
        let once = redact(&text).into_owned();
        prop_assert_eq!(redact(&once), once.as_str());
    }
}

#[test]
fn an_address_as_long_as_a_delivery_is_read_to_its_end() {
    for part in ["/1", "-45", " корп 1", ", кв 7", "к2"] {
        let text = format!("ул. Ленина 1{}", part.repeat(1_000_000 / part.len()));
        assert!(redact(&text).contains("[адрес]"), "{part}");
    }
}

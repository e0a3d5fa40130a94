//! Forms of Russian names, by rule. Everything here is in lower case with е for ё.

use std::sync::LazyLock;

/// How surely a word is a surname by how it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Surname {
    /// Beside a first name: "Шульга", "Ким" do not look like one, "Ильин" and "Ложкин" may be anything.
    Weak,
    /// In the middle of a sentence with a capital: "Рогожина", "Бондарев".
    Strong,
    /// Wherever it has a capital: "Кобахидзе", "Приходько".
    Certain,
}

const HUSHING: &str = "жшчщц";
const BACK: &str = "гкх";

/// Calls `form` with every case of a first name, short or full.
pub(super) fn first_name_forms(name: &str, is_masculine: bool, mut form: impl FnMut(&str)) {
    form(name);
    let stem = irregular_stem(name);
    let Some(last) = name.chars().last() else { return };
    let endings: &[&str] = match last {
        'а' if ends_before_last_in(name, HUSHING) => &["и", "ы", "е", "у", "ей", "ой"],
        'а' if ends_before_last_in(name, BACK) => &["и", "е", "у", "ой", "ою"],
        'а' => &["ы", "е", "у", "ой", "ою"],
        'я' => &["и", "е", "ю", "ей", "ею"],
        'й' if is_masculine => &["я", "ю", "ем", "е", "и"],
        'ь' if is_masculine => &["я", "ю", "ем", "е"],
        'ь' => &["и", "ью"],
        'б'..='щ' if is_masculine && !"оеиу".contains(last) => &["а", "у", "ом", "ем", "е"],
        _ => &[],
    };
    for ending in endings {
        form(&format!("{stem}{ending}"));
    }
}

/// What the endings are put on.
fn irregular_stem(name: &str) -> String {
    match name {
        "лев" => "льв".to_owned(),
        "павел" => "павл".to_owned(),
        "любовь" => "любов".to_owned(),
        _ if name.ends_with(['а', 'я', 'й', 'ь']) => without_last(name).to_owned(),
        // Санёк, Игорёк: the vowel goes.
        _ if name.ends_with("ек") => format!("{}ьк", &name[..name.len() - "ек".len()]),
        _ if name.ends_with("ок") && name.len() > "ок".len() * 2 => {
            format!("{}к", &name[..name.len() - "ок".len()])
        }
        _ => name.to_owned(),
    }
}

/// "Маш!", "Тань!", "Кать!": how a short name is called out.
pub(super) fn vocative(name: &str, mut form: impl FnMut(&str)) {
    if name.chars().count() > 7 {
        return;
    }
    if let Some(stem) = name.strip_suffix('а') {
        form(stem);
    } else if let Some(stem) =
        name.strip_suffix('я').filter(|stem| stem.ends_with(['н', 'т', 'л', 'д', 'с', 'р']))
    {
        form(&format!("{stem}ь"));
    }
}

/// Calls `form` with every case of both patronymics of a name, and of how they are said in haste.
pub(super) fn patronymics(name: &str, mut form: impl FnMut(&str)) {
    let mut both = |masculine: String, feminine: String| {
        for ending in ["", "а", "у", "ем", "е"] {
            form(&format!("{masculine}{ending}"));
        }
        for ending in ["а", "ы", "е", "у", "ой"] {
            form(&format!("{feminine}{ending}"));
        }
    };
    match name {
        "лев" => return both("львович".to_owned(), "львовн".to_owned()),
        "павел" => return both("павлович".to_owned(), "павловн".to_owned()),
        "яков" => return both("яковлевич".to_owned(), "яковлевн".to_owned()),
        "михаил" => both("михайлович".to_owned(), "михайловн".to_owned()),
        "илья" => return both("ильич".to_owned(), "ильиничн".to_owned()),
        "никита" => return both("никитич".to_owned(), "никитичн".to_owned()),
        "кузьма" => return both("кузьмич".to_owned(), "кузьминичн".to_owned()),
        "фома" => return both("фомич".to_owned(), "фоминичн".to_owned()),
        "лука" => return both("лукич".to_owned(), "лукиничн".to_owned()),
        "александр" => both("саныч".to_owned(), "санн".to_owned()),
        _ => {}
    }
    let stem = without_last(name);
    if let Some(stem) = name.strip_suffix("ий") {
        both(format!("{stem}ьевич"), format!("{stem}ьевн"));
        both(format!("{stem}иевич"), format!("{stem}иевн"));
    } else if name.ends_with(['й', 'ь']) {
        both(format!("{stem}евич"), format!("{stem}евн"));
        both(format!("{stem}ич"), format!("{stem}вн"));
    } else if name.ends_with(['а', 'я']) {
        both(format!("{stem}ович"), format!("{stem}овн"));
    } else {
        both(format!("{name}ович"), format!("{name}овн"));
        both(format!("{name}ыч"), format!("{name}ыьн"));
    }
}

/// Calls `form` with every case, gender and number of a surname given in the masculine.
pub(super) fn surname_forms(name: &str, mut form: impl FnMut(&str)) {
    form(name);
    let endings: &[&str] = if ["ов", "ев", "ин", "ын"].iter().any(|end| name.ends_with(end)) {
        &["а", "у", "ым", "е", "ой", "ою", "ы", "ых", "ыми"]
    } else if name.ends_with("ко") || name.ends_with(['и', 'е', 'у', 'ю', 'о']) {
        &[]
    } else if name.ends_with("ий") || name.ends_with("ый") {
        return adjective_forms(without_last(without_last(name)), form);
    } else if name.ends_with('а') {
        return first_name_forms(name, false, form);
    } else {
        &["а", "у", "ом", "ем", "е"]
    };
    let stem = if name.ends_with(['ь', 'й']) { without_last(name) } else { name };
    for ending in endings {
        form(&format!("{stem}{ending}"));
    }
}

fn adjective_forms(stem: &str, mut form: impl FnMut(&str)) {
    for ending in ["ого", "ому", "им", "ым", "ом", "ая", "ой", "ую", "ие", "ые", "их", "ых"]
    {
        form(&format!("{stem}{ending}"));
    }
}

const CERTAIN: &[&str] = &[
    "енко",
    "швили",
    "идзе",
    "адзе",
    "ейко",
    "ицкая",
    "ицкую",
    "евская",
    "евскую",
    "инская",
    "инскую",
    "чук",
    "чука",
    "чуку",
    "чуком",
    "ньков",
    "ьянц",
    "ович",
    "евич",
];
const STRONG: &[&str] = &[
    "ов",
    "ова",
    "ову",
    "овой",
    "овым",
    "овых",
    "ев",
    "ева",
    "еву",
    "евой",
    "евым",
    "евых",
    "ян",
    "яна",
    "яну",
    "яном",
    "юк",
    "юка",
    "юку",
    "дзе",
    "ько",
    "улина",
    "улину",
    "уллин",
    "уллина",
    "шин",
    "шина",
    "шину",
    "шиной",
    "шиным",
    "кин",
    "кина",
    "кину",
    "киной",
    "киным",
    "нин",
    "нина",
    "нину",
    "ниной",
    "ниным",
    "хин",
    "хина",
    "хину",
    "хиной",
];
const WEAK: &[&str] = &[
    "ин",
    "ина",
    "ину",
    "иной",
    "иным",
    "ын",
    "ына",
    "ыну",
    "ыной",
    "ыным",
    "ский",
    "ская",
    "скую",
    "ской",
    "ского",
    "скому",
    "ским",
    "цкий",
    "цкая",
    "цкую",
    "цкой",
    "цкого",
    "цкому",
    "их",
    "ых",
    "ук",
    "ука",
    "уку",
    "як",
    "яка",
    "яку",
    "ец",
    "ик",
    "ман",
    "берг",
    "штейн",
    "ли",
    "ой",
    "ый",
    "ич",
    "ая",
    "ую",
    "ове",
    "еве",
];

/// The endings by the last byte of their last letter, the surest first.
static ENDINGS: LazyLock<[Vec<(&str, Surname)>; 64]> = LazyLock::new(|| {
    let mut endings = [const { Vec::new() }; 64];
    for (endings_of, surname) in
        [(CERTAIN, Surname::Certain), (STRONG, Surname::Strong), (WEAK, Surname::Weak)]
    {
        for ending in endings_of {
            endings[place(ending)].push((*ending, surname));
        }
    }
    endings
});

fn place(word: &str) -> usize {
    word.bytes().last().map_or(0, |last| usize::from(last & 0x3f))
}

/// What an unknown word looks like by its ending; all but its first letter is in lower case.
pub(crate) fn surname_by_ending(word: &str) -> Option<Surname> {
    if word.chars().count() < 5 {
        return None;
    }
    let (_, surname) = ENDINGS[place(word)].iter().find(|(ending, _)| word.ends_with(ending))?;
    Some(*surname)
}

/// Whether an unknown word with a capital is a patronymic by its ending: "Гивиевна", "Рашидовичу".
pub(crate) fn is_patronymic(word: &str) -> bool {
    const FEMININE: &[&str] = &["овн", "евн", "ичн"];
    const MASCULINE: &[&str] = &["ович", "евич"];
    const OTHERS: &[&str] = &["уховн", "иновн", "сновн", "ерковн", "словн", "ерховн"];
    let mut feminine = ["а", "ы", "е", "у", "ой"].iter().filter_map(|ending| word.strip_suffix(ending));
    let mut masculine = ["", "а", "у", "е", "ем"].iter().filter_map(|ending| word.strip_suffix(ending));
    let looks_like_one = feminine
        .any(|stem| FEMININE.iter().any(|end| stem.ends_with(end)) && !stem.ends_with("ничн"))
        || masculine.any(|stem| MASCULINE.iter().any(|end| stem.ends_with(end)));
    looks_like_one && word.chars().count() >= 7 && !OTHERS.iter().any(|other| word.contains(other))
}

fn without_last(word: &str) -> &str {
    let mut chars = word.chars();
    let _last = chars.next_back();
    chars.as_str()
}

fn ends_before_last_in(word: &str, letters: &str) -> bool {
    word.chars().rev().nth(1).is_some_and(|before| letters.contains(before))
}

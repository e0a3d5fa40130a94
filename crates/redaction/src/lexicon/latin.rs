//! How Russian names are written in Latin letters: "Yulia", "Julia" and "Iuliia" are one.

/// Calls `form` with the usual spellings of a name in lower-case Cyrillic; none for one of fewer than four letters.
pub(super) fn spellings(name: &str, mut form: impl FnMut(&str)) {
    if name.chars().count() < 4 {
        return;
    }
    for style in [
        Style { ya: "ya", yu: "yu", ending: "iya", kh: "kh", ks: "ks", y: "y" },
        Style { ya: "ia", yu: "iu", ending: "ia", kh: "h", ks: "x", y: "i" },
        Style { ya: "ya", yu: "yu", ending: "ia", kh: "kh", ks: "ks", y: "y" },
        Style { ya: "ja", yu: "ju", ending: "ija", kh: "h", ks: "ks", y: "j" },
        Style { ya: "ya", yu: "ju", ending: "ia", kh: "h", ks: "x", y: "y" },
    ] {
        form(&style.spell(name));
    }
}

struct Style {
    ya: &'static str,
    yu: &'static str,
    ending: &'static str,
    kh: &'static str,
    ks: &'static str,
    y: &'static str,
}

impl Style {
    fn spell(&self, name: &str) -> String {
        let mut latin = String::new();
        let (stem, ending) = match name.strip_suffix("ия") {
            Some(stem) => (stem, self.ending),
            None => match name.strip_suffix("ий") {
                Some(stem) => (stem, self.y),
                None => (name, ""),
            },
        };
        let letters: Vec<char> = stem.chars().collect();
        for (index, &letter) in letters.iter().enumerate() {
            let next = letters.get(index + 1);
            latin.push_str(match letter {
                'к' if next == Some(&'с') => self.ks,
                'с' if index > 0 && letters[index - 1] == 'к' => "",
                _ => self.letter(letter, index == 0),
            });
        }
        latin + ending
    }

    fn letter(&self, letter: char, is_first: bool) -> &'static str {
        match letter {
            'а' => "a",
            'б' => "b",
            'в' => "v",
            'г' => "g",
            'д' => "d",
            'е' if is_first && self.y == "y" && self.yu == "yu" => "e",
            'е' | 'э' => "e",
            'ж' => "zh",
            'з' => "z",
            'и' => "i",
            'й' => self.y,
            'к' => "k",
            'л' => "l",
            'м' => "m",
            'н' => "n",
            'о' => "o",
            'п' => "p",
            'р' => "r",
            'с' => "s",
            'т' => "t",
            'у' => "u",
            'ф' => "f",
            'х' => self.kh,
            'ц' => "ts",
            'ч' => "ch",
            'ш' => "sh",
            'щ' => "shch",
            'ы' => "y",
            'ю' => self.yu,
            'я' => self.ya,
            _ => "",
        }
    }
}

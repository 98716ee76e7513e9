//! Names of schools as words that can be compared.

/// Words that say what sort of school it is, and not which.
const SORTS: [&str; 36] = [
    "all",
    "boys",
    "ce",
    "church",
    "college",
    "comprehensive",
    "first",
    "form",
    "girls",
    "grammar",
    "high",
    "independent",
    "infant",
    "international",
    "junior",
    "lower",
    "methodist",
    "middle",
    "nursery",
    "preparatory",
    "primary",
    "private",
    "pupil",
    "rc",
    "referral",
    "saints",
    "secondary",
    "sixth",
    "special",
    "sports",
    "st",
    "studio",
    "technical",
    "technology",
    "unit",
    "upper",
];

/// Words that are left out and added at will.
const LOOSE: [&str; 14] = [
    "academy",
    "and",
    "community",
    "controlled",
    "for",
    "foundation",
    "free",
    "of",
    "school",
    "the",
    "trust",
    "va",
    "vc",
    "voluntary",
];

/// What people write for what; longer ones first where one begins another.
const SPELLINGS: [(&[&str], &str); 52] = [
    (&["church", "of", "england"], "ce"),
    (&["church", "in", "wales"], "ce"),
    (&["c", "of", "england"], "ce"),
    (&["ch", "of", "eng"], "ce"),
    (&["c", "of", "e"], "ce"),
    (&["c", "e"], "ce"),
    (&["cofe"], "ce"),
    (&["coe"], "ce"),
    (&["c", "o", "e"], "ce"),
    (&["anglican"], "ce"),
    (&["roman", "catholic"], "rc"),
    (&["r", "c"], "rc"),
    (&["catholic"], "rc"),
    (&["cath"], "rc"),
    (&["voluntary", "aided"], "va"),
    (&["voluntary", "controlled"], "vc"),
    (&["v", "a"], "va"),
    (&["v", "c"], "vc"),
    (&["aided"], "va"),
    (&["controlled"], "vc"),
    (&["saint"], "st"),
    (&["saints"], "st"),
    (&["ss"], "st"),
    (&["jnr"], "junior"),
    (&["jun"], "junior"),
    (&["jr"], "junior"),
    (&["juniors"], "junior"),
    (&["inf"], "infant"),
    (&["infants"], "infant"),
    (&["pri"], "primary"),
    (&["prim"], "primary"),
    (&["jmi"], "primary"),
    (&["jm", "i"], "primary"),
    (&["j", "m", "i"], "primary"),
    (&["acad"], "academy"),
    (&["sch"], "school"),
    (&["schl"], "school"),
    (&["schools"], "school"),
    (&["sec"], "secondary"),
    (&["comp"], "comprehensive"),
    (&["nur"], "nursery"),
    (&["nurs"], "nursery"),
    (&["coll"], "college"),
    (&["meth"], "methodist"),
    (&["comm"], "community"),
    (&["prep"], "preparatory"),
    (&["6th"], "sixth"),
    (&["nth"], "north"),
    (&["sth"], "south"),
    (&["rd"], "road"),
    (&["ln"], "lane"),
    (&["pk"], "park"),
];

/// A name, in words without accents, apostrophes and other ways of writing them.
#[derive(Debug, Clone)]
pub(super) struct Name {
    pub(super) words: Vec<Word>,
}

/// A word of a name.
#[derive(Debug, Clone)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) role: Role,
    /// How much it tells; set by the rarity of the word among all names.
    pub(super) weight: f64,
}

/// What a word does in a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Tells this school from others.
    Telling,
    /// Says what sort of school it is.
    Sort,
    /// Is left out and added at will.
    Loose,
}

impl Name {
    pub(super) fn new(text: &str) -> Self {
        let words = words(text);
        let mut rest = words.as_slice();
        let mut spelt = Vec::new();
        while let Some((first, after)) = rest.split_first() {
            let spelling = SPELLINGS.iter().find(|(written, _)| {
                let start = rest.get(..written.len());
                start.is_some_and(|start| start == *written)
            });
            if let Some((written, meant)) = spelling {
                spelt.push(Word::new((*meant).to_owned()));
                rest = rest.get(written.len()..).unwrap_or_default();
            } else {
                spelt.push(Word::new(first.clone()));
                rest = after;
            }
        }
        Self { words: spelt }
    }

    /// Takes a school's number out of the name.
    pub(super) fn take_urn(&mut self) -> Option<String> {
        let is_digit = |byte: u8| byte.is_ascii_digit();
        let mut words = self.words.iter();
        let at = words.position(|word| word.text.len() == 6 && word.text.bytes().all(is_digit))?;
        let urn = self.words.remove(at).text;
        self.words.retain(|word| word.text != "urn");
        Some(urn)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether both are one name but for words that are left out and added at will.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let firm = |name: &Self| {
            let words = name.words.iter().filter(|word| word.role != Role::Loose);
            words.map(|word| word.text.clone()).collect::<Vec<_>>()
        };
        firm(self) == firm(other)
    }

    /// The words that tell this school from others; all, when there are no such.
    pub(super) fn telling(&self) -> Vec<&str> {
        let telling = self.words.iter().filter(|word| word.role == Role::Telling);
        let telling = telling.map(|word| word.text.as_str()).collect::<Vec<_>>();
        if telling.is_empty() {
            self.words.iter().map(|word| word.text.as_str()).collect()
        } else {
            telling
        }
    }
}

impl Word {
    fn new(text: String) -> Self {
        let role = if LOOSE.contains(&text.as_str()) {
            Role::Loose
        } else if SORTS.contains(&text.as_str()) {
            Role::Sort
        } else {
            Role::Telling
        };
        Self {
            text,
            role,
            weight: 1.0,
        }
    }
}

/// The words of a text, in small letters without accents; apostrophes part no words.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut plain = String::with_capacity(text.len());
    for char in text.chars().flat_map(char::to_lowercase) {
        match char {
            '\'' | '’' | '‘' | '`' | '´' | 'ʼ' => {}
            '&' | '+' => plain.push_str(" and "),
            char if char.is_alphanumeric() => push_plain(&mut plain, char),
            // A combining accent that stands after its letter.
            '\u{300}'..='\u{36F}' => {}
            _ => plain.push(' '),
        }
    }
    plain.split_whitespace().map(str::to_owned).collect()
}

fn push_plain(text: &mut String, char: char) {
    let letter = match char {
        'à'..='å' | 'ā' | 'ă' => 'a',
        'ç' | 'ć' | 'č' => 'c',
        'è'..='ë' | 'ē' | 'ę' | 'ě' => 'e',
        'ì'..='ï' | 'ī' => 'i',
        'ñ' | 'ń' => 'n',
        'ò'..='ö' | 'ø' | 'ō' | 'ő' => 'o',
        'ù'..='ü' | 'ū' | 'ů' => 'u',
        'ý' | 'ÿ' | 'ŷ' => 'y',
        'ŵ' => 'w',
        'š' | 'ś' => 's',
        'ž' | 'ź' | 'ż' => 'z',
        'ł' => 'l',
        'æ' => return text.push_str("ae"),
        'œ' => return text.push_str("oe"),
        'ß' => return text.push_str("ss"),
        other => other,
    };
    text.push(letter);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelt(name: &str) -> Vec<String> {
        let words = Name::new(name).words.into_iter();
        words.map(|word| word.text).collect()
    }

    fn same(one: &str, other: &str) {
        assert_eq!(spelt(one), spelt(other), "{one} and {other}");
    }

    #[test]
    fn the_usual_ways_of_writing_are_one() {
        same("St Mary's C of E Primary School", "Saint Marys CE Pri Sch");
        same(
            "St. Mary’s Church of England Primary",
            "ST MARY'S C.E. PRIMARY",
        );
        same(
            "SS Peter & Paul RC Acad",
            "St Peter and Paul Roman Catholic Academy",
        );
        same(
            "Thornhill Jnr. & Inf. School",
            "Thornhill Junior and Infants' School",
        );
        same("École Saint-Élise", "ecole st elise");
        same(
            "Hope CofE (VA) Primary",
            "Hope C of E Voluntary Aided Primary",
        );
    }

    #[test]
    fn a_number_in_the_name_is_taken_out() {
        let mut name = Name::new("Anston Brook (URN 106001)");
        assert_eq!(name.take_urn().as_deref(), Some("106001"));
        assert!(name.is_same(&Name::new("Anston Brook")));
    }

    #[test]
    fn telling_words_are_those_that_others_have_not() {
        let name = Name::new("St Mary's Catholic Primary School");
        assert_eq!(name.telling(), ["marys"]);
        assert_eq!(
            Name::new("The Free School").telling(),
            ["the", "free", "school"]
        );
    }
}

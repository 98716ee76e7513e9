//! People's names as texts write them: folded, with titles, initials and short forms.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Words before a name that are not part of it.
const TITLES: &[&str] = &[
    "mr",
    "mrs",
    "ms",
    "miss",
    "mx",
    "dr",
    "prof",
    "professor",
    "sir",
    "dame",
    "rev",
    "revd",
    "madam",
    "mme",
];
/// Words between the first name and the last that belong to the last.
const PARTICLES: &[&str] = &[
    "van", "von", "der", "den", "de", "del", "della", "da", "di", "do", "dos", "du", "la", "le",
    "el", "al", "bin", "ibn", "bint", "ap", "st", "ter", "ten",
];
/// First names that stand for each other.
const SHORT_FORMS: &[&[&str]] = &[
    &["abigail", "abby", "abi"],
    &["alexander", "alexandra", "alex", "sandy"],
    &["amanda", "mandy"],
    &["andrew", "andy", "drew"],
    &["anne", "ann", "annie", "anna"],
    &["anthony", "antony", "tony"],
    &["benjamin", "ben"],
    &["charles", "charlotte", "charlie"],
    &["christopher", "christine", "christina", "chris"],
    &["daniel", "danielle", "dan", "danny"],
    &["david", "dave"],
    &["deborah", "debbie", "deb", "debra"],
    &["edward", "ed", "eddie", "ted"],
    &["eleanor", "ellie", "nell"],
    &[
        "elizabeth",
        "elisabeth",
        "liz",
        "lizzie",
        "beth",
        "betty",
        "eliza",
    ],
    &["frances", "francis", "fran", "frank"],
    &["gillian", "jillian", "gill", "jill"],
    &["gregory", "greg"],
    &["henry", "harry"],
    &["james", "jim", "jimmy", "jamie"],
    &["jennifer", "jen", "jenny"],
    &["jessica", "jess", "jessie"],
    &["joanne", "joanna", "jo"],
    &["john", "jack", "johnny"],
    &["jonathan", "jon", "jonny"],
    &["joseph", "josephine", "joe", "josie"],
    &[
        "katherine",
        "catherine",
        "kathryn",
        "katharine",
        "kate",
        "katie",
        "kathy",
        "cathy",
    ],
    &["kenneth", "ken", "kenny"],
    &["lawrence", "laurence", "larry", "laurie"],
    &["margaret", "maggie", "meg", "peggy"],
    &["matthew", "matt"],
    &["michael", "mike", "mick"],
    &["mohammed", "muhammad", "mohamed", "mohammad", "mo"],
    &["nathaniel", "nathan", "nat"],
    &["nicholas", "nick"],
    &["nicola", "nicole", "nicky", "nikki"],
    &["oliver", "ollie", "olly"],
    &["patricia", "pat", "trish", "tricia"],
    &["patrick", "pat", "paddy"],
    &["peter", "pete"],
    &["philip", "phillip", "phil"],
    &["rachel", "rachael", "rach"],
    &["rebecca", "becky", "becca"],
    &["richard", "rick", "dick", "rich"],
    &["robert", "rob", "bob", "bobby", "robbie"],
    &["ronald", "ron"],
    &["samuel", "samantha", "sam"],
    &["stephen", "steven", "steve", "stephanie", "steph"],
    &["susan", "suzanne", "sue", "suzie"],
    &["thomas", "tom", "tommy"],
    &["timothy", "tim"],
    &["victoria", "vicky", "vicki", "tori"],
    &["william", "will", "bill", "billy"],
    &["zachary", "zac", "zack"],
];

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// In lower case, without accents, apostrophes and the possessive s.
    pub(crate) text: String,
    /// Whether it begins with a capital letter.
    pub(crate) capital: bool,
    /// Whether a full stop follows at once.
    pub(crate) dotted: bool,
    /// Whether more than spaces, hyphens and an initial's full stop stand before it.
    pub(crate) apart: bool,
}

/// A person's name in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    /// As it was given.
    pub(crate) shown: String,
    /// The words of the first name; empty if there is only one name.
    pub(crate) first: Vec<String>,
    /// The words between.
    pub(crate) middle: Vec<String>,
    /// The words of the last name, or of the only one.
    pub(crate) last: Vec<String>,
}

impl Name {
    /// The parts of a name such as `Dr Jane M. van Doe-Smith` or `Doe, Jane`; none if there is
    /// no word in it.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let shown = name.trim().to_owned();
        let without = name.split('(').next().unwrap_or_default();
        let turned = match without.split_once(',') {
            Some((last, first)) if !folded_words(first).is_empty() => format!("{first} {last}"),
            Some(_) | None => without.to_owned(),
        };
        let parts = turned.split_whitespace().map(folded_words);
        let mut parts = parts
            .filter(|part| match part.as_slice() {
                [] => false,
                [word] => !is_title(word),
                [..] => true,
            })
            .collect::<Vec<_>>();
        let mut last = parts.pop()?;
        while parts.len() > 1 {
            let is_particle = |part: &Vec<String>| matches!(part.as_slice(), [word] if PARTICLES.contains(&word.as_str()));
            let Some(particle) = parts.pop_if(|part| is_particle(part)) else {
                break;
            };
            last.splice(0..0, particle);
        }
        let mut parts = parts.into_iter();
        let first = parts.next().unwrap_or_default();
        Some(Self {
            shown,
            first,
            middle: parts.flatten().collect(),
            last,
        })
    }

    /// The first letters of the first and middle names.
    pub(crate) fn initials(&self) -> String {
        let words = self.first.iter().chain(&self.middle);
        words.filter_map(|word| word.chars().next()).collect()
    }

    /// The same person's name, first and last changed over.
    pub(crate) fn swapped(&self) -> Self {
        Self {
            shown: self.shown.clone(),
            first: self.last.clone(),
            middle: self.middle.clone(),
            last: self.first.clone(),
        }
    }
}

/// The names by which a person may be spoken of: the name, and every former one. A former name
/// of one word is a former last name.
pub fn known_names(person: &crate::Object) -> Vec<String> {
    let text = |field: &str| person.get(field).and_then(serde_json::Value::as_str);
    let Some(name) = text("name") else {
        return Vec::new();
    };
    let mut names = vec![name.to_owned()];
    let first = Name::parse(name).map(|name| name.first.join(" "));
    for former in text("former_names")
        .unwrap_or_default()
        .split([',', ';', '/'])
    {
        let former = former.trim();
        let former = former
            .strip_prefix("née ")
            .or_else(|| former.strip_prefix("nee "))
            .unwrap_or(former);
        match (folded_words(former).len(), &first) {
            (0, _) => {}
            (1, Some(first)) if !first.is_empty() => names.push(format!("{first} {former}")),
            (_, _) => names.push(former.to_owned()),
        }
    }
    names
}

/// Whether the word is a title such as `Mrs`.
pub(crate) fn is_title(word: &str) -> bool {
    TITLES.contains(&word)
}

/// Whether two first names may be the same person's: equal, or one the other's short form.
pub(crate) fn same_first(one: &str, other: &str) -> bool {
    one == other
        || SHORT_FORMS
            .iter()
            .any(|forms| forms.contains(&one) && forms.contains(&other))
}

/// The words of a text, in order, without the possessive s.
pub(crate) fn words(text: &str) -> Vec<Word> {
    split(text, true)
}

fn split(text: &str, possessive: bool) -> Vec<Word> {
    let mut words = Vec::new();
    let mut raw = String::new();
    let mut apart = false;
    for c in text.chars() {
        if c.is_alphanumeric() || is_combining_mark(c) || (is_apostrophe(c) && !raw.is_empty()) {
            raw.push(c);
        } else if !is_invisible(c) {
            let ended = push_word(&mut words, &mut raw, &mut apart, possessive);
            let initial = c == '.' && {
                if let Some(word) = words.last_mut().filter(|_| ended) {
                    word.dotted = true;
                }
                words
                    .last()
                    .is_some_and(|word| word.text.chars().count() < 3)
            };
            apart |= !initial && c != ' ' && c != '\u{a0}' && c != '-' && c != '\u{2010}';
        }
    }
    push_word(&mut words, &mut raw, &mut apart, possessive);
    words
}

/// The words of a text, folded.
pub(crate) fn folded_words(text: &str) -> Vec<String> {
    split(text, false)
        .into_iter()
        .map(|word| word.text)
        .collect()
}

/// A text in lower case, its words without accents and one space apart: equal for two ways of
/// writing one name.
pub(crate) fn folded(text: &str) -> String {
    folded_words(text).join(" ")
}

/// What distinguishes the words of a set of texts.
pub(crate) fn word_set(text: &str) -> BTreeSet<String> {
    folded_words(text).into_iter().collect()
}

fn push_word(words: &mut Vec<Word>, raw: &mut String, apart: &mut bool, possessive: bool) -> bool {
    let text = fold_word(raw, possessive);
    let ended = !text.is_empty();
    if ended {
        words.push(Word {
            text,
            capital: raw.chars().next().is_some_and(char::is_uppercase),
            dotted: false,
            apart: *apart,
        });
        *apart = false;
    }
    raw.clear();
    ended
}

fn fold_word(word: &str, possessive: bool) -> String {
    let plain = word.replace(is_apostrophe, "'").to_lowercase();
    let stem = plain.strip_suffix("'s").filter(|_| possessive);
    let plain = stem.unwrap_or(&plain);
    if plain.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return plain.to_owned();
    }
    let mut folded = String::with_capacity(plain.len());
    for c in plain.nfkd().filter(|c| !is_combining_mark(*c)) {
        match c {
            '\'' => {}
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'ı' => folded.push('i'),
            other => folded.push(other),
        }
    }
    folded
}

fn is_apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}' | '\u{2018}' | '\u{2bc}' | '`')
}

/// Characters that nobody sees, which must not hide a name.
fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(name: &str, first: &str, middle: &str, last: &str) {
        let parsed = Name::parse(name).expect("a name");
        let joined = (
            parsed.first.join(" "),
            parsed.middle.join(" "),
            parsed.last.join(" "),
        );
        assert_eq!(joined, (first.into(), middle.into(), last.into()), "{name}");
    }

    #[test]
    fn a_name_has_a_first_and_a_last_part_however_it_is_written() {
        check("Jane Doe", "jane", "", "doe");
        check("Dr Jane M. Doe", "jane", "m", "doe");
        check("DOE, Jane", "jane", "", "doe");
        check("Zoë van der O’Brien-Ümit", "zoe", "", "van der obrien umit");
        check("Anne-Marie Dubois (née Roux)", "anne marie", "", "dubois");
        check("Okonkwo", "", "", "okonkwo");
        assert_eq!(Name::parse(" - "), None);
    }

    #[test]
    fn a_former_last_name_goes_with_the_first_name() {
        let person = json!({"name": "Jane Doe", "former_names": "Roe; née Poe, J. M. Loe"});
        let names = known_names(person.as_object().expect("an object"));
        assert_eq!(names, ["Jane Doe", "jane Roe", "jane Poe", "J. M. Loe"]);
    }
}

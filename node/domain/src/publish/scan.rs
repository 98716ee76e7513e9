//! Looking for people in texts that would leave a hub.
//!
//! What counts as naming a person, so that neither a first name alone nor a word such as "Hill"
//! stops every text, and no person slips through in a usual spelling:
//!
//! - first and last name next to each other, in either order and in any case, with accents,
//!   hyphens and apostrophes folded, initials or known middle names between them, and the usual
//!   short forms of first names ("Liz Doe" for Elizabeth Doe);
//! - an initial and the last name ("J. Doe", "J M Doe's", "Doe, J."), and a title and the last
//!   name ("Mrs Doe");
//! - for somebody whose card has an initial only, any first name that begins with it and the last
//!   name ("Tola Doe" for T. Doe);
//! - the only name of somebody known by one, if it has three letters, begins with a capital and
//!   is no everyday word.
//!
//! Names that are made of everyday words ("Mark Hill") count only with their capitals. A first or
//! last name alone never counts, nor does a name that is part of a school's ("John Doe Primary
//! School", "St John Doe").

use std::collections::BTreeMap;

use crate::check::address_in;
use crate::people::names::{Name, Word, is_title, same_first, words};

/// A name of one word must have at least so many letters to be looked for.
const SINGLE_LETTERS_MIN: usize = 3;
/// So many middle names or initials may stand between the first name and the last.
const BETWEEN_MAX: usize = 2;
/// So many words may stand between a name and the word "school" that makes it a school's.
const SCHOOL_WORDS_MAX: usize = 10;

/// Names that are also everyday words.
const EVERYDAY: &[&str] = &[
    "april",
    "art",
    "august",
    "autumn",
    "bailey",
    "baker",
    "ball",
    "banks",
    "barker",
    "bell",
    "berry",
    "best",
    "bill",
    "bird",
    "bishop",
    "black",
    "bond",
    "bridge",
    "brook",
    "brooks",
    "brown",
    "bush",
    "butcher",
    "butler",
    "carpenter",
    "carter",
    "case",
    "chance",
    "chase",
    "church",
    "clay",
    "close",
    "coach",
    "cook",
    "cooper",
    "count",
    "cross",
    "daisy",
    "dale",
    "dawn",
    "day",
    "dean",
    "drew",
    "early",
    "east",
    "england",
    "faith",
    "farmer",
    "field",
    "fields",
    "fisher",
    "flower",
    "ford",
    "forest",
    "frank",
    "frost",
    "gold",
    "good",
    "grace",
    "grant",
    "gray",
    "green",
    "grey",
    "grove",
    "guy",
    "hall",
    "hand",
    "hardy",
    "hazel",
    "head",
    "heath",
    "heather",
    "hill",
    "hills",
    "holly",
    "hood",
    "hope",
    "house",
    "hunter",
    "iris",
    "ivy",
    "jack",
    "joy",
    "june",
    "king",
    "key",
    "knight",
    "lake",
    "lane",
    "law",
    "leader",
    "level",
    "lily",
    "little",
    "long",
    "love",
    "major",
    "mark",
    "marks",
    "marsh",
    "mason",
    "max",
    "may",
    "miles",
    "mill",
    "miller",
    "moss",
    "noble",
    "north",
    "olive",
    "page",
    "park",
    "parker",
    "parks",
    "pat",
    "penny",
    "pepper",
    "pool",
    "pope",
    "porter",
    "potter",
    "power",
    "price",
    "rain",
    "ray",
    "read",
    "reed",
    "rich",
    "rivers",
    "rob",
    "robin",
    "rock",
    "rod",
    "root",
    "rose",
    "sage",
    "sharp",
    "shepherd",
    "short",
    "silver",
    "singer",
    "small",
    "snow",
    "south",
    "speed",
    "stone",
    "street",
    "strong",
    "sue",
    "summer",
    "swift",
    "teacher",
    "turner",
    "violet",
    "walker",
    "wall",
    "waters",
    "weaver",
    "wells",
    "west",
    "white",
    "will",
    "winter",
    "wise",
    "wood",
    "woods",
    "young",
];
/// What makes a name before it part of a school's name.
const SCHOOLS: &[&str] = &[
    "school",
    "schools",
    "college",
    "academy",
    "academies",
    "primary",
    "infants",
    "juniors",
    "nursery",
    "university",
    "trust",
];
/// What may stand between a name and one of those words.
const OF_SCHOOLS: &[&str] = &[
    "rc",
    "ce",
    "cofe",
    "c",
    "of",
    "e",
    "and",
    "roman",
    "methodist",
    "anglican",
    "catholic",
    "church",
    "england",
    "voluntary",
    "aided",
    "controlled",
    "community",
    "foundation",
    "special",
    "infant",
    "junior",
    "secondary",
    "high",
    "grammar",
    "girls",
    "boys",
    "free",
    "sixth",
    "form",
    "middle",
    "technical",
    "memorial",
    "multi",
];

/// What was found of a person in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// An e-mail address.
    Email(String),
    /// What looks like a telephone number.
    Phone(String),
    /// The name of somebody known.
    Name(String),
}

/// The names that are looked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scanner {
    by_last: BTreeMap<String, Vec<Name>>,
    by_both: BTreeMap<String, String>,
}

impl Scanner {
    pub(crate) fn new(names: &[String]) -> Self {
        let mut scanner = Self::default();
        for name in names.iter().filter_map(|name| Name::parse(name)) {
            if !name.first.is_empty() {
                for both in [[&name.first, &name.last], [&name.last, &name.first]] {
                    let both = both.map(|words| words.concat()).concat();
                    scanner.by_both.entry(both).or_insert(name.shown.clone());
                }
            }
            let last = name.last.first().cloned().unwrap_or_default();
            scanner.by_last.entry(last).or_default().push(name);
        }
        scanner
    }

    /// Every kind of trace in a text, the first of each.
    pub(crate) fn search(&self, text: &str) -> Vec<Found> {
        let email = address_in(text).map(|address| Found::Email(address.to_owned()));
        let phone = phone_in(text).map(Found::Phone);
        let name = self.name_in(text).map(Found::Name);
        [email, phone, name].into_iter().flatten().collect()
    }

    fn name_in(&self, text: &str) -> Option<String> {
        if self.by_last.is_empty() {
            return None;
        }
        let words = words(text);
        words.iter().enumerate().find_map(|(at, word)| {
            if let Some(shown) = self.by_both.get(&word.text)
                && word.text.len() > 5
                && !of_school(&words, at, at + 1)
            {
                return Some(shown.clone());
            }
            let names = self.by_last.get(&word.text)?;
            let named = names.iter().find(|name| stands_at(name, &words, at))?;
            Some(named.shown.clone())
        })
    }
}

/// Whether a name whose last part begins at `at` is written there.
fn stands_at(name: &Name, words: &[Word], at: usize) -> bool {
    let end = at + name.last.len();
    if !same_words(words, at, &name.last) {
        return false;
    }
    let capitals = |range: std::ops::Range<usize>| words[range].iter().all(|word| word.capital);
    if name.first.is_empty() {
        let letters = name
            .last
            .iter()
            .map(|word| word.chars().count())
            .sum::<usize>();
        return letters >= SINGLE_LETTERS_MIN
            && !everyday(&name.last)
            && capitals(at..end)
            && !of_school(words, at, end);
    }
    if name.first.iter().all(|word| word.chars().count() == 1) {
        return capitals(end - 1..end) && by_initial(name, words, at, end);
    }
    let plain = everyday(&name.first) && everyday(&name.last);
    let spans = [before(name, words, at), after(name, words, end)];
    let full = spans.into_iter().flatten().find(|(start, stop)| {
        (!plain || capitals(*start..*stop)) && !of_school(words, *start, *stop)
    });
    full.is_some() || (capitals(end - 1..end) && short_form(name, words, at, end))
}

/// Of somebody known by an initial, any first name that begins with it may be the one.
fn by_initial(name: &Name, words: &[Word], at: usize, end: usize) -> bool {
    let begins = |word: &Word| word.text.chars().next() == name.initials().chars().next();
    let first = words[..at]
        .last()
        .filter(|word| word.capital && begins(word));
    let named = first.is_some() && !words[at].apart && !everyday(&name.last);
    (named && !of_school(words, at - 1, end)) || short_form(name, words, at, end)
}

/// Where the first name stands before the last, with no more than middle names between.
fn before(name: &Name, words: &[Word], at: usize) -> Option<(usize, usize)> {
    for between in 0..=BETWEEN_MAX {
        let stop = at.checked_sub(between)?;
        let skipped = &words[stop..at];
        let middle =
            |word: &Word| word.text.chars().count() == 1 || name.middle.contains(&word.text);
        if !skipped.iter().all(middle) {
            return None;
        }
        let start = stop.checked_sub(name.first.len())?;
        if same_first_words(words, start, &name.first) {
            return Some((start, at + name.last.len()));
        }
    }
    None
}

fn after(name: &Name, words: &[Word], end: usize) -> Option<(usize, usize)> {
    let stop = end + name.first.len();
    same_first_words(words, end, &name.first).then_some((end - name.last.len(), stop))
}

/// An initial or a title with the last name.
fn short_form(name: &Name, words: &[Word], at: usize, end: usize) -> bool {
    let initials = name.initials();
    let short = |word: &Word| word.capital && word.text.chars().count() <= initials.chars().count();
    let is_initial = |word: &Word| short(word) && initials.starts_with(&word.text);
    let everyday = everyday(&name.last);
    let start = at.saturating_sub(1);
    let first = words[..at].last();
    let initial = first.is_some_and(|word| {
        // Of "J. M." the M stands nearest: the first letter comes before it.
        let further = words[..start].last().is_some_and(is_initial)
            && word.capital
            && word.text.chars().count() == 1
            && initials.ends_with(&word.text);
        !words[at].apart && (is_initial(word) || further) && (!everyday || word.dotted)
    });
    let title = first.is_some_and(|word| is_title(&word.text) && !words[at].apart);
    let turned = words.get(end).is_some_and(|word| {
        word.apart && is_initial(word) && (word.dotted || word.text.chars().count() > 1)
    });
    (initial || title || turned) && !of_school(words, start, end)
}

fn same_words(words: &[Word], at: usize, expected: &[String]) -> bool {
    let there = words.get(at..at + expected.len());
    there.is_some_and(|there| there.iter().map(|word| &word.text).eq(expected))
}

fn same_first_words(words: &[Word], at: usize, expected: &[String]) -> bool {
    let there = words.get(at..at + expected.len());
    there.is_some_and(|there| match expected {
        [first] => same_first(&there[0].text, first),
        [..] => there.iter().map(|word| &word.text).eq(expected),
    })
}

fn everyday(words: &[String]) -> bool {
    words.iter().all(|word| EVERYDAY.contains(&word.as_str()))
}

/// Whether the words are part of a school's name.
fn of_school(words: &[Word], start: usize, end: usize) -> bool {
    let saint = words[..start]
        .last()
        .is_some_and(|word| matches!(word.text.as_str(), "st" | "saint" | "ss") && word.capital);
    let following = words[end..].iter().take(SCHOOL_WORDS_MAX);
    let mut following = following
        .take_while(|word| !word.apart)
        .map(|word| word.text.as_str())
        .skip_while(|word| OF_SCHOOLS.contains(word));
    saint || following.next().is_some_and(|word| SCHOOLS.contains(&word))
}

/// A telephone number as it is written in the United Kingdom: `01234 567890`, `(020) 7946 0958`,
/// `07700-900123`, `+44 (0)20 7946 0958`, or any with a plus and a country's number. Dates,
/// times, reference numbers and sums are none.
fn phone_in(text: &str) -> Option<String> {
    let groups = digit_groups(text);
    (0..groups.len()).find_map(|from| {
        let mut digits = String::new();
        for to in from..groups.len() {
            if to > from && !groups[to].near {
                break;
            }
            digits.push_str(&text[groups[to].start..groups[to].end]);
            if is_phone(&digits, &groups[from]) && groups.get(to).is_some_and(|last| last.closed) {
                let start = groups[from].start - usize::from(groups[from].plus);
                return Some(text[start..groups[to].end].to_owned());
            }
        }
        None
    })
}

/// Digits in a row.
struct Digits {
    start: usize,
    end: usize,
    /// Whether a plus stands right before.
    plus: bool,
    /// Whether only what separates a number's groups stands before.
    near: bool,
    /// Whether no letter touches it.
    closed: bool,
    /// Whether no letter touches it in front.
    open: bool,
}

fn digit_groups(text: &str) -> Vec<Digits> {
    let mut groups = Vec::<Digits>::new();
    let mut before = None::<char>;
    let mut gap = 0;
    let mut decimal = false;
    let mut near = false;
    let mut characters = text.char_indices().peekable();
    while let Some((start, c)) = characters.next() {
        if c.is_ascii_digit() {
            let mut end = start + 1;
            while let Some((at, _)) = characters.next_if(|(_, c)| c.is_ascii_digit()) {
                end = at + 1;
            }
            groups.push(Digits {
                start,
                end,
                plus: before == Some('+'),
                near,
                closed: characters.peek().is_none_or(|(_, c)| !c.is_alphanumeric()),
                open: !decimal && before.is_none_or(|c| !c.is_alphanumeric()),
            });
            (near, gap) = (true, 0);
            before = Some('0');
        } else {
            gap += 1;
            decimal = c == '.' && before == Some('0') && gap == 1;
            near &= gap <= 3 && matches!(c, ' ' | '\u{a0}' | '-' | '.' | '(' | ')' | '\u{2013}');
            before = Some(c);
        }
    }
    groups
}

fn is_phone(digits: &str, first: &Digits) -> bool {
    let count = digits.len();
    let from_abroad = digits.strip_prefix("0044").or(digits.strip_prefix("44"));
    let group = first.end - first.start;
    if !first.open {
        return false;
    }
    if first.plus || digits.starts_with("0044") {
        return match from_abroad {
            Some(rest) => (9..=10).contains(&rest.trim_start_matches('0').len()),
            None => first.plus && (9..=15).contains(&count),
        };
    }
    // A group of two begins a day or a time, and no number.
    group >= 3 && digits.starts_with('0') && !digits.starts_with("00") && (10..=11).contains(&count)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &[
        "Jane Mary Doe",
        "Elizabeth O'Brien",
        "Zoë Müller-Ström",
        "Mark Hill",
        "Ali",
        "Will",
        "Bo",
        "Okonkwo",
        "Jan van der Berg",
        "John Fisher",
        "Alice Young",
        "T. Achebe",
        "C. Green",
        "A. Grange",
    ];

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let names = KNOWN
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>();
        let name = expected.map(|name| Found::Name(name.to_owned()));
        assert_eq!(Scanner::new(&names).search(text).pop(), name, "{text}");
    }

    #[test]
    fn a_person_is_found_in_every_usual_spelling() {
        let jane = Some("Jane Mary Doe");
        for text in [
            "with jane  DOE",
            "Jane Doe's idea",
            "Jane Doe’s",
            "J. Doe",
            "J Doe",
            "JM Doe",
            "J. M. Doe",
            "J.M.Doe's",
            "Jane M. Doe",
            "Jane Mary Doe",
            "Doe, Jane",
            "Doe, J.",
            "Mrs Doe said",
            "jane_doe.pdf",
            "JaneDoe.pdf",
            "Ja\u{200b}ne\u{a0}D\u{ad}oe",
            "(Jane-Doe)",
            "Miss J. Doe",
        ] {
            check(text, jane);
        }
        check("Liz O’Brien told us", Some("Elizabeth O'Brien"));
        check("Zoe Muller Strom", Some("Zoë Müller-Ström"));
        check("Z. Müller-Ström's plan", Some("Zoë Müller-Ström"));
        check("Mark Hill led it", Some("Mark Hill"));
        check("Okonkwo's class", Some("Okonkwo"));
        check("we asked Ali", Some("Ali"));
        check("J. van der Berg", Some("Jan van der Berg"));
        check("A. Young", Some("Alice Young"));
        check("Tola Achebe's class", Some("T. Achebe"));
        check("John Fisher, primary lead", Some("John Fisher"));
    }

    #[test]
    fn everyday_words_first_names_and_schools_stop_no_text() {
        for text in [
            "Ratio with Janet Doering",
            "Jane and her class",
            "Does a doe run?",
            "mark hill climbs",
            "Will this work?",
            "okonkwo",
            "Bo",
            "A Young Person's guide",
            "Hill School",
            "John Fisher Catholic Primary School",
            "St John Fisher",
            "the John Fisher Academy",
            "I doe",
            "ratio tables",
            "Mark the hill",
            "Brook Green Centre",
            "Tudor Grange Academy",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn addresses_and_telephone_numbers_are_found_and_other_numbers_are_not() {
        let scanner = Scanner::default();
        let address = Found::Email("j.doe@hill.sch.uk".to_owned());
        for text in [
            "(j.doe@hill.sch.uk).",
            "<mailto:j.doe@hill.sch.uk>",
            "to:j.doe@hill.sch.uk,x",
        ] {
            assert_eq!(scanner.search(text), std::slice::from_ref(&address));
        }
        for text in [
            "01234 567890",
            "call 07700 900123.",
            "(020) 7946 0958",
            "020-7946-0958",
            "+44 20 7946 0958",
            "+44 (0)20 7946 0958",
            "0044 7700 900123",
            "07700900123",
            "0113 496 0000",
            "room 12 07700 900123 or 4",
            "+353 1 234 5678",
        ] {
            assert!(
                matches!(scanner.search(text).as_slice(), [Found::Phone(_)]),
                "{text}"
            );
        }
        for text in [
            "URNs 106001 106002 106003",
            "01-09-2026 - 12",
            "01.09.2026 10.30",
            "09.30 10.30 11.30",
            "2026-27",
            "£1,234,567.00",
            "from 2026-09-01 to 2026-12-18",
            "0.0123456789",
            "x07700900123",
            "a@b",
            "3 @ 4.5",
            "1 2 3 4 5 6 7 8 9 10 11",
            "007",
            "07700900123e4d55aa",
        ] {
            assert_eq!(scanner.search(text), [], "{text}");
        }
    }
}

//! How well a typed name fits a school's.

use std::collections::{BTreeSet, HashMap};

use super::SCHOOL_ASKED_FROM;
use super::location::Location;
use super::name::{Name, Role, Word};

/// From this likeness on two words are one, misspelt.
const SAME_WORD_FROM: f64 = 0.6;
/// What is left when already the first letter is another, which is rarely a slip.
const OTHER_BEGINNING: f64 = 0.85;
/// What is left of a word that is cut off.
const CUT_OFF: f64 = 0.85;
/// Shorter words are others and not misspelt.
const MISSPELT_CHARS_MIN: usize = 4;
/// What is left of a likeness of all letters, when the words do not pair.
const LETTERS_ALONE: f64 = 0.9;
/// From this likeness of a name on, a school at the very postcode is worth a question.
const NAME_AT_POSTCODE_FROM: u8 = 20;
/// What a word weighs that is left out and added at will.
const LOOSE_WEIGHT: f64 = 0.3;
/// What the school's town speaks for it, when it stands in the typed name.
const PLACE_IN_NAME: i32 = 6;
/// How much of the name's confidence a place may add.
const EVIDENCE_MAX: i32 = 12;

/// Words of which a school has one or another; two that have different ones are two schools.
/// Beside each pair, how much of the likeness is left.
const CONFLICTS: [(&str, &str, f64); 14] = [
    ("infant", "junior", 0.75),
    ("infant", "secondary", 0.7),
    ("junior", "secondary", 0.7),
    ("primary", "secondary", 0.7),
    ("primary", "high", 0.7),
    ("primary", "college", 0.7),
    ("primary", "infant", 0.92),
    ("primary", "junior", 0.92),
    ("primary", "nursery", 0.85),
    ("first", "middle", 0.75),
    ("lower", "upper", 0.75),
    ("ce", "rc", 0.85),
    ("girls", "boys", 0.75),
    ("primary", "special", 0.85),
];

/// What each word weighs: the rarer it is, the more.
#[derive(Debug)]
pub(super) struct Weights {
    schools_with: HashMap<String, u32>,
    schools: usize,
}

impl Weights {
    pub(super) fn new(names: &[Name]) -> Self {
        let mut schools_with = HashMap::new();
        for name in names {
            let words = name.words.iter().map(|word| &word.text);
            for word in words.collect::<BTreeSet<_>>() {
                match schools_with.get_mut(word) {
                    Some(count) => *count += 1,
                    None => drop(schools_with.insert(word.clone(), 1)),
                }
            }
        }
        Self {
            schools_with,
            schools: names.len(),
        }
    }

    pub(super) fn weigh(&self, name: &mut Name) {
        for word in &mut name.words {
            word.weight = if word.role == Role::Loose {
                LOOSE_WEIGHT
            } else {
                let with = self.schools_with.get(&word.text).copied().unwrap_or(1);
                (1.0 + self.schools as f64 / f64::from(with.max(1))).ln()
            };
        }
    }
}

/// How well a school fits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scored {
    pub(super) at: usize,
    /// By the name alone.
    pub(super) name_confidence: u8,
    /// By name and place.
    pub(super) confidence: u8,
    /// What its place adds to it.
    pub(super) evidence: i32,
    /// Whether it has all firm words that were typed, and beyond them only words that say what
    /// sort of school it is: who left those out may mean it.
    pub(super) holds_all: bool,
    /// Whether a firm word was typed that it has not.
    pub(super) stray: bool,
}

impl Scored {
    /// Compares a typed name and place with a school's. Both names are weighed.
    pub(super) fn new(
        at: usize,
        typed: &Name,
        known: &Name,
        location: &Location,
        here: &Location,
    ) -> Self {
        let pairs = Pairs::find(&typed.words, &known.words);
        let mut evidence = location.evidence(here);
        let (mut shared, mut all) = (0.0, 0.0);
        let mut stray = false;
        for (word, likeness) in typed.words.iter().zip(&pairs.typed) {
            // The town behind the name, as people write it.
            if *likeness == 0.0 && here.has_word(&word.text) {
                evidence += PLACE_IN_NAME;
                continue;
            }
            stray |= *likeness == 0.0 && word.role != Role::Loose;
            shared += word.weight * likeness;
            all += word.weight;
        }
        for (word, likeness) in known.words.iter().zip(&pairs.known) {
            shared += word.weight * likeness;
            all += word.weight;
        }
        let mut likeness = if all == 0.0 { 0.0 } else { shared / all };
        if likeness < LETTERS_ALONE {
            likeness = likeness.max(letters_alike(typed, known));
        }
        let likeness = likeness * pairs.conflict(typed, known);
        let name_confidence = (likeness * 100.0).round().clamp(0.0, 100.0) as u8;
        // A place makes a fair name good; it makes no school of a poor one.
        let evidence = evidence.min(EVIDENCE_MAX);
        let lift = match name_confidence {
            60.. => evidence,
            50.. if location.same_postcode(here) => evidence,
            _ => evidence.min(0),
        };
        let mut confidence = (i32::from(name_confidence) + lift).clamp(0, 100);
        if name_confidence >= NAME_AT_POSTCODE_FROM && location.same_postcode(here) {
            confidence = confidence.max(SCHOOL_ASKED_FROM.into());
        }
        Self {
            at,
            name_confidence,
            confidence: u8::try_from(confidence).unwrap_or(0),
            evidence,
            holds_all: pairs.holds_all(typed, known, here),
            stray,
        }
    }
}

/// For each word of two names, how like it is to one of the other's; 0 when to none.
struct Pairs {
    typed: Vec<f64>,
    known: Vec<f64>,
}

impl Pairs {
    fn find(typed: &[Word], known: &[Word]) -> Self {
        let mut pairs = Self {
            typed: vec![0.0; typed.len()],
            known: vec![0.0; known.len()],
        };
        pairs.join(typed, known, |typed, known| f64::from(typed == known));
        pairs.join_parted(typed, known);
        pairs.join(typed, known, likeness);
        pairs
    }

    /// Pairs words that have no partner yet, the likest first.
    fn join(&mut self, typed: &[Word], known: &[Word], like: impl Fn(&str, &str) -> f64) {
        for (left, word) in typed.iter().enumerate() {
            if self.typed[left] > 0.0 {
                continue;
            }
            let free = known.iter().enumerate();
            let free = free.filter(|(right, _)| self.known[*right] == 0.0);
            let best = free
                .map(|(right, other)| (like(&word.text, &other.text), right))
                .max_by(|a, b| a.0.total_cmp(&b.0));
            if let Some((likeness, right)) = best.filter(|(likeness, _)| *likeness > 0.0) {
                self.typed[left] = likeness;
                self.known[right] = likeness;
            }
        }
    }

    /// Pairs a word with two that make it up: `Thornhill` and `Thorn Hill`.
    fn join_parted(&mut self, typed: &[Word], known: &[Word]) {
        join_parts(typed, &mut self.typed, known, &mut self.known);
        join_parts(known, &mut self.known, typed, &mut self.typed);
    }

    /// Whether the known name has every firm word of the typed one, and else only sorts.
    fn holds_all(&self, typed: &Name, known: &Name, here: &Location) -> bool {
        let missing = |(word, likeness): (&Word, &f64)| {
            *likeness < 1.0 && word.role != Role::Loose && !here.has_word(&word.text)
        };
        let telling =
            |(word, likeness): (&Word, &f64)| *likeness < 1.0 && word.role == Role::Telling;
        !typed.words.iter().zip(&self.typed).any(missing)
            && !known.words.iter().zip(&self.known).any(telling)
    }

    /// What is left of a likeness when the names say two different sorts of school.
    fn conflict(&self, typed: &Name, known: &Name) -> f64 {
        let sorts = |name: &Name, likeness: &[f64]| {
            let words = name.words.iter().zip(likeness);
            let sorts =
                words.filter(|(word, likeness)| **likeness < 1.0 && word.role == Role::Sort);
            sorts.map(|(word, _)| word.text.clone()).collect::<Vec<_>>()
        };
        let ours = sorts(typed, &self.typed);
        if ours.is_empty() {
            return 1.0;
        }
        let theirs = sorts(known, &self.known);
        let has = |words: &[String], word: &str| words.iter().any(|other| other == word);
        let apart = CONFLICTS.iter().filter(|(one, other, _)| {
            (has(&ours, one) && has(&theirs, other)) || (has(&ours, other) && has(&theirs, one))
        });
        apart.map(|(_, _, left)| *left).fold(1.0, f64::min)
    }
}

fn join_parts(parts: &[Word], parts_like: &mut [f64], wholes: &[Word], whole_like: &mut [f64]) {
    for at in 1..parts.len() {
        if parts_like[at - 1] > 0.0 || parts_like[at] > 0.0 {
            continue;
        }
        let whole = wholes
            .iter()
            .zip(whole_like.iter())
            .position(|(whole, like)| {
                let rest = whole.text.strip_prefix(parts[at - 1].text.as_str());
                *like == 0.0 && rest == Some(parts[at].text.as_str())
            });
        if let Some(whole) = whole {
            parts_like[at - 1] = 0.99;
            parts_like[at] = 0.99;
            whole_like[whole] = 0.99;
        }
    }
}

/// How like two words are that are not the same; 0 when they are two words.
fn likeness(typed: &str, known: &str) -> f64 {
    if typed.len() >= 3 && known.starts_with(typed) {
        // Cut off, as in a narrow column.
        return CUT_OFF;
    }
    let lengths = [typed, known].map(|word| word.chars().count());
    let [shorter, longer] = [lengths[0].min(lengths[1]), lengths[0].max(lengths[1])];
    if shorter < MISSPELT_CHARS_MIN || longer > shorter + 3 {
        return 0.0;
    }
    let slips = strsim::osa_distance(typed, known) as f64;
    // A slip is more in a short word than in a long one.
    let mut likeness = 1.0 - slips / longer as f64;
    if typed.chars().next() != known.chars().next() {
        likeness *= OTHER_BEGINNING;
    }
    if likeness < SAME_WORD_FROM {
        0.0
    } else {
        likeness
    }
}

/// How like all telling letters are, for words that slips have joined or parted.
fn letters_alike(typed: &Name, known: &Name) -> f64 {
    let letters = |name: &Name| name.telling().concat();
    LETTERS_ALONE * strsim::sorensen_dice(&letters(typed), &letters(known))
}

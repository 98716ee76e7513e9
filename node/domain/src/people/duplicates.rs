//! Cards that may be of one person.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use strsim::jaro_winkler;

use crate::Object;
use crate::people::names::{Name, folded, known_names, same_first};
use crate::school_name::school_name;
use crate::standing::text;

/// Names are similar if each of their parts is at least so much alike.
const ALIKE: f64 = 0.88;
/// A telephone number or address shared by more cards than this is an office's, and says nothing
/// of different names.
const SHARED_MAX: usize = 2;
/// So many of the last digits of a telephone number tell it apart, with or without `+44`.
const PHONE_DIGITS: usize = 9;

/// Two cards that are likely of one person.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Likely {
    /// The id of one card.
    pub a: String,
    /// The id of the other.
    pub b: String,
    /// What speaks for it.
    pub why: Vec<&'static str>,
    /// How likely it is, in per cent.
    pub confidence: u8,
}

/// The pairs of cards that are likely of one person, the likeliest first: the same e-mail
/// address or telephone number, unless the names differ and more than two share it, as an office
/// does; a similar name at the same organisation, or exactly the same name where one card names
/// no organisation.
///
/// Names are similar if they differ in a letter or two, by a short form of the first name, an
/// initial, a former name, or by first and last name changed over.
pub fn duplicates(people: &[(String, Object)]) -> Vec<Likely> {
    let cards = people
        .iter()
        .map(|(_, person)| Card::new(person))
        .collect::<Vec<_>>();
    let mut pairs = BTreeSet::new();
    let keys: [fn(&Card) -> Vec<String>; 5] = [
        |card| one(&card.email),
        |card| one(&card.phone),
        |card| card.placed_names(&card.urn),
        |card| card.placed_names(&card.organisation),
        |card| card.unplaced_names(),
    ];
    for key in keys {
        let mut together = BTreeMap::<String, BTreeSet<usize>>::new();
        for (at, card) in cards.iter().enumerate() {
            for key in key(card) {
                together.entry(key).or_default().insert(at);
            }
        }
        for same in together.values() {
            let later = |at: usize| same.range(at + 1..).map(move |other| (at, *other));
            pairs.extend(same.iter().flat_map(|at| later(*at)));
        }
    }
    let shared = |of: fn(&Card) -> &str| {
        let mut shared = BTreeMap::<&str, usize>::new();
        for card in &cards {
            *shared.entry(of(card)).or_default() += 1;
        }
        shared
    };
    let (emails, phones) = (shared(|card| &card.email), shared(|card| &card.phone));
    let likely = |(a, b): (usize, usize)| {
        let card = &cards[a];
        let own = |shared: Option<&usize>| shared.is_none_or(|count| *count <= SHARED_MAX);
        let (own_email, own_phone) = (
            own(emails.get(card.email.as_str())),
            own(phones.get(card.phone.as_str())),
        );
        let (why, confidence) = compare(card, &cards[b], own_email, own_phone)?;
        Some(Likely {
            a: people[a].0.clone(),
            b: people[b].0.clone(),
            why,
            confidence,
        })
    };
    let mut likely = pairs.into_iter().filter_map(likely).collect::<Vec<_>>();
    likely.sort_by_key(|likely| Reverse(likely.confidence));
    likely
}

struct Card {
    names: Vec<Name>,
    email: String,
    phone: String,
    organisation: String,
    urn: String,
}

impl Card {
    fn new(person: &Object) -> Self {
        let names = known_names(person);
        Self {
            names: names.iter().filter_map(|name| Name::parse(name)).collect(),
            email: text(person, "email").trim().to_lowercase(),
            phone: phone(text(person, "phone")),
            organisation: school_name(text(person, "organisation")),
            urn: text(person, "urn").to_owned(),
        }
    }

    /// The exact name, by which a card without an organisation finds others.
    fn unplaced_names(&self) -> Vec<String> {
        let whole = self.names.first().filter(|name| !name.first.is_empty());
        one(&whole.map(|name| folded(&name.shown)).unwrap_or_default())
    }

    /// The organisation with each initial of a name: who is alike there shares one of them.
    fn placed_names(&self, organisation: &str) -> Vec<String> {
        if organisation.is_empty() {
            return Vec::new();
        }
        let words = self
            .names
            .iter()
            .flat_map(|name| name.first.iter().chain(&name.last));
        let initials = words.filter_map(|word| word.chars().next());
        initials
            .map(|initial| format!("{organisation} {initial}"))
            .collect()
    }

    fn same_place(&self, other: &Self) -> bool {
        let same = |one: &str, other: &str| !one.is_empty() && one == other;
        same(&self.urn, &other.urn) || same(&self.organisation, &other.organisation)
    }

    fn is_placed(&self) -> bool {
        !self.urn.is_empty() || !self.organisation.is_empty()
    }
}

fn compare(
    a: &Card,
    b: &Card,
    own_email: bool,
    own_phone: bool,
) -> Option<(Vec<&'static str>, u8)> {
    let email = !a.email.is_empty() && a.email == b.email;
    let phone = !a.phone.is_empty() && a.phone == b.phone;
    let place = a.same_place(b);
    let name = similar(a, b);
    let exact = name.is_some_and(|(why, _)| why == "same name");
    let confidence = match (name, email, phone, place) {
        (Some(_), true, _, _) => 99,
        (Some((_, strength)), false, true, _) => strength.max(90),
        (Some((_, strength)), false, false, true) => strength,
        // Somebody else may have the same name elsewhere.
        (Some(_), false, false, false) if exact && !(a.is_placed() && b.is_placed()) => 60,
        (None, true, _, _) if own_email => 65,
        (None, false, true, _) if own_phone => 40,
        (_, _, _, _) => return None,
    };
    let why = [
        email.then_some("same e-mail"),
        phone.then_some("same phone"),
        name.map(|(why, _)| why),
        place.then_some("same organisation"),
    ];
    Some((why.into_iter().flatten().collect(), confidence))
}

/// How two cards' names are alike, and how likely that makes one person of them at one place.
fn similar(a: &Card, b: &Card) -> Option<(&'static str, u8)> {
    let of = |(at, one): (usize, &Name), (bt, other): (usize, &Name)| {
        let (why, strength) = alike(one, other).or_else(|| {
            let (_, strength) = alike(&one.swapped(), other)?;
            let both = !one.first.is_empty() && !other.first.is_empty();
            (both && strength >= 85).then_some(("first and last name swapped", strength - 5))
        })?;
        // The first of a card's names is the one it has now.
        let former = at > 0 || bt > 0;
        Some(if former {
            ("former name", strength.min(85))
        } else {
            (why, strength)
        })
    };
    let pairs = a.names.iter().enumerate().flat_map(|one| {
        let others = b.names.iter().enumerate();
        others.filter_map(move |other| of(one, other))
    });
    pairs.max_by_key(|(_, strength)| *strength)
}

fn alike(one: &Name, other: &Name) -> Option<(&'static str, u8)> {
    let [first, last] = [[&one.first, &other.first], [&one.last, &other.last]]
        .map(|pair| pair.map(|words| words.join(" ")));
    let close = |pair: &[String; 2]| jaro_winkler(&pair[0], &pair[1]) >= ALIKE;
    let same = |pair: &[String; 2]| pair[0] == pair[1];
    let initial = |short: &str, long: &str| short.chars().count() == 1 && long.starts_with(short);
    if same(&first) && same(&last) {
        // Of two middle names that differ, one person is less likely.
        let differ = !one.middle.is_empty()
            && !other.middle.is_empty()
            && one.initials() != other.initials();
        return Some(if differ {
            ("similar name", 75)
        } else {
            ("same name", 95)
        });
    }
    if first.iter().any(String::is_empty) {
        return None;
    }
    if same(&last) && same_first(&first[0], &first[1]) {
        return Some(("short form of the first name", 85));
    }
    if same(&last) && (initial(&first[0], &first[1]) || initial(&first[1], &first[0])) {
        return Some(("initial and last name", 70));
    }
    (close(&first) && close(&last)).then_some(("similar name", 80))
}

/// A telephone number by its last digits.
fn phone(text: &str) -> String {
    let digits = text
        .chars()
        .filter(char::is_ascii_digit)
        .collect::<String>();
    let from = digits.len().saturating_sub(PHONE_DIGITS);
    let long_enough = digits.len() >= PHONE_DIGITS;
    digits
        .get(from..)
        .filter(|_| long_enough)
        .unwrap_or_default()
        .to_owned()
}

fn one(key: &str) -> Vec<String> {
    Vec::from_iter((!key.is_empty()).then(|| key.to_owned()))
}

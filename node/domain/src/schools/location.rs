//! Where a school is, as far as it is known or was typed.

use super::name::words;
use super::{KnownSchool, TypedSchool};

/// From this likeness on two places are one, misspelt.
const SAME_PLACE_FROM: f64 = 0.92;

/// A place, a postcode and a council area, each without differences of writing; empty when not
/// known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Location {
    pub(super) postcode: String,
    place: String,
    local_authority: String,
}

impl Location {
    pub(super) fn of_known(school: &KnownSchool) -> Self {
        Self {
            postcode: plain_postcode(&school.postcode),
            place: words(&school.place).join(" "),
            local_authority: words(&school.local_authority).join(" "),
        }
    }

    pub(super) fn of_typed(typed: &TypedSchool) -> Self {
        let plain = |text: &Option<String>| words(text.as_deref().unwrap_or_default()).join(" ");
        Self {
            postcode: plain_postcode(typed.postcode.as_deref().unwrap_or_default()),
            place: plain(&typed.place),
            local_authority: plain(&typed.local_authority),
        }
    }

    /// Whether nothing is known of where it is.
    pub(super) fn is_empty(&self) -> bool {
        self.postcode.is_empty() && self.place.is_empty() && self.local_authority.is_empty()
    }

    /// Whether a word of a typed name says where a school here is.
    pub(super) fn has_word(&self, word: &str) -> bool {
        let mut words = self.place.split(' ').chain(self.local_authority.split(' '));
        word.len() > 2 && words.any(|here| here == word)
    }

    /// How much speaks for a school here, in points of confidence; below nothing, against it.
    pub(super) fn evidence(&self, here: &Self) -> i32 {
        self.postcode_evidence(here) + self.place_evidence(here) + self.council_evidence(here)
    }

    /// Whether a place or council area is the same to the letter; quicker than evidence.
    pub(super) fn same_place(&self, here: &Self) -> bool {
        let same = |typed: &String, known: &String| !typed.is_empty() && typed == known;
        same(&self.place, &here.place)
            || same(&self.place, &here.local_authority)
            || same(&self.local_authority, &here.local_authority)
    }

    pub(super) fn same_postcode(&self, here: &Self) -> bool {
        !self.postcode.is_empty() && self.postcode == here.postcode
    }

    fn postcode_evidence(&self, here: &Self) -> i32 {
        if self.postcode.is_empty() || here.postcode.is_empty() {
            return 0;
        }
        if self.postcode == here.postcode {
            return 12;
        }
        // The part before the last three characters names a town or a quarter, its letters a
        // city or county.
        let [typed, known] = [&self.postcode, &here.postcode].map(|postcode| {
            let end = postcode.len().saturating_sub(3);
            postcode.get(..end).unwrap_or_default()
        });
        let area = |district: &str| district.find(|char: char| char.is_ascii_digit());
        if typed == known {
            4
        } else if typed.get(..area(typed).unwrap_or(0)) == known.get(..area(known).unwrap_or(0)) {
            -6
        } else {
            -20
        }
    }

    fn place_evidence(&self, here: &Self) -> i32 {
        if self.place.is_empty() || (here.place.is_empty() && here.local_authority.is_empty()) {
            return 0;
        }
        let known = [&here.place, &here.local_authority];
        let same = known.iter().any(|known| {
            let alike = || strsim::jaro_winkler(&self.place, known) >= SAME_PLACE_FROM;
            !known.is_empty() && (self.place == **known || alike())
        });
        if same { 6 } else { -6 }
    }

    fn council_evidence(&self, here: &Self) -> i32 {
        if self.local_authority.is_empty() || here.local_authority.is_empty() {
            return 0;
        }
        let same = self.local_authority == here.local_authority
            || strsim::jaro_winkler(&self.local_authority, &here.local_authority)
                >= SAME_PLACE_FROM;
        if same { 6 } else { -12 }
    }
}

fn plain_postcode(postcode: &str) -> String {
    let kept = postcode.chars().filter(char::is_ascii_alphanumeric);
    kept.map(|char| char.to_ascii_uppercase()).collect()
}

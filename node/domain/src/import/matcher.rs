//! The matcher of school names as what an import asks.

use super::schools::{Found, FoundSchool, Schools, TypedSchoolRef};
use crate::schools::{KnownSchool, MatchedSchool, SchoolMatch, SchoolMatcher, TypedSchool};

impl Schools for SchoolMatcher {
    fn find(&self, typed: &TypedSchoolRef) -> Found {
        let filled = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        let typed = TypedSchool {
            name: typed.name.clone(),
            place: filled(&typed.place),
            postcode: filled(&typed.postcode),
            local_authority: None,
            urn: filled(&typed.urn),
        };
        match Self::find(self, &typed) {
            // A hub's own addition has no number to give.
            SchoolMatch::Sure { school, .. } if school.today().urn.is_empty() => Found::None,
            SchoolMatch::Sure { school, confidence } => Found::Sure(found(&school, confidence)),
            SchoolMatch::Unsure { candidates } => {
                let candidates = candidates.iter();
                let numbered = candidates.filter(|(school, _)| !school.school.urn.is_empty());
                let found = numbered.map(|(school, confidence)| found(school, *confidence));
                let found = found.collect::<Vec<_>>();
                // Nobody is asked a question that has no answer.
                if found.is_empty() {
                    Found::None
                } else {
                    Found::Unsure(found)
                }
            }
            SchoolMatch::None => Found::None,
        }
    }
}

fn found(matched: &MatchedSchool, confidence: u8) -> FoundSchool {
    let KnownSchool {
        urn,
        name,
        place,
        local_authority,
        ..
    } = &matched.school;
    let parts = [place.as_str(), local_authority.as_str()];
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    let successor = matched.successor.as_ref();
    FoundSchool {
        urn: urn.clone(),
        name: name.clone(),
        place: parts.collect::<Vec<_>>().join(", "),
        confidence,
        closed: matched.closed,
        successor: successor.map(|next| (next.urn.clone(), next.name.clone())),
    }
}

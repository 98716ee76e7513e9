//! Which school is meant by a name that somebody typed.

mod index;
mod location;
mod name;
mod score;
mod succession;

use std::collections::HashMap;

use index::NameIndex;
use location::Location;
use name::Name;
use score::{Scored, Weights};

/// From this confidence on a school is taken without asking, if no other comes near.
///
/// Measured over 3,205 real names: as they stand in the register, nine in ten are taken and the
/// others, which several schools share, are asked about; with slips and abbreviations, none was
/// taken for another school. Of schools that were not among the known, one in twenty was taken
/// for one that was, mostly of the same name, so the known should be the whole register.
pub const SCHOOL_SURE_FROM: u8 = 90;
/// From this confidence on a school is offered as an answer to the question which one is meant.
pub const SCHOOL_ASKED_FROM: u8 = 45;

/// How much surer than the next school one must be.
const LEAD: u8 = 6;
/// How well the name alone must fit, however well the place does.
const NAME_FITS_FROM: u8 = 70;
/// Below this a name stands for another school than the number beside it.
const NAME_BESIDE_URN_FROM: u8 = 55;
/// How many schools a question offers.
const OFFERED_MAX: usize = 5;
/// How far below the best a school may be to be offered beside it.
const OFFERED_BELOW_BEST: u8 = 35;

/// A school that names are matched with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownSchool {
    /// The caller's id for it.
    pub id: String,
    /// Its number in the national register; may be empty.
    pub urn: String,
    /// Its name.
    pub name: String,
    /// Its town; may be empty.
    pub place: String,
    /// Its postcode; may be empty.
    pub postcode: String,
    /// Its council area; may be empty.
    pub local_authority: String,
    /// Whether it is not closed.
    pub open: bool,
    /// The number of the school that came after it.
    pub successor: Option<String>,
}

/// What somebody typed of a school. More than the name helps where names are common.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypedSchool {
    /// The name; may hold the town or the number too, as people write it.
    pub name: String,
    /// The town.
    pub place: Option<String>,
    /// The postcode.
    pub postcode: Option<String>,
    /// The council area.
    pub local_authority: Option<String>,
    /// The number in the national register.
    pub urn: Option<String>,
}

/// A school that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchedSchool {
    /// The school whose name it is.
    pub school: KnownSchool,
    /// Whether it is closed.
    pub closed: bool,
    /// The open school that came after it, through however many that came between.
    pub successor: Option<KnownSchool>,
}

impl MatchedSchool {
    /// The school as it is today: the one that came after a closed one, if any did.
    pub fn today(&self) -> &KnownSchool {
        self.successor.as_ref().unwrap_or(&self.school)
    }
}

/// The answer to a typed name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchoolMatch {
    /// This one.
    Sure {
        /// The school.
        school: Box<MatchedSchool>,
        /// How sure, up to 100.
        confidence: u8,
    },
    /// A person must say which, or that it is none of them.
    Unsure {
        /// The likeliest five at most, the likeliest first, each with its confidence up to 100.
        candidates: Vec<(MatchedSchool, u8)>,
    },
    /// None that is known.
    None,
}

/// Finds schools by typed names.
///
/// Building it takes time and memory in proportion to the schools; finding looks only at schools
/// whose names share rare letter groups with the typed one.
#[derive(Debug)]
pub struct SchoolMatcher {
    schools: Vec<KnownSchool>,
    names: Vec<Name>,
    locations: Vec<Location>,
    weights: Weights,
    index: NameIndex,
    by_urn: HashMap<String, usize>,
    by_postcode: HashMap<String, Vec<usize>>,
}

impl SchoolMatcher {
    /// Takes the schools that names may mean. Of two with one number the first counts.
    pub fn new(schools: impl Iterator<Item = KnownSchool>) -> Self {
        let schools = schools.collect::<Vec<_>>();
        let names = schools.iter().map(|school| Name::new(&school.name));
        let mut names = names.collect::<Vec<_>>();
        let weights = Weights::new(&names);
        for name in &mut names {
            weights.weigh(name);
        }
        let locations = schools.iter().map(Location::of_known).collect::<Vec<_>>();
        let mut by_urn = HashMap::new();
        let mut by_postcode = HashMap::<_, Vec<_>>::new();
        for (at, school) in schools.iter().enumerate() {
            if !school.urn.is_empty() {
                by_urn.entry(school.urn.clone()).or_insert(at);
            }
            let postcode = locations[at].postcode.clone();
            if !postcode.is_empty() {
                by_postcode.entry(postcode).or_default().push(at);
            }
        }
        Self {
            weights,
            index: NameIndex::new(&names),
            schools,
            names,
            locations,
            by_urn,
            by_postcode,
        }
    }

    /// The school that is meant, or those that may be.
    ///
    /// A number wins over the name, unless the name beside it is a very different one. A name is
    /// taken from [`SCHOOL_SURE_FROM`] on, when no other school comes near; places, postcodes
    /// and council areas decide between schools of like names.
    pub fn find(&self, typed: &TypedSchool) -> SchoolMatch {
        let mut name = Name::new(&typed.name);
        let in_name = name.take_urn();
        self.weights.weigh(&mut name);
        let urn = typed.urn.as_deref().map(str::trim);
        let urn = urn.filter(|urn| !urn.is_empty()).or(in_name.as_deref());
        let location = Location::of_typed(typed);
        let ranked = self.rank(&name, &location);
        match urn {
            Some(urn) => self.by_number(urn, &name, &location, ranked),
            None => self.by_name(ranked),
        }
    }

    fn by_number(
        &self,
        urn: &str,
        name: &Name,
        location: &Location,
        mut ranked: Vec<Scored>,
    ) -> SchoolMatch {
        // A number that nobody knows may be a slip: the name alone does not overrule it.
        let Some(&at) = self.by_urn.get(urn) else {
            return self.ask(&ranked);
        };
        if name.is_empty() {
            return self.sure(at, 100);
        }
        let scored = self.score(at, name, location);
        if scored.name_confidence >= NAME_BESIDE_URN_FROM {
            return self.sure(at, scored.name_confidence.max(95));
        }
        ranked.retain(|other| other.at != at);
        ranked.insert(0, scored);
        self.offer(&ranked)
    }

    fn by_name(&self, mut ranked: Vec<Scored>) -> SchoolMatch {
        let Some(best) = ranked.first().copied() else {
            return SchoolMatch::None;
        };
        // Of a closed school and the one that it became, the open one is meant when both fit.
        let open = ranked.iter().position(|other| {
            let near = other.confidence.saturating_add(LEAD) >= best.confidence
                || self.names[best.at].is_same(&self.names[other.at]);
            near && !self.is_closed(other.at) && self.same_school(best.at, other.at)
        });
        if let Some(open) = open.filter(|_| self.is_closed(best.at)) {
            ranked[..=open].rotate_right(1);
        }
        let best = ranked[0];
        let sure = best.confidence >= SCHOOL_SURE_FROM
            && best.name_confidence >= NAME_FITS_FROM
            && !best.stray
            && !ranked[1..].iter().any(|other| {
                let near = other.confidence.saturating_add(LEAD) > best.confidence;
                let may_be_meant = other.holds_all && other.evidence >= best.evidence;
                (near || may_be_meant) && !self.same_school(best.at, other.at)
            });
        if sure {
            self.sure(best.at, best.confidence)
        } else {
            self.ask(&ranked)
        }
    }

    /// The schools that a name may mean, the likeliest first.
    fn rank(&self, name: &Name, location: &Location) -> Vec<Scored> {
        let there = |at: usize| location.same_place(&self.locations[at]);
        let there = (!location.is_empty()).then_some(there);
        let mut candidates = self.index.candidates(name, there);
        if let Some(same) = self.by_postcode.get(&location.postcode) {
            candidates.extend(same);
        }
        candidates.sort_unstable();
        candidates.dedup();
        let scored = candidates.into_iter();
        let scored = scored.map(|at| self.score(at, name, location));
        let mut scored = scored.collect::<Vec<_>>();
        scored.sort_by_key(|scored| {
            let closed = self.is_closed(scored.at);
            (std::cmp::Reverse(scored.confidence), closed, scored.at)
        });
        scored
    }

    fn score(&self, at: usize, name: &Name, location: &Location) -> Scored {
        Scored::new(at, name, &self.names[at], location, &self.locations[at])
    }

    fn ask(&self, ranked: &[Scored]) -> SchoolMatch {
        match ranked.first() {
            Some(best) if best.confidence >= SCHOOL_ASKED_FROM => self.offer(ranked),
            _ => SchoolMatch::None,
        }
    }

    fn offer(&self, ranked: &[Scored]) -> SchoolMatch {
        let best = ranked.iter().map(|scored| scored.confidence).max();
        let floor = best.unwrap_or(0).saturating_sub(OFFERED_BELOW_BEST);
        // The first is what was asked for, by its number perhaps, however little it fits.
        let (first, others) = ranked.split_at(ranked.len().min(1));
        let others = others.iter().filter(|scored| scored.confidence >= floor);
        let candidates = first.iter().chain(others).take(OFFERED_MAX);
        let candidates = candidates.map(|scored| (self.matched(scored.at), scored.confidence));
        SchoolMatch::Unsure {
            candidates: candidates.collect(),
        }
    }

    fn sure(&self, at: usize, confidence: u8) -> SchoolMatch {
        SchoolMatch::Sure {
            school: Box::new(self.matched(at)),
            confidence,
        }
    }
}

//! Schools that do not exist, with numbers that no school has.

use serde_json::json;
use time::{Date, Month};

use crate::sample::chance::Chance;
use crate::sample::record::{SampleRecord, day};

/// The first of the made-up numbers.
const FIRST_URN: usize = 900_001;
/// How many numbers are kept for each hub.
pub(crate) const URNS_PER_HUB: usize = 600;

/// What schools of the sample are called before their type.
const PLACES: &[&str] = &[
    "Sampleton",
    "Mockham",
    "Testworth",
    "Demoby",
    "Dummyshaw",
    "Fixtureford",
    "Pretendwick",
    "Inventby",
    "Specimenfield",
    "Trialton",
    "Draftley",
    "Foobarton",
    "Quuxworth",
    "Nonsuchby",
    "Exampleton",
    "Fictionby",
    "Madeupton",
    "Patternley",
    "Modelworth",
    "Nullby",
    "Blankshire",
    "Voidley",
    "Placeholder",
    "Figmentley",
    "Facsimileby",
    "Supposeworth",
];

const SPOTS: &[&str] = &[
    "", "Green", "Park", "Lane", "Bridge", "Hill", "Moor", "Wood", "Road", "Mill", "Common",
    "Meadow",
];

const SAINTS: &[&str] = &[
    "St Exemplar's",
    "St Specimen's",
    "St Placebo's",
    "Holy Fixture",
    "All Samples'",
];

const TRUSTS: &[&str] = &[
    "Sample Learning Trust",
    "The Made-up Academies Trust",
    "Placeholder Schools",
];

/// A school or college, as the register has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct School {
    /// Its number, from 900001 on.
    pub urn: String,
    /// Its name.
    pub name: String,
    /// `school` or `college`.
    pub kind: &'static str,
    /// Its phase.
    pub phase: &'static str,
    /// Its type, as the register words it.
    pub establishment: &'static str,
    /// `open` or `closed`.
    pub status: &'static str,
    /// When it opened, if the register says so.
    pub opened: Option<Date>,
    /// When it closed.
    pub closed: Option<Date>,
    /// The council area, which may be a real one.
    pub local_authority: String,
    /// The region.
    pub region: String,
    /// The made-up town.
    pub place: String,
    /// A postcode that no place has.
    pub postcode: String,
    /// The numbers of those that it follows.
    pub predecessors: Vec<String>,
    /// The numbers of those that follow it.
    pub successors: Vec<String>,
    /// Its trust.
    pub trust: Option<&'static str>,
}

impl School {
    /// Its key among the sample's records.
    pub fn key(&self) -> String {
        format!("school-{}", self.urn)
    }

    /// Its card in the register.
    pub fn record(&self) -> SampleRecord {
        let urns = |urns: &[String]| (!urns.is_empty()).then(|| urns.join(" "));
        SampleRecord::new(
            "organisation",
            self.key(),
            json!({
                "name": self.name, "urn": self.urn, "kind": self.kind, "phase": self.phase,
                "type": self.establishment, "status": self.status,
                "opened": self.opened.map(day), "closed": self.closed.map(day),
                "local_authority": self.local_authority, "region": self.region,
                "place": self.place, "postcode": self.postcode,
                "predecessor": urns(&self.predecessors), "successor": urns(&self.successors),
                "trust": self.trust,
            }),
        )
    }
}

/// The schools of one hub's area.
pub(crate) fn schools(
    seed: u64,
    hub: (usize, &str),
    area: &[String],
    region: &str,
    count: usize,
) -> Vec<School> {
    let mut chance = Chance::new(seed, &format!("schools of {}", hub.1));
    let mut names = chance.order(PLACES.len() * SPOTS.len() * 2);
    let mut schools = (0..count.min(URNS_PER_HUB))
        .map(|at| {
            let number = names.pop().unwrap_or(at);
            let urn = FIRST_URN + hub.0 * URNS_PER_HUB + at;
            school(&mut chance, urn, number, area, region)
        })
        .collect::<Vec<_>>();
    for at in 0..schools.len() {
        close(&mut schools, at);
    }
    schools
}

/// Of each fifty, one becomes an academy under a new number, two are joined into a third, and one
/// closes for good.
fn close(schools: &mut [School], at: usize) {
    let shut = Date::from_calendar_date(2025, Month::August, 31).ok();
    let opened = Date::from_calendar_date(2025, Month::September, 1).ok();
    let followed = match at % 50 {
        7 => 1..2,
        20 => 2..3,
        21 => 1..2,
        33 => 0..0,
        _ => return,
    };
    let follower = followed.start;
    if at + follower >= schools.len() {
        return;
    }
    let (urn, name, place) = (
        schools[at].urn.clone(),
        schools[at].name.clone(),
        schools[at].place.clone(),
    );
    let (phase, council) = (schools[at].phase, schools[at].local_authority.clone());
    schools[at].status = "closed";
    schools[at].closed = shut;
    if followed.is_empty() {
        return;
    }
    let next = &mut schools[at + follower];
    next.predecessors.push(urn);
    next.opened = opened;
    if at % 50 == 7 {
        next.name = name
            .replace(" Community School", " Academy")
            .replace(" Primary School", " Primary Academy");
        next.establishment = "Academy converter";
        next.kind = "school";
    }
    if at % 50 == 20 {
        next.name = format!("{place} United School");
    }
    next.phase = phase;
    next.place = place;
    next.local_authority = council;
    let successor = next.urn.clone();
    schools[at].successors.push(successor);
}

fn school(chance: &mut Chance, urn: usize, number: usize, area: &[String], region: &str) -> School {
    let place = PLACES
        .get(number % PLACES.len())
        .copied()
        .unwrap_or("Sampleton");
    let spot = SPOTS
        .get(number / PLACES.len() % SPOTS.len())
        .copied()
        .unwrap_or_default();
    let at = format!("{place} {spot}");
    let at = at.trim();
    let (phase, name, establishment) = match (urn * 37) % 100 {
        // Stepping through the hundred keeps the share of each kind alike in every small part.
        0..3 => (
            "early years",
            format!("{at} Nursery School"),
            "Local authority nursery school",
        ),
        3..20 => (
            "primary",
            format!("{} CofE Primary School, {place}", chance.pick(SAINTS)),
            "Voluntary aided school",
        ),
        20..30 => (
            "primary",
            format!("{} Catholic Primary School", chance.pick(SAINTS)),
            "Voluntary aided school",
        ),
        30..38 => ("primary", format!("{at} Junior School"), "Community school"),
        38..80 => (
            "primary",
            format!("{at} Primary School"),
            "Community school",
        ),
        80..90 => ("secondary", format!("{at} Academy"), "Academy sponsor led"),
        90..97 => (
            "secondary",
            format!("{at} Community School"),
            "Community school",
        ),
        _ => (
            "post-16",
            format!("{at} Sixth Form College"),
            "Further education",
        ),
    };
    let council = area.get(chance.below(area.len())).cloned();
    let letter = |chance: &mut Chance| chance.pick(&['A', 'B', 'D', 'E', 'F', 'G', 'H', 'J']);
    School {
        urn: urn.to_string(),
        name,
        kind: if phase == "post-16" {
            "college"
        } else {
            "school"
        },
        phase,
        establishment,
        status: "open",
        opened: None,
        closed: None,
        local_authority: council.unwrap_or_else(|| region.to_owned()),
        region: region.to_owned(),
        place: place.to_owned(),
        postcode: format!(
            "ZZ{} {}{}{}",
            chance.between(1, 99),
            chance.below(10),
            letter(chance),
            letter(chance)
        ),
        predecessors: Vec::new(),
        successors: Vec::new(),
        trust: chance.falls(30).then(|| chance.pick(TRUSTS)),
    }
}

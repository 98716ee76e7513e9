//! Reach: the schools of an area that somebody has reached, and those that nobody has.

use std::collections::{BTreeMap, BTreeSet};

use crate::school_name::school_name;

/// From these statuses on a school is reached: somebody from there was accepted, and did not
/// withdraw. Who only applied or waits is not reached yet.
pub const REACHED_FROM: &[&str] = &["accepted", "started", "completed"];

/// A school of the area.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct AreaSchool {
    /// Its URN.
    pub urn: String,
    /// Its name.
    pub name: String,
    /// Its phase.
    pub phase: String,
    /// Whether it is open.
    pub open: bool,
    /// The URNs of the schools that followed it, separated by spaces.
    pub successor: String,
    /// Its council area.
    pub local_authority: String,
}

/// A school's, or an alliance's, place in something that the hub does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The URN, if it is known.
    pub urn: Option<String>,
    /// The name as it was entered.
    pub name: String,
    /// The record.
    pub record: String,
    /// What people call the record.
    pub title: String,
    /// Where the school stands there.
    pub status: String,
}

/// A teaching school alliance, trust or other collaborative: whoever reaches it reaches its
/// schools.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alliance {
    /// Its URN, if it has one.
    pub urn: Option<String>,
    /// Its name.
    pub name: String,
    /// The URNs of its schools.
    pub members: Vec<String>,
}

/// The reach of a hub.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Reach {
    /// How many schools of the area are open: those reached and not reached together.
    pub area: usize,
    /// Those reached, and by what.
    pub reached: Vec<Reached>,
    /// Those that nobody has reached.
    pub not_reached: Vec<AreaSchool>,
    /// Names that belong to no school of the area, or to several, and have no URN.
    pub unmatched: Vec<String>,
    /// Names of schools that have a URN and are not of the area, or closed with nobody to follow.
    pub elsewhere: Vec<String>,
}

/// A school that was reached.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Reached {
    /// The school.
    pub school: AreaSchool,
    /// The titles of what reached it, each once.
    pub by: Vec<String>,
}

/// The reach into an area. A school counts once however it is connected: through two groups, as
/// its own closed predecessor, through an alliance, by URN or by name.
pub fn reach(
    area_schools: impl IntoIterator<Item = AreaSchool>,
    connections: impl IntoIterator<Item = Connection>,
    alliances: &[Alliance],
) -> Reach {
    let schools = area_schools
        .into_iter()
        .map(|school| (school.urn.clone(), school));
    let area = Area::new(schools.collect(), alliances);
    let mut by = BTreeMap::<&str, BTreeSet<String>>::new();
    let (mut unmatched, mut elsewhere) = (BTreeSet::new(), BTreeSet::new());
    for connection in connections {
        if !REACHED_FROM.contains(&connection.status.as_str()) {
            continue;
        }
        match area.find(&connection) {
            Found::Schools(schools) if schools.is_empty() => {
                elsewhere.insert(connection.name);
            }
            Found::Schools(schools) => {
                for school in schools {
                    by.entry(school)
                        .or_default()
                        .insert(connection.title.clone());
                }
            }
            Found::Nothing => {
                unmatched.insert(connection.name);
            }
        }
    }
    let mut reach = Reach {
        area: 0,
        reached: Vec::new(),
        not_reached: Vec::new(),
        unmatched: unmatched.into_iter().collect(),
        elsewhere: elsewhere.into_iter().collect(),
    };
    for school in area.schools.values().filter(|school| school.open) {
        reach.area += 1;
        match by.get(school.urn.as_str()) {
            Some(titles) => reach.reached.push(Reached {
                school: school.clone(),
                by: titles.iter().cloned().collect(),
            }),
            None => reach.not_reached.push(school.clone()),
        }
    }
    reach
}

enum Found<'a> {
    /// The open schools of the area; none if it is known and not of them.
    Schools(BTreeSet<&'a str>),
    Nothing,
}

struct Area<'a> {
    schools: BTreeMap<String, AreaSchool>,
    /// By name the URNs of the schools that are called so.
    by_name: BTreeMap<String, BTreeSet<String>>,
    alliances: &'a [Alliance],
}

impl<'a> Area<'a> {
    fn new(schools: BTreeMap<String, AreaSchool>, alliances: &'a [Alliance]) -> Self {
        let mut by_name = BTreeMap::<_, BTreeSet<_>>::new();
        for school in schools.values() {
            let urns = by_name.entry(school_name(&school.name)).or_default();
            urns.insert(school.urn.clone());
        }
        Self {
            schools,
            by_name,
            alliances,
        }
    }

    fn find(&self, connection: &Connection) -> Found<'_> {
        let name = school_name(&connection.name);
        let urn = connection.urn.as_deref().filter(|urn| !urn.is_empty());
        if let Some(urn) = urn.filter(|urn| self.schools.contains_key(*urn)) {
            return Found::Schools(self.open(urn));
        }
        let alliance = self.alliances.iter().find(|alliance| match urn {
            Some(urn) => alliance.urn.as_deref() == Some(urn),
            None => !name.is_empty() && school_name(&alliance.name) == name,
        });
        if let Some(alliance) = alliance {
            let schools = alliance.members.iter().flat_map(|urn| self.open(urn));
            return Found::Schools(schools.collect());
        }
        if urn.is_some() {
            return Found::Schools(BTreeSet::new());
        }
        let Some(urns) = self.by_name.get(&name) else {
            return Found::Nothing;
        };
        // A closed school and its successor of the same name are one school to whoever typed it.
        let open = urns
            .iter()
            .map(|urn| self.open(urn))
            .collect::<BTreeSet<_>>();
        let open = open
            .into_iter()
            .filter(|schools| !schools.is_empty())
            .collect::<Vec<_>>();
        match open.as_slice() {
            [] => Found::Schools(BTreeSet::new()),
            [schools] => Found::Schools(schools.clone()),
            [..] => Found::Nothing,
        }
    }

    /// The open schools of the area for which a school stands: itself, or those that followed it.
    fn open(&self, urn: &str) -> BTreeSet<&str> {
        let (mut open, mut seen) = (BTreeSet::new(), BTreeSet::new());
        let mut waiting = vec![urn];
        while let Some(urn) = waiting.pop() {
            let Some(school) = self.schools.get(urn).filter(|_| seen.insert(urn)) else {
                continue;
            };
            if school.open {
                open.insert(school.urn.as_str());
            } else {
                waiting.extend(school.successor.split_whitespace());
            }
        }
        open
    }
}

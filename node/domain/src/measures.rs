//! What returns count, and counting it.

use std::collections::{BTreeMap, BTreeSet};

use crate::Object;
use crate::kinds::WORK_GROUP;
use crate::school_name::school_name;
use crate::standing::{STATUSES, items, latest, text};

/// The cell for everything together.
pub(crate) const TOTAL: &str = "total";

/// A measure. What it counts never changes: a change is a new version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// Its name in returns.
    pub name: &'static str,
    /// Its version.
    pub version: i64,
    /// What people call it.
    pub title: &'static str,
    /// What exactly it counts.
    pub question: &'static str,
    /// How it is counted.
    pub counted: Counted,
    /// The field of a work group whose values get a cell each beside the total.
    pub by: Option<&'static str>,
}

/// How a measure is counted in work groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Schools with a member who stands at one of these on the day, each once in however many
    /// groups: by URN, and without one by the name as it is usually written. A group that was
    /// cancelled since counts as its statuses say: the state has no day, and a past figure stays.
    Schools(&'static [&'static str]),
    /// Members who stand at one of these on the day, each place in a group once.
    Participants(&'static [&'static str]),
    /// Work groups that had begun by the day and were not over: running, or completed with a
    /// session on the day or after it.
    Running,
    /// Sessions that were held by the day.
    Sessions,
    /// Marks of sessions held by the day, in two cells each: `attended` (present, part or
    /// substitute) and `marks`; the rate is [`rates`]. Of two marks of one member for one session
    /// the later counts.
    Attendance,
}

/// The statuses of those who signed up and have not withdrawn: waiting is signed up too.
const SIGNED_UP: &[&str] = &["applied", "waiting", "accepted", "started", "completed"];
const TAKING_PART: &[&str] = &["accepted", "started", "completed"];
const COMPLETED: &[&str] = &["completed"];

/// Every measure, the versions of one beside each other.
pub const MEASURES: &[Measure] = &[
    by_phase(
        "schools-engaged",
        1,
        "Schools engaged",
        "Schools that had signed up by the day and not withdrawn: applied, waiting, accepted, \
         started or completed.",
        Counted::Schools(SIGNED_UP),
    ),
    by_phase(
        "schools-engaged",
        2,
        "Schools engaged",
        "Schools of which somebody had completed a work group by the day. Sign-ups, which \
         version 1 counted, are no engagement.",
        Counted::Schools(COMPLETED),
    ),
    by_phase(
        "schools-signed-up",
        1,
        "Schools signed up",
        "Schools that had signed up by the day and not withdrawn: applied, waiting, accepted, \
         started or completed.",
        Counted::Schools(SIGNED_UP),
    ),
    by_phase(
        "schools-completed",
        1,
        "Schools completed",
        "Schools of which somebody had completed a work group by the day.",
        Counted::Schools(COMPLETED),
    ),
    by_phase(
        "participants-accepted",
        1,
        "Participants accepted",
        "Members who were accepted, had started or had completed on the day.",
        Counted::Participants(TAKING_PART),
    ),
    by_phase(
        "participants-completed",
        1,
        "Participants completed",
        "Members who had completed by the day.",
        Counted::Participants(COMPLETED),
    ),
    by_phase(
        "groups-running",
        1,
        "Work groups running",
        "Work groups that had begun by the day and were not over.",
        Counted::Running,
    ),
    by_phase(
        "sessions-held",
        1,
        "Sessions held",
        "Sessions held by the day.",
        Counted::Sessions,
    ),
    by_phase(
        "attendance",
        1,
        "Attendance",
        "Of the marks of sessions held by the day, how many say present, part or substitute.",
        Counted::Attendance,
    ),
];

const fn by_phase(
    name: &'static str,
    version: i64,
    title: &'static str,
    question: &'static str,
    counted: Counted,
) -> Measure {
    Measure {
        name,
        version,
        title,
        question,
        counted,
        by: Some("phase"),
    }
}

/// The measure of that name and version.
pub fn measure(name: &str, version: i64) -> Option<&'static Measure> {
    let mut measures = MEASURES.iter();
    measures.find(|measure| measure.name == name && measure.version == version)
}

/// What a measure comes to on a day.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Computed {
    /// The cells: the total first, then one for each value of the measure's `by`.
    pub cells: Vec<Cell>,
    /// Stands for everything that was counted: equal if the same is counted again.
    pub source_hash: String,
}

/// One number of a return.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Cell {
    /// Its name, such as `total` or `phase: primary`.
    pub cell: String,
    /// The number; none if it is suppressed.
    pub value: Option<i64>,
    /// Whether it is too small to be told.
    pub suppressed: bool,
}

/// Counts a measure on the day `as_at` in work groups as [`read`](crate::read) gives them, each
/// with its id; other records are passed over, and one that comes twice counts once.
///
/// Statuses and sessions count by their own days, so that a past figure comes out again. Numbers
/// above zero and below `smallest_cell` are suppressed.
pub fn compute(
    measure: &Measure,
    as_at: &str,
    records: impl IntoIterator<Item = (String, Object)>,
    smallest_cell: i64,
) -> Computed {
    let records = records.into_iter().collect::<BTreeMap<_, _>>();
    let groups = records
        .iter()
        .filter(|(_, record)| text(record, "kind_of_record") == WORK_GROUP.name)
        .collect::<Vec<_>>();
    let urns = urns_by_name(&groups);
    let mut facts = BTreeSet::new();
    let mut cells = BTreeMap::<(usize, String, &str), BTreeSet<String>>::new();
    for (id, group) in &groups {
        let mut names = vec![(0, TOTAL.to_owned())];
        if let Some(by) = measure.by {
            let value = match text(group, by) {
                "" => "not said",
                value => value,
            };
            names.push((1, format!("{by}: {value}")));
        }
        let of_attendance = measure.counted == Counted::Attendance;
        let parts = if of_attendance {
            &["attended", "marks"][..]
        } else {
            &[""]
        };
        for (order, name) in &names {
            for part in parts {
                cells.entry((*order, name.clone(), *part)).or_default();
            }
        }
        for (part, counted) in counted(measure.counted, as_at, id, group, &urns) {
            for (order, name) in &names {
                let cell = cells.entry((*order, name.clone(), part)).or_default();
                cell.insert(counted.clone());
                facts.insert([name, part, id.as_str(), counted.as_str()].join("\0"));
            }
        }
    }
    let is_small = |value: i64| 0 < value && value < smallest_cell;
    let small = cells
        .iter()
        .filter(|(_, counted)| is_small(i64::try_from(counted.len()).unwrap_or(i64::MAX)))
        .map(|((_, name, _), _)| name.clone())
        .collect::<BTreeSet<_>>();
    let cell = |((_, name, part), counted): ((usize, String, &str), BTreeSet<String>)| {
        let value = i64::try_from(counted.len()).unwrap_or(i64::MAX);
        // A rate is told with both of its cells or with none.
        let suppressed = match part {
            "" => is_small(value),
            _ => small.contains(&name),
        };
        Cell {
            cell: if part.is_empty() {
                name
            } else {
                format!("{name}, {part}")
            },
            value: (!suppressed).then_some(value),
            suppressed,
        }
    };
    let mut cells = cells.into_iter().map(cell).collect::<Vec<_>>();
    if cells.is_empty() {
        cells.push(Cell {
            cell: TOTAL.to_owned(),
            value: Some(0),
            suppressed: false,
        });
    }
    Computed {
        cells,
        source_hash: hash(measure, as_at, &facts),
    }
}

/// The rates that pairs of cells named `…, attended` and `…, marks` come to, in hundredths of a
/// per cent, by what the pair is about. There is none where one of them is unknown or nothing was
/// marked.
pub fn rates<'a>(cells: impl IntoIterator<Item = (&'a str, i64)>) -> BTreeMap<String, i64> {
    let cells = cells.into_iter().collect::<BTreeMap<_, _>>();
    let rate = |(name, attended): (&&str, &i64)| {
        let about = name.strip_suffix(", attended")?;
        let marks = *cells.get(format!("{about}, marks").as_str())?;
        let twice = attended.saturating_mul(20_000).saturating_add(marks);
        let rate = (marks > 0).then(|| twice / marks.saturating_mul(2))?;
        Some((about.to_owned(), rate))
    };
    cells.iter().filter_map(rate).collect()
}

/// What a group adds to a cell: the part of the cell, and what tells two counted things apart.
fn counted(
    counted: Counted,
    as_at: &str,
    id: &str,
    group: &Object,
    urns: &BTreeMap<String, String>,
) -> Vec<(&'static str, String)> {
    let held =
        |session: &&Object| text(session, "state") == "held" && text(session, "date") <= as_at;
    match counted {
        Counted::Schools(statuses) => {
            let members = standing_at(group, statuses, as_at);
            let school = |member| Some(("", school_key(member, urns)?));
            members.into_iter().filter_map(school).collect()
        }
        Counted::Participants(statuses) => {
            let members = standing_at(group, statuses, as_at).into_iter();
            members
                .map(|member| ("", format!("{id}/{}", text(member, "id"))))
                .collect()
        }
        Counted::Running => {
            let on =
                items(group, "sessions").filter(|session| text(session, "state") != "cancelled");
            let days = on
                .map(|session| text(session, "date"))
                .collect::<BTreeSet<_>>();
            let begun = days.first().is_some_and(|first| *first <= as_at);
            let over = days.last().is_none_or(|last| *last < as_at);
            let runs = match text(group, "state") {
                "running" => begun,
                "completed" => begun && !over,
                _ => false, // planned, recruiting, cancelled, or a newer version's
            };
            Vec::from_iter(runs.then(|| ("", id.to_owned())))
        }
        Counted::Sessions => items(group, "sessions")
            .filter(held)
            .map(|session| ("", format!("{id}/{}", text(session, "id"))))
            .collect(),
        Counted::Attendance => {
            let held = items(group, "sessions").filter(held);
            let held = held
                .map(|session| text(session, "id"))
                .collect::<BTreeSet<_>>();
            let marks = items(group, "attendance")
                .map(|mark| {
                    (
                        (text(mark, "session"), text(mark, "member")),
                        text(mark, "mark"),
                    )
                })
                .filter(|((session, _), _)| held.contains(session))
                .collect::<BTreeMap<_, _>>();
            let mark = |((session, member), mark): ((&str, &str), &str)| {
                let key = format!("{id}/{session}/{member}");
                let attended = matches!(mark, "present" | "part" | "substitute");
                let attended = attended.then(|| ("attended", key.clone()));
                [Some(("marks", key)), attended]
            };
            marks.into_iter().flat_map(mark).flatten().collect()
        }
    }
}

fn standing_at<'a>(group: &'a Object, statuses: &[&str], as_at: &str) -> Vec<&'a Object> {
    let standing = latest(group, STATUSES, "member", "status", Some(as_at));
    let members = items(group, "members").filter(|member| {
        let status = standing.get(text(member, "id"));
        status.is_some_and(|status| statuses.contains(&status.as_str()))
    });
    members.collect()
}

/// What tells a member's school apart from others; none if nothing is said of it.
fn school_key(member: &Object, urns: &BTreeMap<String, String>) -> Option<String> {
    let (urn, name) = (
        text(member, "urn"),
        school_name(text(member, "organisation")),
    );
    if !urn.is_empty() {
        return Some(urn.to_owned());
    }
    (!name.is_empty()).then(|| urns.get(&name).cloned().unwrap_or(name))
}

/// The URNs of the names that stand beside exactly one.
fn urns_by_name(groups: &[(&String, &Object)]) -> BTreeMap<String, String> {
    let mut urns = BTreeMap::<String, BTreeSet<String>>::new();
    for member in groups.iter().flat_map(|(_, group)| items(group, "members")) {
        let urn = text(member, "urn");
        if !urn.is_empty() {
            let name = school_name(text(member, "organisation"));
            urns.entry(name).or_default().insert(urn.to_owned());
        }
    }
    let only = |(name, urns): (String, BTreeSet<String>)| {
        let urn = urns.first().filter(|_| urns.len() == 1)?.clone();
        Some((name, urn))
    };
    urns.into_iter().filter_map(only).collect()
}

fn hash(measure: &Measure, as_at: &str, facts: &BTreeSet<String>) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"causeway/1 measure\0");
    let version = measure.version.to_string();
    let heading = [measure.name, &version, as_at];
    for part in heading.into_iter().chain(facts.iter().map(String::as_str)) {
        hasher
            .update(&(part.len() as u64).to_le_bytes())
            .update(part.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}

//! Totals of a made-up year, counted from its plain facts alone.
//!
//! Nothing here uses what this crate computes from records: these are loops over the structs of
//! the sample, so that a figure of the program can be checked against one that came about
//! independently.

use std::collections::{BTreeMap, BTreeSet};

use time::Date;

use crate::sample::group::Group;
use crate::sample::hub_year::HubYear;
use crate::sample::school::School;

/// What a year comes to as at a day.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Totals {
    /// Work groups.
    pub groups: usize,
    /// Work groups by the state in which they stand in the end.
    pub groups_by_state: BTreeMap<&'static str, usize>,
    /// Sessions, held or not.
    pub sessions: usize,
    /// Sessions held in the end.
    pub sessions_held: usize,
    /// Sessions by the state in which they stand in the end.
    pub sessions_by_state: BTreeMap<&'static str, usize>,
    /// People's cards.
    pub person_cards: usize,
    /// People, each once however many cards there are.
    pub people: usize,
    /// Members of work groups; somebody in two groups is two.
    pub members: usize,
    /// Members by their latest status as at the day; those of whom nothing was known are left
    /// out.
    pub members_by_latest_status: BTreeMap<&'static str, usize>,
    /// Members of whom anything but a withdrawal stands as at the day, a completion included.
    pub signed_up: usize,
    /// Members who ever had started by the day.
    pub ever_started: usize,
    /// Members who stand as completed as at the day.
    pub completed: usize,
    /// The numbers that members' schools were typed with, each once.
    pub urns_typed: BTreeSet<String>,
    /// Members without a number.
    pub members_without_urn: usize,
    /// The schools of members by what they truly are: the number under which each goes on today,
    /// with the keys of the groups to which it came.
    pub schools: BTreeMap<String, BTreeSet<String>>,
    /// Those of [`schools`](Self::schools) of which somebody was accepted, had started or
    /// completed as at the day.
    pub schools_reached: BTreeSet<String>,
    /// The open schools of the hub's own area.
    pub schools_of_area: BTreeSet<String>,
    /// Marks of attendance, as entered, by mark.
    pub attendance: BTreeMap<&'static str, usize>,
    /// Marks of attendance, as entered.
    pub marks: usize,
    /// Members of a session who have two different marks for it.
    pub disputed_marks: usize,
    /// Money in pence, by kind of line.
    pub pence_by_kind: BTreeMap<&'static str, i64>,
    /// Lines of ledgers.
    pub money_lines: usize,
    /// Ratings by outcome.
    pub ratings: BTreeMap<&'static str, RatingTotal>,
    /// The keys of groups whose leaders rate an outcome differently.
    pub groups_that_disagree: BTreeSet<String>,
    /// Leaders who wish to be found by other hubs.
    pub leaders_opted_in: usize,
    /// By the key of a leader, the groups led and those of them that are completed.
    pub groups_led: BTreeMap<String, (usize, usize)>,
    /// By the code of a project, empty for groups without one, what its groups come to.
    pub by_project: BTreeMap<String, ProjectTotals>,
    /// By the key of a group, what it comes to.
    pub by_group: BTreeMap<String, GroupTotals>,
}

/// What the groups of one project come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectTotals {
    /// Work groups.
    pub groups: usize,
    /// Sessions held in the end.
    pub sessions_held: usize,
    /// The numbers that members' schools were typed with, each once.
    pub urns_typed: BTreeSet<String>,
}

/// What one group comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GroupTotals {
    /// Sessions held in the end.
    pub sessions_held: usize,
    /// Members by latest status as at the day.
    pub members_by_latest_status: BTreeMap<&'static str, usize>,
    /// The numbers that members' schools were typed with, each once.
    pub urns_typed: BTreeSet<String>,
    /// By such a number, the furthest latest status of those from there; empty if nothing was
    /// known.
    pub furthest: BTreeMap<String, &'static str>,
    /// Marks of attendance, as entered.
    pub marks: usize,
    /// Ratings by outcome.
    pub ratings: BTreeMap<&'static str, RatingTotal>,
}

/// Ratings of one outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RatingTotal {
    /// Their sum.
    pub sum: usize,
    /// How many.
    pub count: usize,
}

impl RatingTotal {
    /// Their mean in hundredths, cut off below them; 0 if there are none.
    pub fn mean_hundredths(&self) -> usize {
        (self.sum * 100).checked_div(self.count).unwrap_or(0)
    }
}

impl Totals {
    /// Counts a whole year, as at the day on which the sample is told.
    pub fn of(year: &HubYear) -> Self {
        Self::as_at(year, year.told_on)
    }

    /// Counts a year, statuses as at a day.
    pub fn as_at(year: &HubYear, on: Date) -> Self {
        let mut totals = Self {
            groups: year.groups.len(),
            person_cards: year.people.len(),
            people: year
                .people
                .iter()
                .filter(|person| person.same_as.is_none())
                .count(),
            leaders_opted_in: year
                .leaders
                .iter()
                .filter(|it| it.opted_in == Some(true))
                .count(),
            ..Self::default()
        };
        for school in year.schools.iter().take(year.own_schools) {
            if school.status == "open" {
                totals.schools_of_area.insert(school.urn.clone());
            }
        }
        for group in &year.groups {
            totals.count_group(year, group, on);
        }
        for line in year
            .commissions
            .iter()
            .flat_map(|commission| &commission.lines)
        {
            totals.money_lines += 1;
            *totals.pence_by_kind.entry(line.kind).or_default() += line.pence;
        }
        totals
    }

    fn count_group(&mut self, year: &HubYear, group: &Group, on: Date) {
        let mut own = GroupTotals::default();
        *self.groups_by_state.entry(group.state).or_default() += 1;
        for session in &group.sessions {
            self.sessions += 1;
            *self.sessions_by_state.entry(session.state).or_default() += 1;
            if session.state == "held" {
                self.sessions_held += 1;
                own.sessions_held += 1;
            }
        }
        for leader in &year.leaders {
            if group
                .leaders
                .iter()
                .any(|(person, _)| *person == leader.person)
            {
                let (led, completed) = self.groups_led.entry(leader.key.clone()).or_default();
                *led += 1;
                *completed += usize::from(group.state == "completed");
            }
        }
        for member in &group.members {
            self.members += 1;
            match &member.urn {
                Some(urn) => {
                    own.urns_typed.insert(urn.clone());
                }
                None => self.members_without_urn += 1,
            }
            let mut latest: Option<(Date, &'static str)> = None;
            let mut started = false;
            for status in &group.statuses {
                if status.member != member.id || status.as_at > on {
                    continue;
                }
                started |= status.status == "started";
                if latest.is_none_or(|(as_at, _)| status.as_at >= as_at) {
                    latest = Some((status.as_at, status.status));
                }
            }
            let school = member.school.map(|at| goes_on_as(&year.schools, at));
            if let Some(school) = &school {
                self.schools
                    .entry(school.clone())
                    .or_default()
                    .insert(group.key.clone());
            }
            self.ever_started += usize::from(started);
            if let Some(urn) = &member.urn {
                let status = latest.map_or("", |(_, status)| status);
                let furthest = own.furthest.entry(urn.clone()).or_default();
                if rank(status) > rank(furthest) {
                    *furthest = status;
                }
            }
            let Some((_, status)) = latest else {
                continue;
            };
            *self.members_by_latest_status.entry(status).or_default() += 1;
            *own.members_by_latest_status.entry(status).or_default() += 1;
            self.signed_up += usize::from(status != "withdrawn");
            self.completed += usize::from(status == "completed");
            if let (Some(school), "accepted" | "started" | "completed") = (school, status) {
                self.schools_reached.insert(school);
            }
        }
        self.count_marks(group, &mut own);
        self.count_ratings(group, &mut own);
        self.urns_typed.extend(own.urns_typed.iter().cloned());
        let project = group.project.clone().unwrap_or_default();
        let project = self.by_project.entry(project).or_default();
        project.groups += 1;
        project.sessions_held += own.sessions_held;
        project.urns_typed.extend(own.urns_typed.iter().cloned());
        self.by_group.insert(group.key.clone(), own);
    }

    fn count_marks(&mut self, group: &Group, own: &mut GroupTotals) {
        let mut said = BTreeMap::<_, BTreeSet<_>>::new();
        for mark in &group.attendance {
            self.marks += 1;
            own.marks += 1;
            *self.attendance.entry(mark.mark).or_default() += 1;
            said.entry((&mark.session, &mark.member))
                .or_default()
                .insert(mark.mark);
        }
        self.disputed_marks += said.values().filter(|marks| marks.len() > 1).count();
    }

    fn count_ratings(&mut self, group: &Group, own: &mut GroupTotals) {
        let mut said = BTreeMap::<_, BTreeSet<_>>::new();
        for rating in &group.ratings {
            for totals in [&mut self.ratings, &mut own.ratings] {
                let total = totals.entry(rating.outcome).or_default();
                total.sum += rating.rating;
                total.count += 1;
            }
            said.entry(rating.outcome)
                .or_default()
                .insert(rating.rating);
        }
        if said.values().any(|ratings| ratings.len() > 1) {
            self.groups_that_disagree.insert(group.key.clone());
        }
    }
}

/// How far a status is from having withdrawn.
fn rank(status: &str) -> Option<usize> {
    let order = [
        "withdrawn",
        "applied",
        "waiting",
        "accepted",
        "started",
        "completed",
    ];
    order.iter().position(|known| *known == status)
}

/// The number under which a school goes on today: its own, or that of the last that follows it.
fn goes_on_as(schools: &[School], at: usize) -> String {
    let Some(mut school) = schools.get(at) else {
        return String::new();
    };
    // Nobody follows longer than there are schools.
    for _ in 0..schools.len() {
        let next = school.successors.first();
        let next = next.and_then(|urn| schools.iter().find(|school| school.urn == *urn));
        match next {
            Some(next) => school = next,
            None => break,
        }
    }
    school.urn.clone()
}

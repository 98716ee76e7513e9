//! How a work group's year goes.

use std::collections::BTreeMap;

use time::{Date, Duration};

use crate::sample::chance::Chance;
use crate::sample::group::{Group, Mark, Member, Rating, Session, Status};
use crate::sample::school_year::SchoolYear;

/// The week of which the sample tells: what comes later is not known yet.
const NOW_WEEK: usize = 41;

/// How many sessions groups have, one after the other.
const COUNTS: [usize; 10] = [5, 6, 5, 6, 5, 7, 3, 6, 5, 6];

/// The weeks left after it.
const LATE_WEEKS: [usize; 3] = [42, 43, 45];

const OUTCOMES: [&str; 4] = [
    "professional learning",
    "practice",
    "pupils",
    "school policy",
];

const GAP_TASKS: &[&str] = &[
    "Teach the lesson planned together and bring two pupils' work.",
    "Watch a colleague teach and note the questions that were asked.",
    "Try one representation for a week and note what pupils said.",
    "Talk with the head about time for the department to plan.",
    "Read the two pages and mark what would not work in your school.",
];

const PLANS: &[&str] = &[
    "Look at what pupils did, then plan one lesson together.",
    "Watch the lesson, talk about the questions, plan the next.",
    "Solve the task ourselves first; then ask what makes it hard.",
];

const EVIDENCE: &[&str] = &[
    "Pupils' books from four schools, before and after.",
    "A survey of all members in June; three in four answered.",
    "Notes of visits to each school.",
];

const MOVED: &[&str] = &[
    "Snow",
    "The venue was double-booked",
    "Inspection at the host school",
    "Half the group was ill",
];

const NARRATIVES: &[&str] = &[
    "Teachers now plan in small steps and talk about why before how.",
    "Most schools changed their calculation policy; two are still deciding.",
    "Confidence grew; pupils' work shows more reasoning than in September.",
    "Attendance fell after Easter. Those who stayed changed their practice.",
    "It was hard to find cover. The gap tasks carried the group.",
];

/// The day on which the sample is told.
pub(crate) fn now(year: SchoolYear) -> Date {
    year.day(NOW_WEEK, 0)
}

/// The sessions of a group, in order.
pub(crate) fn sessions(
    chance: &mut Chance,
    year: SchoolYear,
    (number, state): (usize, &str),
    venue: &str,
) -> Vec<Session> {
    let now = now(year);
    let weeks = weeks(chance, number, state);
    let (start, minutes, mode) = (
        chance.pick(&["09:30", "13:30", "15:45", "16:00", "16:00"]),
        chance.pick(&[60, 90, 90, 120, 180]),
        chance.pick(&["in person", "in person", "in person", "online", "both"]),
    );
    let count = weeks.len();
    let mut sessions = Vec::new();
    for (at, week) in weeks.into_iter().enumerate() {
        let planned = year.meeting_day(week, chance);
        let later = planned + Duration::days(1);
        let moved = chance.falls(6) && year.is_school_day(later) && later < now;
        let date = if moved { later } else { planned };
        let stands = match (state, date < now, chance.below(100)) {
            ("planned" | "recruiting", ..) | (_, false, _) => "planned",
            ("cancelled", ..) => {
                if at == 0 {
                    "held"
                } else {
                    "cancelled"
                }
            }
            (_, true, 0) => "planned", // nobody entered that it was held
            (_, true, 1..3) if at > 0 => "cancelled",
            (_, true, _) => "held",
        };
        sessions.push(Session {
            id: format!("s{}", at + 1),
            date,
            moved: moved.then(|| (planned, chance.pick(MOVED))),
            start,
            minutes,
            venue: if mode == "online" {
                "online".to_owned()
            } else {
                venue.to_owned()
            },
            mode,
            plan: chance.pick(PLANS),
            gap_task: (at + 1 < count).then(|| chance.pick(GAP_TASKS)),
            state: stands,
        });
    }
    sessions
}

fn weeks(chance: &mut Chance, number: usize, state: &str) -> Vec<usize> {
    if matches!(state, "planned" | "recruiting") {
        return LATE_WEEKS.to_vec();
    }
    let open = SchoolYear::weeks();
    let count = COUNTS[number % COUNTS.len()];
    // A group that is done met before the sample is told; one that runs still meets after it.
    let end = open.iter().filter(|week| **week < NOW_WEEK).count();
    let first = if chance.falls(25) {
        chance.between(11, 15)
    } else {
        chance.between(1, 7)
    };
    let last = if state == "running" {
        open.len() - 1
    } else {
        end - 1
    };
    let step = ((last - first) / (count - 1)).max(1);
    let step = if state == "running" {
        step
    } else {
        step.min(chance.between(4, 7))
    };
    let mut at = (0..count)
        .map(|number| first + number * step)
        .collect::<Vec<_>>();
    if let (true, Some(end)) = (state == "running", at.last_mut()) {
        *end = last;
    }
    at.into_iter()
        .filter_map(|at| open.get(at).copied())
        .collect()
}

/// Where the members of a group stood and when, in the order of days.
pub(crate) fn statuses(chance: &mut Chance, group: &Group, now: Date) -> Vec<Status> {
    let Some(first) = group.sessions.first().map(|session| session.date) else {
        return Vec::new();
    };
    let end = group.sessions.last().map_or(first, |session| session.date);
    let mut log = Vec::new();
    let mut waiting = Vec::new();
    let mut freed = Vec::new();
    let mut taken = 0;
    for member in &group.members {
        let applied = (first - days(chance, 35, 80)).min(now - Duration::days(1));
        put(&mut log, member, "applied", applied);
        if group.state == "planned" || chance.falls(3) {
            continue;
        }
        let decided = (first - days(chance, 5, 30)).min(now);
        if group.places.is_some_and(|places| taken >= places) {
            put(&mut log, member, "waiting", decided);
            waiting.push(member);
            continue;
        }
        taken += 1;
        put(&mut log, member, "accepted", decided);
        if group.state == "recruiting" {
            continue;
        }
        if let Some(left) = take_part(chance, &mut log, group, member, decided, (end, now)) {
            freed.push(left);
        }
    }
    freed.sort_unstable();
    for (left, member) in freed.into_iter().zip(waiting) {
        let accepted = left + Duration::days(3);
        if accepted < end && accepted < now {
            put(&mut log, member, "accepted", accepted);
            take_part(chance, &mut log, group, member, accepted, (end, now));
        }
    }
    log.retain(|status| status.as_at <= now);
    log.sort_by_key(|status| status.as_at);
    log
}

/// From being accepted on: started, withdrawn, completed. Says when the place was given back.
fn take_part(
    chance: &mut Chance,
    log: &mut Vec<Status>,
    group: &Group,
    member: &Member,
    accepted: Date,
    (end, now): (Date, Date),
) -> Option<Date> {
    let held = group
        .sessions
        .iter()
        .filter(|session| session.state == "held" && session.date >= accepted);
    let held = held.map(|session| session.date).collect::<Vec<_>>();
    if chance.falls(4) {
        // Never came.
        let left = accepted + days(chance, 1, 4);
        put(log, member, "withdrawn", left);
        return Some(left);
    }
    let late = usize::from(chance.falls(5));
    let started = held.get(late).or_else(|| held.first()).copied()?;
    put(log, member, "started", started);
    let span = usize::try_from((end.min(now) - started).whole_days()).unwrap_or(0);
    if span > 10 && chance.falls(6) {
        let left = started + days(chance, 5, span - 2);
        put(log, member, "withdrawn", left);
        return Some(left);
    }
    if group.state == "completed" && !chance.falls(6) {
        let done = end + days(chance, 0, 6);
        if group.places.is_none() && chance.below(400) == 0 {
            // Two colleagues entered what cannot both be.
            put(log, member, "withdrawn", end);
        }
        put(log, member, "completed", done.min(now));
    }
    None
}

/// The marks of the sessions that were held.
pub(crate) fn attendance(chance: &mut Chance, group: &Group) -> Vec<Mark> {
    let mut marks = Vec::new();
    for session in group
        .sessions
        .iter()
        .filter(|session| session.state == "held")
    {
        if chance.falls(2) {
            continue; // the register was lost
        }
        let mut standing = BTreeMap::new();
        for status in group
            .statuses
            .iter()
            .filter(|status| status.as_at <= session.date)
        {
            standing.insert(status.member.as_str(), status.status);
        }
        for member in &group.members {
            if !matches!(
                standing.get(member.id.as_str()),
                Some(&("started" | "completed"))
            ) {
                continue;
            }
            let mark = match chance.below(100) {
                0..86 => "present",
                86..94 => "absent",
                94..98 => "part",
                _ => "substitute",
            };
            let entry = |mark| Mark {
                session: session.id.clone(),
                member: member.id.clone(),
                mark,
            };
            marks.push(entry(mark));
            if chance.below(900) == 0 {
                // A colleague entered it too, and remembers it otherwise.
                marks.push(entry(if mark == "absent" {
                    "present"
                } else {
                    "absent"
                }));
            }
        }
    }
    marks
}

/// What the leaders of a completed group say. Some disagree, and some say nothing.
pub(crate) fn ratings(chance: &mut Chance, group: &Group) -> Vec<Rating> {
    if group.state != "completed" || chance.falls(7) {
        return Vec::new();
    }
    let mut ratings = Vec::new();
    for outcome in OUTCOMES {
        let rating = chance.pick(&[2, 3, 3, 3, 4, 4]);
        for (number, (leader, _)) in group.leaders.iter().enumerate() {
            let apart = number > 0 && chance.falls(8);
            ratings.push(Rating {
                leader: *leader,
                outcome,
                rating: if apart { 5 - rating } else { rating },
            });
        }
    }
    ratings
}

/// What shows what a completed group changed.
pub(crate) fn evidence(chance: &mut Chance, state: &str) -> Option<&'static str> {
    (state == "completed" && chance.falls(60)).then(|| chance.pick(EVIDENCE))
}

/// What is told of a completed group.
pub(crate) fn narrative(chance: &mut Chance, state: &str) -> Option<&'static str> {
    (state == "completed" && !chance.falls(10)).then(|| chance.pick(NARRATIVES))
}

fn put(log: &mut Vec<Status>, member: &Member, status: &'static str, as_at: Date) {
    log.push(Status {
        member: member.id.clone(),
        status,
        as_at,
    });
}

fn days(chance: &mut Chance, least: usize, most: usize) -> Duration {
    Duration::days(i64::try_from(chance.between(least, most)).unwrap_or(0))
}

//! A work group's year: sessions, members, where they stand, attendance and ratings.

use time::Date;

/// A work group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its key among the sample's records.
    pub key: String,
    /// The hub's own code for it.
    pub code: String,
    /// Its title.
    pub title: String,
    /// Its kind.
    pub kind: &'static str,
    /// Its phase.
    pub phase: &'static str,
    /// The national priority that it serves.
    pub priority: &'static str,
    /// The item of the plan that it carries out.
    pub plan_item: &'static str,
    /// The code of its project, if the project has one.
    pub project: Option<String>,
    /// The versions of the project's protocol and measures on which it runs.
    pub versions: Option<(usize, usize)>,
    /// What it does otherwise than the protocol says.
    pub adaptations: Option<&'static str>,
    /// Where it stands at the end of the sample: `planned`, `recruiting`, `running`, `completed`
    /// or `cancelled`.
    pub state: &'static str,
    /// The places that were issued, if they are bounded.
    pub places: Option<usize>,
    /// The people who lead it, by their places, and in which role.
    pub leaders: Vec<(usize, &'static str)>,
    /// The sessions in their order.
    pub sessions: Vec<Session>,
    /// The members.
    pub members: Vec<Member>,
    /// Where members stood from which day on, in the order in which it was entered.
    pub statuses: Vec<Status>,
    /// Marks of attendance, in the order in which they were entered.
    pub attendance: Vec<Mark>,
    /// What leaders say that it changed.
    pub ratings: Vec<Rating>,
    /// How many asked about it.
    pub enquiries: usize,
    /// What changed, in words.
    pub narrative: Option<&'static str>,
    /// What shows it.
    pub evidence: Option<&'static str>,
    /// The hub's own notes. Some name a person, and must not leave the hub.
    pub notes: Option<String>,
    /// What participants wrote, by the person's place. Some name a person.
    pub reflections: Vec<(usize, String)>,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id within the group.
    pub id: String,
    /// The day, after any move.
    pub date: Date,
    /// The day for which it was planned first, if it was moved, and why.
    pub moved: Option<(Date, &'static str)>,
    /// When it starts.
    pub start: &'static str,
    /// How long it is.
    pub minutes: usize,
    /// Where it is.
    pub venue: String,
    /// `in person`, `online` or `both`.
    pub mode: &'static str,
    /// What is planned for it.
    pub plan: &'static str,
    /// The task until the next.
    pub gap_task: Option<&'static str>,
    /// Where it stands: `planned`, `held` or `cancelled`.
    pub state: &'static str,
}

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The id within the group.
    pub id: String,
    /// The school's name as typed.
    pub organisation: String,
    /// The school's number as typed.
    pub urn: Option<String>,
    /// Which school it truly is, by its place; none if it is no school of the register.
    pub school: Option<usize>,
    /// The person, by the place of the card; a school may have signed up without naming one.
    pub person: Option<usize>,
    /// The role as typed.
    pub role: Option<&'static str>,
}

/// Where a member stood from a day on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// The member's id.
    pub member: String,
    /// The status.
    pub status: &'static str,
    /// From which day.
    pub as_at: Date,
}

/// A mark of attendance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The session's id.
    pub session: String,
    /// The member's id.
    pub member: String,
    /// `present`, `absent`, `part` or `substitute`.
    pub mark: &'static str,
}

/// A leader's rating of one outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rating {
    /// The leader, by the place of the person.
    pub leader: usize,
    /// The outcome.
    pub outcome: &'static str,
    /// From 1 to 4.
    pub rating: usize,
}

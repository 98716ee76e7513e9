//! A work group as its pages show it: what one role sees of it on one day.

use std::collections::{BTreeMap, BTreeSet};

use node_domain::Object;
use serde_json::Value;

use crate::marks::RecordMarks;
use crate::records::{Desk, RecordsError};

/// The name of the kind.
pub(in crate::web::pages) const KIND: &str = "work-group";

/// Where members stand who are on a register.
const COMING: [&str; 3] = ["accepted", "started", "completed"];

/// A work group.
#[derive(Debug, Clone)]
pub(in crate::web::pages) struct Group {
    pub(in crate::web::pages) id: String,
    pub(in crate::web::pages) heads: String,
    pub(in crate::web::pages) marks: RecordMarks,
    pub(in crate::web::pages) sessions: Vec<Session>,
    pub(in crate::web::pages) members: Vec<Member>,
    fields: Object,
    attendance: Vec<Attendance>,
}

/// A session.
#[derive(Debug, Clone, Default)]
pub(in crate::web::pages) struct Session {
    pub(in crate::web::pages) id: String,
    /// Its number, by the order in which sessions were planned.
    pub(in crate::web::pages) number: usize,
    pub(in crate::web::pages) date: String,
    pub(in crate::web::pages) start: String,
    pub(in crate::web::pages) minutes: i64,
    pub(in crate::web::pages) venue: String,
    pub(in crate::web::pages) mode: String,
    pub(in crate::web::pages) moved_because: String,
    pub(in crate::web::pages) state: String,
}

/// Somebody who takes part, or a place that an organisation takes.
#[derive(Debug, Clone, Default)]
pub(in crate::web::pages) struct Member {
    pub(in crate::web::pages) id: String,
    pub(in crate::web::pages) organisation: String,
    pub(in crate::web::pages) urn: String,
    pub(in crate::web::pages) person: String,
    /// The person's name, for whoever may see it.
    pub(in crate::web::pages) name: String,
    pub(in crate::web::pages) role: String,
    /// Where they stand today, and since when.
    pub(in crate::web::pages) status: String,
    pub(in crate::web::pages) since: String,
}

/// A mark, as it was entered.
#[derive(Debug, Clone)]
pub(in crate::web::pages) struct Attendance {
    pub(in crate::web::pages) item: String,
    pub(in crate::web::pages) session: String,
    pub(in crate::web::pages) member: String,
    pub(in crate::web::pages) mark: String,
}

impl Group {
    /// Reads a work group as the desk's role sees it on a day.
    ///
    /// # Errors
    /// [`RecordsError`]; [`RecordsError::Missing`] too for a record of another kind.
    pub(in crate::web::pages) fn read(
        desk: &Desk,
        id: &str,
        today: &str,
    ) -> Result<Self, RecordsError> {
        let shown = desk.show(id, "")?;
        let Value::Object(fields) = shown.fields else {
            return Err(RecordsError::Missing(id.to_owned()));
        };
        if shown.kind != KIND {
            return Err(RecordsError::Missing(id.to_owned()));
        }
        let mut group = Self::of(id.to_owned(), fields, today);
        group.heads = shown.heads;
        group.marks = shown.marks;
        Ok(group)
    }

    /// A work group with these fields, without its heads and marks.
    pub(in crate::web::pages) fn of(id: String, fields: Object, today: &str) -> Self {
        let sessions = items(&fields, "sessions")
            .enumerate()
            .map(|(index, item)| Session {
                id: text(item, "id").to_owned(),
                number: index + 1,
                date: text(item, "date").to_owned(),
                start: text(item, "start").to_owned(),
                minutes: item.get("minutes").and_then(Value::as_i64).unwrap_or(0),
                venue: text(item, "venue").to_owned(),
                mode: text(item, "mode").to_owned(),
                moved_because: text(item, "moved_because").to_owned(),
                state: text(item, "state").to_owned(),
            });
        let sessions = sessions.collect();
        let standing = standing(&fields, today);
        let members = items(&fields, "members").map(|item| {
            let id = text(item, "id");
            let (since, status) = standing.get(id).copied().unwrap_or_default();
            Member {
                id: id.to_owned(),
                organisation: text(item, "organisation").to_owned(),
                urn: text(item, "urn").to_owned(),
                person: text(item, "person").to_owned(),
                name: String::new(),
                role: text(item, "role").to_owned(),
                status: status.to_owned(),
                since: since.to_owned(),
            }
        });
        let members = members.collect();
        let attendance = items(&fields, "attendance").map(|item| Attendance {
            item: text(item, "id").to_owned(),
            session: text(item, "session").to_owned(),
            member: text(item, "member").to_owned(),
            mark: text(item, "mark").to_owned(),
        });
        let attendance = attendance.collect();
        Self {
            id,
            heads: String::new(),
            marks: RecordMarks::default(),
            sessions,
            members,
            attendance,
            fields,
        }
    }

    /// Puts in the names of members, as far as the role sees them.
    ///
    /// # Errors
    /// [`RecordsError::Store`].
    pub(in crate::web::pages) fn name_members(&mut self, desk: &Desk) -> Result<(), RecordsError> {
        let persons = self.members.iter().map(|member| member.person.as_str());
        let persons = persons.filter(|id| !id.is_empty()).collect::<Vec<_>>();
        let names = desk.title_of(&persons)?;
        for member in &mut self.members {
            member.name = names.get(&member.person).cloned().unwrap_or_default();
        }
        Ok(())
    }

    /// A value or state as a word; empty if there is none, or the role does not see it.
    pub(in crate::web::pages) fn text(&self, field: &str) -> &str {
        text(&self.fields, field)
    }

    /// Whether the role sees a field.
    pub(in crate::web::pages) fn sees(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    /// The fields, as the measures of returns read them.
    pub(in crate::web::pages) fn counted(&self) -> (String, Object) {
        let mut fields = self.fields.clone();
        fields.insert("kind_of_record".to_owned(), Value::from(KIND));
        (self.id.clone(), fields)
    }

    /// Places in all and those that are left; none if places are not limited.
    pub(in crate::web::pages) fn places(&self) -> Option<(i64, i64)> {
        let places = self.fields.get("places")?;
        let part = |name: &str| places.get(name).and_then(Value::as_i64);
        let issued = part("issued").filter(|issued| *issued > 0)?;
        Some((issued, issued - part("taken").unwrap_or(0)))
    }

    /// The ids of those who lead it.
    pub(in crate::web::pages) fn leaders(&self) -> Vec<&str> {
        let leaders = items(&self.fields, "leaders").map(|leader| text(leader, "person"));
        leaders.filter(|id| !id.is_empty()).collect()
    }

    /// The session with this id.
    pub(in crate::web::pages) fn session(&self, id: &str) -> Option<&Session> {
        self.sessions.iter().find(|session| session.id == id)
    }

    /// The member with this id.
    pub(in crate::web::pages) fn member(&self, id: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.id == id)
    }

    /// The sessions by their dates.
    pub(in crate::web::pages) fn by_date(&self) -> Vec<&Session> {
        let mut sessions = self.sessions.iter().collect::<Vec<_>>();
        sessions.sort_by_key(|session| (&session.date, &session.start));
        sessions
    }

    /// The next session on a day or after it.
    pub(in crate::web::pages) fn next_session(&self, today: &str) -> Option<&Session> {
        let mut sessions = self.by_date().into_iter();
        sessions.find(|session| session.is_open() && session.date.as_str() >= today)
    }

    /// The session of which the register is likely wanted on a day: today's, the last of which
    /// nothing is marked, or the next.
    pub(in crate::web::pages) fn session_to_mark(&self, today: &str) -> Option<&Session> {
        let open = self.by_date().into_iter().filter(|it| it.is_open());
        let open = open.collect::<Vec<_>>();
        let on_the_day = open.iter().find(|session| session.date == today);
        let missed = || {
            let mut past = open.iter().rev();
            past.find(|it| it.date.as_str() < today && self.standing_marks(&it.id).is_empty())
        };
        let next = || open.iter().find(|session| session.date.as_str() > today);
        on_the_day.or_else(missed).or_else(next).copied()
    }

    /// Those who are on the register of a session: who was accepted and has not left, and who is
    /// marked.
    pub(in crate::web::pages) fn on_register(&self, session: &str) -> Vec<&Member> {
        let marks = self.standing_marks(session);
        let mut members = self.members.iter().collect::<Vec<_>>();
        members.retain(|member| member.is_coming() || marks.contains_key(member.id.as_str()));
        members
    }

    /// The mark that stands for each member in a session: the last that was entered.
    pub(in crate::web::pages) fn standing_marks(
        &self,
        session: &str,
    ) -> BTreeMap<&str, &Attendance> {
        let of_session = self.attendance.iter().filter(|it| it.session == session);
        of_session.map(|it| (it.member.as_str(), it)).collect()
    }

    /// The mark that was entered as an item with this id.
    pub(in crate::web::pages) fn entered(&self, item: &str) -> Option<&Attendance> {
        self.attendance.iter().find(|it| it.item == item)
    }

    /// Those who are coming.
    pub(in crate::web::pages) fn coming(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.is_coming())
    }

    /// From how many organisations those come who are coming.
    pub(in crate::web::pages) fn organisations(&self) -> usize {
        let names = self.coming().map(|member| {
            let named = if member.urn.is_empty() {
                &member.organisation
            } else {
                &member.urn
            };
            named.to_lowercase()
        });
        names.collect::<BTreeSet<_>>().len()
    }

    /// How many members stand in one of these on a day.
    pub(in crate::web::pages) fn count_standing(&self, statuses: &[&str], day: &str) -> usize {
        let standing = standing(&self.fields, day);
        let members = self.members.iter();
        let stands = |member: &&Member| {
            let found = standing.get(member.id.as_str());
            found.is_some_and(|(_, status)| statuses.contains(status))
        };
        members.filter(stands).count()
    }
}

impl Session {
    /// Whether it is still to be held.
    pub(in crate::web::pages) fn is_open(&self) -> bool {
        matches!(self.state.as_str(), "" | "planned" | "moved")
    }
}

impl Member {
    /// Whether they are expected: whoever was accepted and has not left, and whoever was entered
    /// without saying where they stand.
    pub(in crate::web::pages) fn is_coming(&self) -> bool {
        self.status.is_empty() || COMING.contains(&self.status.as_str())
    }

    /// What people call them: the name for whoever may see it.
    pub(in crate::web::pages) fn title(&self) -> &str {
        if self.name.is_empty() {
            &self.organisation
        } else {
            &self.name
        }
    }

    /// What stands beside it.
    pub(in crate::web::pages) fn beside(&self) -> String {
        let organisation = if self.name.is_empty() {
            ""
        } else {
            &self.organisation
        };
        let parts = [organisation, &self.role];
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join(", ")
    }
}

/// Where each member stands on a day, with the day since when.
fn standing<'a>(fields: &'a Object, today: &str) -> BTreeMap<&'a str, (&'a str, &'a str)> {
    let mut standing = BTreeMap::<&str, (&str, &str)>::new();
    for item in items(fields, "statuses") {
        let (since, status) = (text(item, "as_at"), text(item, "status"));
        let stands = standing.entry(text(item, "member")).or_default();
        if since <= today && since >= stands.0 {
            *stands = (since, status);
        }
    }
    standing
}

fn items<'a>(fields: &'a Object, list: &str) -> impl Iterator<Item = &'a Object> {
    let items = fields.get(list).and_then(Value::as_array);
    items.into_iter().flatten().filter_map(Value::as_object)
}

fn text<'a>(fields: &'a Object, name: &str) -> &'a str {
    fields.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group() -> Group {
        let fields = serde_json::json!({
            "sessions": [
                { "id": "a", "date": "2027-01-10", "state": "held" },
                { "id": "b", "date": "2027-02-10", "state": "planned" },
                { "id": "c", "date": "2027-03-10", "state": "planned" },
            ],
            "members": [
                { "id": "m", "organisation": "Oak Primary" },
                { "id": "n", "organisation": "oak primary" },
                { "id": "o", "organisation": "Elm School" },
            ],
            "statuses": [
                { "member": "m", "status": "applied", "as_at": "2026-10-01" },
                { "member": "m", "status": "accepted", "as_at": "2026-11-01" },
                { "member": "n", "status": "completed", "as_at": "2027-07-01" },
                { "member": "o", "status": "withdrawn", "as_at": "2027-01-01" },
            ],
            "attendance": [
                { "id": "1", "session": "b", "member": "m", "mark": "absent" },
                { "id": "2", "session": "b", "member": "m", "mark": "present" },
            ],
        });
        let fields = fields.as_object().cloned().unwrap_or_default();
        Group::of("g".to_owned(), fields, "2027-02-20")
    }

    #[test]
    fn members_stand_where_they_stood_on_the_day_and_the_last_mark_counts() {
        let group = group();
        let statuses = group.members.iter().map(|it| it.status.as_str());
        assert_eq!(
            statuses.collect::<Vec<_>>(),
            ["accepted", "", "withdrawn"],
            "a status of a later day does not count yet"
        );
        assert_eq!((group.coming().count(), group.organisations()), (2, 1));
        assert_eq!(group.standing_marks("b")["m"].mark, "present");
        assert_eq!(group.count_standing(&["completed"], "2027-07-01"), 1);
        assert_eq!(group.count_standing(&["accepted"], "2026-10-31"), 0);
    }

    #[test]
    fn the_register_that_is_wanted_is_todays_or_one_that_was_missed_or_the_next() {
        let group = group();
        let wanted = |day: &str| group.session_to_mark(day).map(|it| it.id.as_str());
        assert_eq!(wanted("2027-03-10"), Some("c"));
        assert_eq!(wanted("2027-02-20"), Some("c"), "b is marked already");
        assert_eq!(wanted("2027-05-01"), Some("c"), "c was missed");
        assert_eq!(
            group.next_session("2027-02-20").map(|it| it.number),
            Some(3)
        );
    }
}

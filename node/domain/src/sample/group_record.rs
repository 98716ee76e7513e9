//! A work group as a record, and the edits of its year.

use serde_json::{Value as Json, json};

use crate::change::FieldChange;
use crate::sample::group::{Group, Mark, Member, Session, Status};
use crate::sample::hub_year::HubYear;
use crate::sample::record::{SampleRecord, add, day, reference};

impl Group {
    /// Its record: created as it was planned, then edited as the year went.
    pub fn record(&self, year: &HubYear) -> SampleRecord {
        let person = |at: usize| year.people.get(at).map(|person| reference(&person.key));
        let applied = self
            .statuses
            .iter()
            .take_while(|status| status.status == "applied")
            .count();
        let fields = json!({
            "code": self.code, "title": self.title, "kind": self.kind, "phase": self.phase,
            "priority": self.priority, "plan_item": self.plan_item, "project": self.project, "year": year.options.year,
            "protocol_version": self.versions.map(|(protocol, _)| protocol),
            "measure_version": self.versions.map(|(_, measures)| measures),
            "adaptations": self.adaptations, "notes": self.notes,
            "places": self.places,
            "leaders": self.leaders.iter()
                .map(|(at, role)| json!({"person": person(*at), "role": role}))
                .collect::<Vec<_>>(),
            "sessions": self.sessions.iter().map(session).collect::<Vec<_>>(),
            "members": self.members.iter()
                .map(|it| member(it, it.person.and_then(person)))
                .collect::<Vec<_>>(),
            "statuses": self.statuses.iter().take(applied).map(status).collect::<Vec<_>>(),
        });
        SampleRecord::new("work-group", self.key.clone(), fields)
            .with_steps(self.steps(applied, &person))
    }

    fn steps(
        &self,
        applied: usize,
        person: &dyn Fn(usize) -> Option<Json>,
    ) -> Vec<Vec<FieldChange>> {
        let mut rest = self.statuses.iter().skip(applied).peekable();
        let mut steps = Vec::new();
        let first = self.sessions.first().map(|session| session.date);
        let mut until = |last: Option<time::Date>| {
            let mut added = Vec::new();
            while let Some(next) = rest.next_if(|it| last.is_none_or(|last| it.as_at < last)) {
                added.push(add("statuses", None, status(next)));
            }
            added
        };
        if self.state == "planned" {
            steps.push(until(None));
            return steps;
        }
        let mut recruiting = vec![FieldChange::set("state", "recruiting")];
        recruiting.extend(until(first));
        steps.push(recruiting);
        if matches!(self.state, "running" | "completed") {
            steps.push(vec![FieldChange::set("state", "running")]);
        }
        for session in &self.sessions {
            let mut step = until(session.date.next_day());
            step.extend(self.met(session));
            steps.push(step);
        }
        let mut end = until(None);
        end.push(FieldChange::Count {
            field: "enquiries".to_owned(),
            by: i64::try_from(self.enquiries).unwrap_or(0),
        });
        for rating in &self.ratings {
            let values = json!({
                "leader": person(rating.leader), "outcome": rating.outcome, "rating": rating.rating,
            });
            end.push(add("ratings", None, values));
        }
        for (writer, text) in &self.reflections {
            let values = json!({"person": person(*writer), "text": text});
            end.push(add("reflections", None, values));
        }
        for (field, text) in [("narrative", self.narrative), ("evidence", self.evidence)] {
            end.extend(text.map(|text| FieldChange::set(field, text)));
        }
        if matches!(self.state, "completed" | "cancelled") {
            end.push(FieldChange::set("state", self.state));
        }
        steps.push(end);
        steps
    }

    /// What is entered about a session on its day.
    fn met(&self, session: &Session) -> Vec<FieldChange> {
        let field = |name: &str| format!("sessions/{}/{name}", session.id);
        let mut step = Vec::new();
        if let Some((_, why)) = session.moved {
            step.push(FieldChange::set(field("date"), day(session.date)));
            step.push(FieldChange::set(field("moved_because"), why));
            step.push(FieldChange::set(field("state"), "moved"));
        }
        if session.state != "planned" {
            step.push(FieldChange::set(field("state"), session.state));
        }
        let marks = self
            .attendance
            .iter()
            .filter(|mark| mark.session == session.id);
        step.extend(marks.map(|it| add("attendance", None, mark(it))));
        step
    }
}

fn session(session: &Session) -> Json {
    let planned = session.moved.map_or(session.date, |(planned, _)| planned);
    compact(json!({
        "id": session.id, "date": day(planned), "start": session.start,
        "minutes": session.minutes, "venue": session.venue, "mode": session.mode,
        "plan": session.plan, "gap_task": session.gap_task,
    }))
}

fn member(member: &Member, person: Option<Json>) -> Json {
    compact(json!({
        "id": member.id, "organisation": member.organisation, "urn": member.urn,
        "person": person, "role": member.role,
    }))
}

fn status(status: &Status) -> Json {
    json!({"member": status.member, "status": status.status, "as_at": day(status.as_at)})
}

fn mark(mark: &Mark) -> Json {
    json!({"session": mark.session, "member": mark.member, "mark": mark.mark})
}

fn compact(mut item: Json) -> Json {
    if let Some(fields) = item.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    item
}

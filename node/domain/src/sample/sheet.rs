//! The list of work groups as a hub lead keeps it in a spreadsheet.

use crate::sample::chance::Chance;
use crate::sample::hub_year::HubYear;
use crate::sample::untidy;

/// The columns, as she calls them.
const HEADERS: [&str; 8] = [
    "Work group",
    "Code",
    "Phase",
    "Lead",
    "First session",
    "School",
    "Places ",
    "Notes",
];

impl HubYear {
    /// The work groups as a hub lead would bring them: headers, and one row for each group in
    /// human, untidy words. One row is empty, and one group stands there twice.
    pub fn groups_sheet(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let purpose = format!("sheet of {}", self.options.hub_code);
        let mut chance = Chance::new(self.options.seed, &purpose);
        let mut rows = Vec::new();
        for group in &self.groups {
            let lead = group
                .leaders
                .first()
                .and_then(|(at, _)| self.people.get(*at));
            let first = group.sessions.first();
            let host = group
                .members
                .first()
                .map_or("", |member| member.organisation.as_str());
            let title = match chance.below(10) {
                0 => format!(" {}  ", group.title),
                1 => group.title.to_uppercase(),
                _ => group.title.clone(),
            };
            let notes = chance.pick(&[
                "",
                "",
                "",
                "ring the school",
                "co-lead?",
                "same venue as last year",
            ]);
            rows.push(vec![
                title,
                if chance.falls(6) {
                    String::new()
                } else {
                    group.code.clone()
                },
                untidy::phase(&mut chance, group.phase).to_owned(),
                lead.map_or_else(String::new, |person| person.name.clone()),
                first.map_or_else(String::new, |session| {
                    untidy::day(&mut chance, session.date)
                }),
                host.to_owned(),
                group
                    .places
                    .map_or_else(String::new, |places| places.to_string()),
                notes.to_owned(),
            ]);
        }
        if let Some(twice) = rows.get(rows.len() / 3).cloned() {
            rows.push(vec![String::new(); HEADERS.len()]);
            rows.push(twice);
        }
        (HEADERS.map(str::to_owned).to_vec(), rows)
    }
}

//! The real hubs, council areas and projects of `deploy/data`, with their sources beside them.

const HUBS: &str = include_str!("../../../../deploy/data/hubs.csv");
const AREAS: &str = include_str!("../../../../deploy/data/hub_areas.csv");
const PROJECTS: &str = include_str!("../../../../deploy/data/projects.csv");

/// A hub as the public pages name it.
#[derive(Debug, Clone)]
pub(crate) struct ListedHub {
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) region: String,
    pub(crate) leads: Vec<(String, Option<String>)>,
}

/// A project as the public pages name it.
#[derive(Debug, Clone)]
pub(crate) struct ListedProject {
    pub(crate) code: String,
    /// As in 2024-25.
    pub(crate) year: String,
    pub(crate) title: String,
    /// In words.
    pub(crate) phase: String,
    pub(crate) summary: String,
}

/// The hubs, in the order of the file.
pub(crate) fn hubs() -> Vec<ListedHub> {
    let hub = |row: csv::StringRecord| {
        let names = part(&row, 3);
        let urns = part(&row, 4);
        let mut urns = urns.split(';').map(str::trim);
        let lead = |name: &str| {
            let urn = urns.next().filter(|urn| !urn.is_empty());
            (name.trim().to_owned(), urn.map(str::to_owned))
        };
        ListedHub {
            code: part(&row, 0),
            name: part(&row, 1),
            region: part(&row, 2),
            leads: names
                .split(';')
                .filter(|name| !name.trim().is_empty())
                .map(lead)
                .collect(),
        }
    };
    rows(HUBS).map(hub).collect()
}

/// The council areas of a hub, as far as they were found.
pub(crate) fn areas(code: &str) -> Vec<String> {
    rows(AREAS)
        .filter(|row| row.get(0) == Some(code))
        .map(|row| part(&row, 1))
        .collect()
}

/// The projects, in the order of the file.
pub(crate) fn projects() -> Vec<ListedProject> {
    let project = |row: csv::StringRecord| ListedProject {
        code: part(&row, 0),
        year: part(&row, 1).replace('/', "-"),
        title: part(&row, 2),
        phase: part(&row, 3),
        summary: part(&row, 4),
    };
    rows(PROJECTS).map(project).collect()
}

impl ListedProject {
    /// The codes of the phases that the words name.
    pub(crate) fn phases(&self) -> Vec<&'static str> {
        let words = [
            ("early years", "early years"),
            ("KS1", "primary"),
            ("primary", "primary"),
            ("secondary", "secondary"),
            ("post-16", "post-16"),
            ("cross", "all"),
        ];
        let named = words.iter().filter(|(word, _)| self.phase.contains(word));
        let mut phases = named.map(|(_, phase)| *phase).collect::<Vec<_>>();
        phases.dedup();
        phases
    }
}

fn rows(text: &'static str) -> impl Iterator<Item = csv::StringRecord> {
    csv::Reader::from_reader(text.as_bytes())
        .into_records()
        .filter_map(Result::ok)
}

fn part(row: &csv::StringRecord, at: usize) -> String {
    row.get(at).unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::template::TEMPLATES;

    #[test]
    fn every_national_kind_of_group_is_a_project_of_the_catalogue() {
        let projects = projects();
        for template in TEMPLATES.iter().filter(|template| template.national) {
            let mut titles = projects.iter().map(|project| project.title.as_str());
            assert!(
                titles.any(|title| title == template.title),
                "{}",
                template.title
            );
        }
        assert_eq!(TEMPLATES.iter().map(|it| it.count).sum::<usize>(), 90);
        assert_eq!(hubs().len(), 38);
    }
}

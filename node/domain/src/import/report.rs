//! What an import would do, in numbers and in words.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{ColumnUse, Import, RowOutcome, SchoolQuestion};

/// How many lines of each sort the report in words shows.
const LINES_MAX: usize = 200;

/// How many rows come to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct ImportCounts {
    /// Rows that make something new.
    pub new: usize,
    /// Rows that belong to what an earlier row makes or changes.
    pub joined: usize,
    /// Rows that say what is there already.
    pub same: usize,
    /// Rows that change what is there.
    pub changed: usize,
    /// Rows that cannot be taken as they are.
    pub wrong: usize,
    /// Rows that wait for an answer about a school.
    pub asked: usize,
    /// People whose cards would be made, unless they are there.
    pub people: usize,
}

impl Import {
    /// How many rows come to what.
    pub fn counts(&self) -> ImportCounts {
        let mut counts = ImportCounts::default();
        let mut people = std::collections::BTreeSet::new();
        for row in &self.rows {
            match &row.outcome {
                RowOutcome::New { .. } => counts.new += 1,
                RowOutcome::Joined { .. } => counts.joined += 1,
                RowOutcome::Same { .. } => counts.same += 1,
                RowOutcome::Changed { .. } => counts.changed += 1,
                RowOutcome::Wrong { .. } => counts.wrong += 1,
                RowOutcome::Asked { .. } => counts.asked += 1,
            }
            people.extend(row.people.iter().map(|person| &person.reference));
        }
        counts.people = people.len();
        counts
    }

    /// The questions about schools, each name once, with the rows that wait for its answer.
    pub fn questions(&self) -> Vec<(&SchoolQuestion, Vec<usize>)> {
        let mut questions = Vec::<(&SchoolQuestion, Vec<usize>)>::new();
        let mut at = BTreeMap::new();
        for row in &self.rows {
            let RowOutcome::Asked { question } = &row.outcome else {
                continue;
            };
            let index = *at.entry(&question.typed).or_insert(questions.len());
            if index == questions.len() {
                questions.push((question, Vec::new()));
            }
            if let Some((_, rows)) = questions.get_mut(index) {
                rows.push(row.number);
            }
        }
        questions
    }

    /// The whole plan in words: what the sheet lacks, what the columns do, how many rows come to
    /// what, and each row that needs a person.
    pub fn report(&self) -> String {
        let mut text = String::new();
        for problem in &self.problems {
            line(&mut text, format_args!("{problem}."));
        }
        for column in &self.columns {
            let ColumnUse {
                header, label, why, ..
            } = column;
            if label.is_empty() {
                line(&mut text, format_args!("Column '{header}': {why}."));
            } else {
                line(
                    &mut text,
                    format_args!("Column '{header}' fills '{label}': {why}."),
                );
            }
        }
        if !self.problems.is_empty() {
            return text;
        }
        let counts = self.counts();
        line(
            &mut text,
            format_args!(
                "{} rows: {} new, {} joined to those, {} changed, {} there already, {} wrong, {} \
                 waiting for an answer.",
                self.rows.len(),
                counts.new,
                counts.joined,
                counts.changed,
                counts.same,
                counts.wrong,
                counts.asked
            ),
        );
        self.add_rows(&mut text);
        text
    }

    fn add_rows(&self, text: &mut String) {
        let problems = self.rows.iter().flat_map(|row| match &row.outcome {
            RowOutcome::Wrong { problems } => problems.as_slice(),
            RowOutcome::New { .. }
            | RowOutcome::Joined { .. }
            | RowOutcome::Same { .. }
            | RowOutcome::Changed { .. }
            | RowOutcome::Asked { .. } => &[],
        });
        lines(text, problems.map(|problem| format!("{problem}.")));
        let questions = self.questions();
        let asked = questions.iter().map(|(question, rows)| {
            let candidates = question.candidates.iter().map(|school| {
                let place = if school.place.is_empty() {
                    String::new()
                } else {
                    format!(", {}", school.place)
                };
                format!("{} ({}{place})", school.name, school.urn)
            });
            let candidates = candidates.collect::<Vec<_>>().join("; ");
            let rows = rows
                .iter()
                .map(usize::to_string)
                .collect::<Vec<_>>()
                .join(", ");
            format!(
                "Which school is '{}' (row {rows})? {candidates}.",
                question.typed
            )
        });
        lines(text, asked);
        let notes = self.rows.iter().flat_map(|row| {
            let number = row.number;
            row.notes
                .iter()
                .map(move |note| format!("Row {number}: {note}."))
        });
        lines(text, notes);
    }
}

fn lines(text: &mut String, all: impl Iterator<Item = String>) {
    let mut more = 0_usize;
    for (index, one) in all.enumerate() {
        if index < LINES_MAX {
            line(text, format_args!("{one}"));
        } else {
            more += 1;
        }
    }
    if more > 0 {
        line(text, format_args!("And {more} more of these."));
    }
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing into a text cannot fail.
    let _ = writeln!(text, "{line}");
}

//! Whether all hold the same: the digests of every space at every member.

use std::collections::BTreeMap;

use anyhow::Result;
use node::cli::output::table;

use crate::member::Member;

/// Digits of a digest that the table shows.
const SHOWN: usize = 8;

/// What every running member holds of every space.
#[derive(Debug, Default)]
pub(crate) struct Digests {
    columns: Vec<String>,
    spaces: BTreeMap<String, SpaceRow>,
}

#[derive(Debug, Default)]
struct SpaceRow {
    kind: String,
    title: String,
    /// Codes of the members that should hold it.
    expected: Vec<String>,
    /// By member: the digest of the heights and that of the documents.
    held: BTreeMap<String, (String, String)>,
}

impl Digests {
    /// Asks every running member.
    ///
    /// # Errors
    /// If one does not answer.
    pub(crate) async fn take(members: &[Member]) -> Result<Self> {
        let mut digests = Self::default();
        for member in members.iter().filter(|member| member.is_running()) {
            digests.columns.push(member.code.clone());
            for space in member.spaces().await? {
                let row = digests.spaces.entry(space.id).or_default();
                row.expected.extend(space.members);
                row.held
                    .insert(member.code.clone(), (space.digest, space.documents_digest));
                (row.kind, row.title) = (space.kind, space.title);
            }
        }
        for row in digests.spaces.values_mut() {
            row.expected.sort();
            row.expected.dedup();
            row.expected.retain(|code| digests.columns.contains(code));
        }
        Ok(digests)
    }

    /// How many different spaces there are.
    pub(crate) fn spaces(&self) -> usize {
        self.spaces.len()
    }

    /// Whether every member that shares a space holds the same of it.
    ///
    /// # Errors
    /// A sentence that names what differs.
    pub(crate) fn equal(&self) -> std::result::Result<(), String> {
        let apart = self.spaces.values().filter(|row| !row.equal());
        let apart = apart
            .map(|row| format!("\"{}\"", row.title))
            .collect::<Vec<_>>();
        match apart.as_slice() {
            [] if self.spaces.is_empty() => Err("nothing is shared yet".to_owned()),
            [] => Ok(()),
            apart => Err(format!("not the same everywhere: {}", apart.join(", "))),
        }
    }

    /// The closing table.
    pub(crate) fn table(&self) -> String {
        let mut heads = vec!["SHARED AS", "WHAT"];
        heads.extend(self.columns.iter().map(String::as_str));
        heads.push("EQUAL");
        let mut rows = self.spaces.values().collect::<Vec<_>>();
        rows.sort_by_key(|row| (&row.kind, &row.title));
        let rows = rows.into_iter().map(|row| {
            let mut cells = vec![row.kind.clone(), row.title.clone()];
            cells.extend(self.columns.iter().map(|code| row.cell(code)));
            cells.push(if row.equal() { "yes" } else { "NO" }.to_owned());
            cells
        });
        table(&heads, &rows.collect::<Vec<_>>())
    }
}

impl SpaceRow {
    fn equal(&self) -> bool {
        let mut held = self.expected.iter().map(|code| self.held.get(code));
        let Some(Some(first)) = held.next() else {
            return false;
        };
        held.all(|other| other == Some(first))
    }

    fn cell(&self, code: &str) -> String {
        let short = |digest: &str| digest.chars().take(SHOWN).collect::<String>();
        match self.held.get(code) {
            Some((heights, documents)) => format!("{}/{}", short(heights), short(documents)),
            None if self.expected.iter().any(|expected| expected == code) => "MISSING".to_owned(),
            None => "-".to_owned(),
        }
    }
}

//! Everything that takes part, and what the steps need to know of it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use tests::relay::Relay;

use crate::digests::Digests;
use crate::expected::{Expected, Facts};
use crate::ledger::{Ledger, Mark};
use crate::member::Member;
use crate::wait::until;

/// The coordinator's place among the members.
pub(crate) const COORDINATOR: usize = 0;
/// South Yorkshire's.
pub(crate) const SOUTH_YORKSHIRE: usize = 1;
/// West Yorkshire's.
pub(crate) const WEST_YORKSHIRE: usize = 2;
/// London Thames's.
pub(crate) const LONDON_THAMES: usize = 3;
/// The hubs' places.
pub(crate) const HUBS: [usize; 3] = [SOUTH_YORKSHIRE, WEST_YORKSHIRE, LONDON_THAMES];

/// Everything that takes part.
#[derive(Debug)]
pub(crate) struct Stage {
    /// Where all folders stand.
    pub(crate) root: PathBuf,
    /// The coordinator and the hubs.
    pub(crate) members: Vec<Member>,
    /// The hubs' cables, in the order of [`HUBS`].
    pub(crate) cables: Vec<Relay>,
    /// The coordinator's port.
    pub(crate) port: u16,
    /// What is shared by every hub.
    pub(crate) network: String,
    /// The projects that were opened; the first is the one that the story is about.
    pub(crate) projects: Vec<Project>,
    /// Each hub's work groups, in the order of [`HUBS`].
    pub(crate) groups: Vec<Vec<Group>>,
    /// What was acknowledged.
    pub(crate) ledger: Ledger,
    /// What was published, and what the figures must be by it.
    pub(crate) expected: Expected,
    /// The names and addresses of the people whom hubs keep to themselves, beside those planted.
    pub(crate) people: BTreeSet<String>,
}

/// A project that was opened.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    /// Its code.
    pub(crate) code: String,
    /// What it is shared as.
    pub(crate) space: String,
    /// Its record.
    pub(crate) record: String,
    /// The hubs that take part.
    pub(crate) hubs: Vec<usize>,
}

/// A work group of a hub.
#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// Its record.
    pub(crate) record: String,
    /// Its title.
    pub(crate) title: String,
    /// The project that it belongs to, by its place among the projects.
    pub(crate) project: usize,
    /// The code of the project under which it is counted.
    pub(crate) counted_as: String,
    /// What its summary must come to.
    pub(crate) facts: Facts,
}

impl Stage {
    /// The project that the story is about.
    pub(crate) fn project(&self) -> Project {
        self.projects[0].clone()
    }

    /// A hub's work group in that project.
    pub(crate) fn group(&self, hub: usize) -> Group {
        self.groups[hub - SOUTH_YORKSHIRE][0].clone()
    }

    /// All work groups of a hub that take part.
    pub(crate) fn groups_of(&self, hub: usize) -> Vec<Group> {
        self.groups[hub - SOUTH_YORKSHIRE].clone()
    }

    /// A hub's cable.
    pub(crate) fn cable(&self, hub: usize) -> &Relay {
        &self.cables[hub - SOUTH_YORKSHIRE]
    }

    /// A member's name in a sentence.
    pub(crate) fn name(&self, member: usize) -> &str {
        self.members[member].short()
    }

    /// The name in sentences of the member with this code.
    pub(crate) fn name_of(&self, code: &Value) -> &str {
        let member = self.members.iter().find(|member| member.is(code));
        member.map_or("somebody else", Member::short)
    }

    /// How many edits of a member are not sent yet, as its own status says.
    pub(crate) async fn not_sent(&self, member: usize) -> Result<u64> {
        let status = self.members[member].status().await?;
        status["not_sent"]
            .as_u64()
            .context("the status does not say what is not sent")
    }

    /// The folder of the saved keys.
    pub(crate) fn keys(&self) -> PathBuf {
        keys(&self.root)
    }

    /// Makes a record, and notes that it was acknowledged.
    pub(crate) async fn create(
        &mut self,
        by: usize,
        kind: &str,
        space: &str,
        fields: Value,
    ) -> Result<String> {
        let id = self.members[by].create(kind, space, &fields).await?;
        self.ledger.saved(by, &id, Mark::Record);
        Ok(id)
    }

    /// Sets fields of a record as `by` sees it now, and notes that it was acknowledged.
    pub(crate) async fn set(
        &mut self,
        by: usize,
        id: &str,
        fields: &[(&str, Value)],
    ) -> Result<()> {
        for (field, value) in fields {
            let heads = self.members[by].show(id).await?.heads;
            self.members[by]
                .edit(id, &heads, &json!({ *field: value }))
                .await?;
            self.ledger
                .saved(by, id, Mark::Value((*field).to_owned(), value.clone()));
        }
        Ok(())
    }

    /// Rewords part of a text as `by` sees it now, and notes that it was acknowledged.
    pub(crate) async fn reword(
        &mut self,
        by: usize,
        id: &str,
        field: &str,
        from: &str,
        to: &str,
    ) -> Result<()> {
        let shown = self.members[by].show(id).await?;
        let text = shown.fields[field].as_str().unwrap_or_default();
        ensure!(
            text.contains(from),
            "the text has no \"{from}\" to reword: \"{text}\""
        );
        let text = text.replacen(from, to, 1);
        self.members[by]
            .edit(id, &shown.heads, &json!({ field: text }))
            .await?;
        self.ledger
            .saved(by, id, Mark::Words(field.to_owned(), to.to_owned()));
        Ok(())
    }

    /// Makes changes of other shapes: of lists, sets and counts.
    pub(crate) async fn change(&mut self, by: usize, id: &str, changes: Value) -> Result<()> {
        let heads = self.members[by].show(id).await?.heads;
        self.members[by].edit(id, &heads, &changes).await?;
        self.ledger.saved(by, id, Mark::Record);
        Ok(())
    }

    /// Shows with the command, as a person would, what publishing a work group's summary to its
    /// project would let out.
    pub(crate) async fn preview(&self, by: usize, group: &Group) -> Result<Value> {
        let space = &self.projects[group.project].space;
        let words = ["record", "publish", &group.record, "--space", space];
        self.members[by].command(&words).await
    }

    /// Publishes just what a preview showed, with the command; returns what the program says of it.
    pub(crate) async fn publish_shown(
        &mut self,
        by: usize,
        group: &Group,
        shown: &Value,
    ) -> Result<Value> {
        let digest = shown["digest"].as_str().unwrap_or_default();
        ensure!(!digest.is_empty(), "the preview has no digest: {shown}");
        let (space, confirm) = (
            &self.projects[group.project].space,
            format!("--confirm={digest}"),
        );
        let words = [
            "record",
            "publish",
            &group.record,
            "--space",
            space,
            &confirm,
        ];
        let done = self.members[by].command(&words).await?;
        let id = done["id"].as_str().unwrap_or_default().to_owned();
        ensure!(!id.is_empty(), "nothing was published: {done}");
        self.ledger.saved(by, &id, Mark::Record);
        let code = &self.members[by].code;
        self.expected.add(&group.counted_as, code, &group.facts);
        Ok(done)
    }

    /// Looks at the preview of a work group's summary, and publishes just that. Returns the id of
    /// the copy.
    pub(crate) async fn publish(&mut self, by: usize, group: &Group) -> Result<String> {
        let shown = self.preview(by, group).await?;
        let done = self.publish_shown(by, group, &shown).await?;
        Ok(done["id"].as_str().unwrap_or_default().to_owned())
    }

    /// How many lines a hub's disclosure log has.
    pub(crate) async fn disclosures(&self, hub: usize) -> Result<usize> {
        let log = self.members[hub]
            .command(&["record", "disclosures"])
            .await?;
        log.as_array()
            .map(Vec::len)
            .context("the disclosure log is no list")
    }

    /// Waits until every running member holds the same of all that it shares.
    pub(crate) async fn in_sync(&self) -> Result<()> {
        let all_equal = async || Ok(Digests::take(&self.members).await?.equal());
        until("everybody having the same", all_equal).await
    }

    /// Waits until the coordinator says that a hub is in this state.
    pub(crate) async fn hub_is(&self, hub: usize, state: &str) -> Result<()> {
        let what = format!("{} being {state}", self.name(hub));
        let asked = async || {
            let hubs = self.members[COORDINATOR].command(&["hubs"]).await?;
            let code = &self.members[hub].code;
            let found = hubs
                .as_array()
                .into_iter()
                .flatten()
                .find(|entry| entry["code"] == **code);
            let now = found
                .map(|entry| entry["state"].clone())
                .unwrap_or_default();
            Ok(if now == state {
                Ok(())
            } else {
                Err(format!("it is {now}"))
            })
        };
        until(&what, asked).await
    }

    /// How many bytes the cables of all hubs carried.
    pub(crate) fn carried(&self) -> u64 {
        self.cables.iter().map(Relay::carried).sum()
    }

    /// Stops every process.
    pub(crate) async fn stop(&mut self) -> Result<()> {
        for member in self.members.iter_mut().rev() {
            member.stop().await?;
        }
        Ok(())
    }
}

/// The folder of the saved keys below `root`.
pub(crate) fn keys(root: &Path) -> PathBuf {
    root.join("saved-keys")
}

/// A day of next year, such as `08-31`: until then an agreement holds.
pub(crate) fn next_year(day: &str) -> String {
    format!("{}-{day}", time::OffsetDateTime::now_utc().year() + 1)
}

/// Writes the settings of a member. All pauses are short, since nobody wants to watch them.
pub(crate) fn write_settings(member: &Member, listen: Option<u16>) -> Result<()> {
    let mut text = String::new();
    if let Some(port) = listen {
        text = format!(
            "[listen]\naddress = \"127.0.0.1:{port}\"\npublic = \"127.0.0.1:{port}\"\n\
             names = [\"127.0.0.1\", \"localhost\"]\n\n"
        );
    }
    text.push_str(
        "[sync]\nreconnect_ms_min = 100\nreconnect_ms_max = 1000\nreceipt_interval_ms = 200\n\n\
         [shutdown]\ngrace_ms = 2000\n\n",
    );
    text.push_str(&format!("[web]\nlisten = \"{}\"\n", member.pages()));
    let folder = member.folder();
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(folder.join("causeway.toml"), text))
        .with_context(|| format!("the settings in {} cannot be written", folder.display()))
}

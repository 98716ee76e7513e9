//! Importing the national school register: a newer one replaces an older one whole.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use node_domain::{CardRecord, ORGANISATION, Object, Register};
use node_feed::{CardId, SpaceId, SpaceKind};
use serde_json::{Value, json};

use super::{Headway, RecordId, RecordsError};
use crate::Node;
use crate::cards::card_view;

/// How many problems of rows are told one by one.
const TOLD: usize = 100;
/// How many schools are written before it is looked whether to stop.
const TOGETHER: usize = 500;

impl Node {
    /// Imports the national school register in GIAS's own CSV, or says what that would do: at the
    /// coordinator for everybody, at a hub for itself. What is there already and says the same
    /// stays; what says otherwise is replaced. A school that is not in the file stays as it is.
    ///
    /// # Errors
    /// [`RecordsError`] if a file cannot be read or is not the register; nothing was imported
    /// then.
    pub fn import_register(
        &self,
        path: &Path,
        links: Option<&Path>,
        areas: &[String],
        dry_run: bool,
    ) -> Result<Value, RecordsError> {
        self.import_register_with(path, links, areas, dry_run, &Headway::default())
    }

    /// The same for somebody who looks how far it has come. Stopped, it says how many schools are
    /// left; what was brought in until then stays.
    ///
    /// # Errors
    /// As for [`Node::import_register`].
    pub fn import_register_with(
        &self,
        path: &Path,
        links: Option<&Path>,
        areas: &[String],
        dry_run: bool,
        headway: &Headway,
    ) -> Result<Value, RecordsError> {
        let wrong = |error: node_domain::RegisterError| RecordsError::Refused(error.to_string());
        let mut register = Register::read(&bytes(path)?).map_err(wrong)?;
        if let Some(links) = links {
            register.add_links(&bytes(links)?).map_err(wrong)?;
        }
        let areas = areas
            .iter()
            .map(|area| area.to_lowercase())
            .collect::<BTreeSet<_>>();
        let space = self.register_space()?;
        let there = self.organisations_by_urn(space)?;
        let (mut new, mut changed) = (Vec::new(), Vec::new());
        let (mut same, mut left_out) = (0, 0);
        for school in register.schools() {
            if !areas.is_empty() && !areas.contains(&school.local_authority.to_lowercase()) {
                left_out += 1;
                continue;
            }
            let fields = school.fields();
            match there.get(&school.urn) {
                None => new.push(fields),
                Some((card, standing)) => {
                    let record = CardRecord::new(&ORGANISATION, &fields, true)?;
                    if *standing == record.fields {
                        same += 1;
                    } else {
                        changed.push((*card, record));
                    }
                }
            }
        }
        let total = new.len() + changed.len();
        let (mut added, mut replaced) = (new.len(), changed.len());
        if !dry_run {
            (added, replaced) = (0, 0);
            for some in new.chunks(TOGETHER) {
                headway.at("schools", added, total);
                if headway.is_stopped() {
                    break;
                }
                self.create_cards(&ORGANISATION, space, some.to_vec())?;
                added += some.len();
            }
            for some in changed.chunks(TOGETHER) {
                headway.at("schools", added + replaced, total);
                if headway.is_stopped() {
                    break;
                }
                self.replace_cards(space, some)?;
                replaced += some.len();
            }
        }
        let left = total - added - replaced;
        let problems = register.problems().iter().take(TOLD);
        let problems = problems.map(|it| json!({ "row": it.row, "told": it.reason }));
        Ok(json!({
            "new": added, "changed": replaced, "same": same, "left_out": left_out, "left": left,
            "wrong": register.problems().len() + register.problems_left_out(),
            "rows": problems.collect::<Vec<_>>(), "dry_run": dry_run,
        }))
    }

    /// Where the register goes: to everybody from the coordinator, otherwise to this hub alone.
    pub(super) fn register_space(&self) -> Result<SpaceId, RecordsError> {
        if self.hub() != self.coordinator_hub() {
            return self.own_space();
        }
        let authority = self.authority();
        let mut spaces = authority.spaces().iter();
        let network = spaces.find(|(_, record)| record.kind == SpaceKind::Network);
        network.map(|(space, _)| *space).ok_or_else(|| {
            RecordsError::Space("there is no space that everybody reads; make it first".to_owned())
        })
    }

    fn organisations_by_urn(
        &self,
        space: SpaceId,
    ) -> Result<BTreeMap<String, (CardId, Object)>, RecordsError> {
        let mut known = BTreeMap::new();
        for record in self.list_records(ORGANISATION.name, &space.to_string())? {
            let RecordId::Card(card) = record.id else {
                continue;
            };
            if Some(card.owner()) != self.hub() {
                continue;
            }
            if let Some(shown) = CardRecord::shown(&card_view(&self.inner, space, card)?) {
                let urn = shown.fields.get("urn").and_then(Value::as_str);
                let urn = urn.unwrap_or_default().to_owned();
                known.insert(urn, (card, shown.fields));
            }
        }
        Ok(known)
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, RecordsError> {
    std::fs::read(path).map_err(|error| {
        RecordsError::Refused(format!("{} cannot be read: {error}", path.display()))
    })
}

//! What leaves and comes back, as a desk may: publishing, forks, kept copies, what guests see.

use node_domain::{Duty, Offer, PRACTICE, Seen, WORK_GROUP};
use serde_json::Value;

use super::{Desk, Known, Reached, SpaceChoice};
use crate::records::{CreatedRecord, Published, RecordsError, parse_space};

impl Desk {
    /// The spaces to which a record may be published, or was.
    ///
    /// # Errors
    /// [`RecordsError::Role`] if the role does not publish it.
    pub fn share_targets(&self, id: &str) -> Result<Vec<SpaceChoice>, RecordsError> {
        let reached = self.may_publish(id)?;
        let from = self
            .space_choice(reached.found.space)
            .map(|space| space.kind);
        let steps = reached.kind.publishing.iter();
        let into = steps
            .filter(|step| Some(step.stage.from) == from)
            .map(|step| step.stage.into)
            .collect::<Vec<_>>();
        let mut spaces = self.space_choices();
        spaces.retain(|space| space.may_write && into.contains(&space.kind));
        Ok(spaces)
    }

    /// Exactly what would leave for a space, and who could read it: as
    /// [`Node::publish_record`](crate::Node::publish_record) without confirming.
    ///
    /// # Errors
    /// [`RecordsError`].
    pub fn publish_preview(&self, id: &str, space: &str) -> Result<Published, RecordsError> {
        self.may_publish(id)?;
        self.node.publish_record(id, space, false, "")
    }

    /// Publishes what a preview showed, which `digest` stands for.
    ///
    /// # Errors
    /// [`RecordsError`]; nothing has left then.
    pub fn publish(&self, id: &str, space: &str, digest: &str) -> Result<Published, RecordsError> {
        self.may_publish(id)?;
        if digest.is_empty() {
            return Err(RecordsError::Shown);
        }
        self.node.publish_record(id, space, true, digest)
    }

    /// Takes what was published of a record back: as
    /// [`Node::withdraw_record`](crate::Node::withdraw_record).
    ///
    /// # Errors
    /// [`RecordsError`].
    pub fn withdraw(&self, id: &str, space: &str, reason: &str) -> Result<(), RecordsError> {
        match self.may_publish(id) {
            Ok(_) => {}
            // What left stays after its record has gone: whoever sees what left takes it back.
            Err(RecordsError::Missing(_)) => {
                self.check(Duty::Publish)?;
                self.check(Duty::Disclosures)?;
            }
            Err(other) => return Err(other),
        }
        self.node.withdraw_record(id, space, reason)
    }

    /// What left this hub, of one record or in all: as
    /// [`Node::disclosures`](crate::Node::disclosures). Of a record that it publishes a role sees
    /// it without the duty.
    ///
    /// # Errors
    /// [`RecordsError`].
    pub fn disclosures(&self, id: &str) -> Result<Value, RecordsError> {
        if id.is_empty() || self.has(Duty::Disclosures) {
            self.check(Duty::Disclosures)?;
        } else {
            self.may_publish(id)?;
        }
        self.node.disclosures(id)
    }

    /// Makes a record of this hub's own from another's: as
    /// [`Node::fork_record`](crate::Node::fork_record).
    ///
    /// # Errors
    /// [`RecordsError`]; nothing was made then.
    pub fn fork(&self, id: &str) -> Result<CreatedRecord, RecordsError> {
        let reached = self.reached(id, &Known::default())?;
        let names = reached.kind.fork.iter();
        let mut taken = names.filter_map(|name| Some((name, reached.fields.get(*name)?)));
        if let Some((name, _)) = taken.find(|(name, _)| !reached.reads(name)) {
            return Err(self.does_not_see(&format!("\"{name}\" of it")));
        }
        if !self.creates(reached.kind.name) {
            return Err(RecordsError::Role(format!(
                "the role \"{}\" does not make a {}",
                self.role.name,
                reached.kind.title.to_lowercase()
            )));
        }
        self.node.fork_record(id)
    }

    /// What changed in the original of a fork since: as
    /// [`Node::list_offers`](crate::Node::list_offers).
    ///
    /// # Errors
    /// [`RecordsError`].
    pub fn offers(&self, id: &str) -> Result<Vec<Offer>, RecordsError> {
        let reached = self.reached(id, &Known::default())?;
        if let Some(original) = reached.fields.get("fork_of").and_then(Value::as_str) {
            self.reached(original, &Known::default())?;
        }
        let mut offers = self.node.list_offers(id)?;
        offers.retain(|offer| reached.reads(&offer.field));
        Ok(offers)
    }

    /// Takes one offer over into a fork: as [`Node::take_offer`](crate::Node::take_offer).
    ///
    /// # Errors
    /// [`RecordsError`]; nothing was taken then.
    pub fn take_offer(&self, id: &str, field: &str, number: u32) -> Result<(), RecordsError> {
        let reached = self.reached(id, &Known::default())?;
        let offers = self.offers(id)?.into_iter();
        let mut offers = offers.filter(|offer| offer.field == field);
        let index = number.checked_sub(1).map(|index| index as usize);
        if let Some(offer) = index.and_then(|index| offers.nth(index)) {
            self.check_writes_of(&reached, &[offer.change])?;
        }
        self.node.take_offer(id, field, number)
    }

    /// How two kept copies of a record differ, in what the role sees: as
    /// [`Node::compare_copies`](crate::Node::compare_copies).
    ///
    /// # Errors
    /// [`RecordsError`].
    pub fn compare_copies(
        &self,
        id: &str,
        earlier: i64,
        later: i64,
    ) -> Result<Value, RecordsError> {
        let reached = self.reached(id, &Known::default())?;
        let mut differences = self.node.compare_copies(id, earlier, later)?;
        if let Some(all) = differences.as_array_mut() {
            all.retain(|it| reached.reads(it["path"].as_str().unwrap_or_default()));
        }
        Ok(differences)
    }

    /// What guests see of a record: as [`Node::show_released`](crate::Node::show_released); news
    /// are told to `reader` once, and to nobody if that is empty.
    ///
    /// # Errors
    /// [`RecordsError`].
    pub fn released(&self, id: &str, reader: &str) -> Result<Option<Value>, RecordsError> {
        self.reached(id, &Known::default())?;
        self.node.show_released(id, reader)
    }

    /// The space with this id, as a choice, if this hub reads it.
    ///
    /// # Errors
    /// [`RecordsError::Id`] or [`RecordsError::Space`].
    pub fn space(&self, id: &str) -> Result<SpaceChoice, RecordsError> {
        let space = parse_space(id)?;
        self.space_choice(space)
            .ok_or_else(|| RecordsError::Space("there is no such space here".to_owned()))
    }

    pub(super) fn may_publish(&self, id: &str) -> Result<Reached, RecordsError> {
        self.check(Duty::Publish)?;
        let reached = self.reached(id, &Known::default())?;
        self.publishes(&reached)?;
        Ok(reached)
    }

    /// Checks that the role publishes a record that it reaches: it writes records of the kind, and
    /// where it leads groups, a practice was tried in none but its own.
    pub(super) fn publishes(&self, reached: &Reached) -> Result<(), RecordsError> {
        self.check(Duty::Publish)?;
        let title = reached.kind.title.to_lowercase();
        if reached.kind.publishing.is_empty() {
            return Err(RecordsError::Refused(format!("a {title} is not published")));
        }
        let writes = matches!(reached.may.write, Seen::All | Seen::Except(_));
        if !writes {
            return Err(RecordsError::Role(format!(
                "the role \"{}\" does not publish a {title}, since it does not write one",
                self.role.name
            )));
        }
        let tried = (*reached.kind == PRACTICE)
            .then(|| reached.fields.get("group").and_then(Value::as_str))
            .flatten();
        if let Some(group) = tried
            && self.role.with_kind(WORK_GROUP.name).next().is_some()
        {
            match self.reached(group, &Known::default()) {
                // The group may be gone, or another hub's.
                Ok(_) | Err(RecordsError::Missing(_) | RecordsError::Id { .. }) => {}
                Err(_) => {
                    return Err(RecordsError::Role(format!(
                        "the role \"{}\" publishes practices of its holder's own groups alone",
                        self.role.name
                    )));
                }
            }
        }
        Ok(())
    }
}

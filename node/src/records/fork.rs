//! Forks: a record of this hub's own made from another's, and what changes in the original since.

use node_document::{Document, Heads};
use node_domain::{Object, Offer};
use serde_json::Value;

use super::change::CreatedRecord;
use super::{RecordId, RecordsError};
use crate::Node;

impl Node {
    /// Makes a record of this hub's own from another, which it names as its origin.
    ///
    /// # Errors
    /// [`RecordsError`]; nothing was made then.
    pub fn fork_record(&self, id: &str) -> Result<CreatedRecord, RecordsError> {
        let found = self.find_record(id)?;
        let RecordId::Document(document) = found.id else {
            return Err(RecordsError::Refused("a card is not forked".to_owned()));
        };
        let (library, storage) = (&self.inner.library, &self.inner.storage);
        let made_by = self.hub_code(document.owner());
        let (kind, fields) = library.with(storage, found.space, document, |document| {
            let view = document.view();
            let kind = node_domain::kind_of(&view)?;
            let heads = document.heads().to_string();
            let fields = node_domain::fork(&view, kind, id, &heads, &made_by)?;
            Ok::<_, RecordsError>((kind, fields))
        })??;
        let own = self.own_space()?;
        self.make(kind, own, &fields, true)
    }

    /// What changed in the original of a fork since the fork was made, each with what the fork
    /// says now.
    ///
    /// # Errors
    /// [`RecordsError`] if it is no fork, or the original is not here.
    pub fn list_offers(&self, id: &str) -> Result<Vec<Offer>, RecordsError> {
        let (kind, mine) = self.record_fields(id)?;
        let word = |field: &str| mine.get(field).and_then(Value::as_str).unwrap_or_default();
        let (original, heads) = (word("fork_of"), word("fork_heads"));
        if original.is_empty() {
            return Err(RecordsError::Refused(
                "this record was not made from another, so nothing is offered".to_owned(),
            ));
        }
        let heads = heads.parse::<Heads>().map_err(|_| RecordsError::Heads)?;
        let found = self.find_record(original)?;
        let RecordId::Document(document) = found.id else {
            return Err(RecordsError::Missing(original.to_owned()));
        };
        let both = |document: &mut Document| {
            let then = document.view_at(&heads)?;
            let (then, now) = (node_domain::read(&then, kind), document.view());
            Some((then, node_domain::read(&now, kind)))
        };
        let (library, storage) = (&self.inner.library, &self.inner.storage);
        let both: Option<(Object, Object)> = library.with(storage, found.space, document, both)?;
        let (then, now) = both.ok_or(RecordsError::Heads)?;
        Ok(node_domain::offers(kind, &then, &now, &mine))
    }

    /// Takes one offer over into the fork: of those of one field, such as paragraphs of a text, the
    /// one with this number, from 1 as [`Node::list_offers`] lists them.
    ///
    /// # Errors
    /// [`RecordsError`]; nothing was taken then.
    pub fn take_offer(&self, id: &str, field: &str, number: u32) -> Result<(), RecordsError> {
        let offers = self.list_offers(id)?.into_iter();
        let mut offers = offers.filter(|offer| offer.field == field);
        let index = number.checked_sub(1).map(|index| index as usize);
        let offer = index.and_then(|index| offers.nth(index)).ok_or_else(|| {
            RecordsError::Refused(format!(
                "the original offers nothing new in \"{field}\" under number {number}; list what \
                 it offers again"
            ))
        })?;
        self.change_record(id, None, &[offer.change])?;
        Ok(())
    }
}

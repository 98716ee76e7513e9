//! People: cards that are likely the same person, and making one of two.

use node_document::Document;
use node_domain::{CardRecord, Likely, Object, PERSON};
use node_feed::CardId;

use super::{RecordId, RecordsError};
use crate::Node;
use crate::cards::card_view;

/// What making one card of two did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MergedPeople {
    /// How many records name the kept card now.
    pub records: usize,
    /// Where the other card is still named, as in a log that is only ever added to.
    pub left: Vec<String>,
}

impl Node {
    /// Cards of this hub that are likely the same person, the likeliest first.
    ///
    /// # Errors
    /// [`RecordsError::Store`].
    pub fn likely_same(&self) -> Result<Vec<Likely>, RecordsError> {
        let mut cards = Vec::new();
        for record in self.list_records(PERSON.name, "")? {
            if Some(record.id.subject().owner()) == self.hub() {
                let Some(fields) = self.readable(record.space, record.id)? else {
                    continue;
                };
                cards.push((record.id.to_string(), fields));
            }
        }
        Ok(node_domain::duplicates(&cards))
    }

    /// Makes one card of two: `keep` takes over what only `other` says, every record of this hub
    /// names `keep` instead, and `other` is erased.
    ///
    /// # Errors
    /// [`RecordsError`]. Records that were changed by then stay so, and doing it again goes on.
    pub fn merge_people(&self, keep: &str, other: &str) -> Result<MergedPeople, RecordsError> {
        self.check_merge(keep, other)?;
        let (kept, lost) = (self.person(keep)?, self.person(other)?);
        let merged = node_domain::merged(&kept.2.fields, &lost.2.fields);
        let merged = CardRecord::new(&PERSON, &merged, true)?;
        let mut done = MergedPeople::default();
        for row in self.inner.storage.referring(other)? {
            let Ok(RecordId::Document(document)) = super::record_id(&row.kind, row.subject) else {
                self.rename_in_card(row.space, row.subject, keep, other)?;
                done.records += 1;
                continue;
            };
            let (library, storage) = (&self.inner.library, &self.inner.storage);
            let replaced =
                library.with(storage, row.space, document, |document: &mut Document| {
                    let view = document.view();
                    let kind = node_domain::kind_of(&view)?;
                    Ok::<_, RecordsError>(node_domain::replace_reference(&view, kind, other, keep))
                })??;
            let (changes, left) = replaced;
            if !changes.is_empty() {
                self.edit_document(row.space, document, None, &changes, false)?;
                done.records += 1;
            }
            done.left.extend(
                left.into_iter()
                    .map(|path| format!("{}: {path}", row.title)),
            );
        }
        self.replace_cards(kept.0, &[(kept.1, merged)])?;
        self.erase(&[other])?;
        Ok(done)
    }

    /// Checks that one card can be made of two, and changes nothing.
    pub(crate) fn check_merge(&self, keep: &str, other: &str) -> Result<(), RecordsError> {
        for id in [keep, other] {
            self.person(id)?;
        }
        if keep == other {
            return Err(RecordsError::Refused(
                "these are one card already".to_owned(),
            ));
        }
        Ok(())
    }

    fn rename_in_card(
        &self,
        space: node_feed::SpaceId,
        subject: node_feed::Subject,
        keep: &str,
        other: &str,
    ) -> Result<(), RecordsError> {
        let Ok(card) = CardId::try_from(subject) else {
            return Ok(());
        };
        if let Some(record) = CardRecord::shown(&card_view(&self.inner, space, card)?) {
            let names = [(other.to_owned(), keep.to_owned())].into_iter().collect();
            let fields: Object = node_domain::renamed(record.kind, &record.fields, &names);
            let renamed = record.changed(&fields, true)?;
            self.replace_cards(space, &[(card, renamed)])?;
        }
        Ok(())
    }

    fn person(&self, id: &str) -> Result<(node_feed::SpaceId, CardId, CardRecord), RecordsError> {
        let found = self.find_record(id)?;
        if let RecordId::Card(card) = found.id {
            let shown = CardRecord::shown(&card_view(&self.inner, found.space, card)?);
            if let Some(record) = shown.filter(|record| *record.kind == PERSON) {
                return Ok((found.space, card, record));
            }
        }
        Err(RecordsError::Refused(format!("{id} is no person's card")))
    }
}

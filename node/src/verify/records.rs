//! Every record that is made of changes, made again from its entries alone.

use std::collections::BTreeSet;

use node_feed::{DocumentId, Kind, SpaceId};
use node_store::ReadStore;

use super::{Check, Part, Progress, TRIES, VerifyError, Wrong};

impl<F: FnMut(Progress) -> bool> Check<'_, F> {
    pub(super) fn records(&mut self) -> Result<(), VerifyError> {
        let mut all = BTreeSet::new();
        let unchecked = self.read(|store| store.unchecked(None, usize::MAX))?;
        let unchecked = unchecked.into_iter().collect::<BTreeSet<_>>();
        for space in self.read(ReadStore::spaces)? {
            let (written, copied) = self.read(|store| {
                let written = store.subjects(space, Kind::CHANGES)?;
                Ok((written, store.bases(space, None, usize::MAX)?))
            })?;
            let here = written.into_iter().chain(copied);
            // Of a copy that is under way nothing is shown before its own check.
            let here = here.filter(|subject| !unchecked.contains(&(space, *subject)));
            all.extend(here.filter_map(|it| Some((space, DocumentId::try_from(it).ok()?))));
        }
        self.begin(Part::Records, all.len() as u64)?;
        for (space, id) in all {
            self.record(space, id)?;
            self.found.records += 1;
            self.step(1)?;
        }
        Ok(())
    }

    fn record(&self, space: SpaceId, id: DocumentId) -> Result<(), VerifyError> {
        let record = id.subject();
        if self.read(|store| store.is_erased(record))? {
            return Ok(());
        }
        let (library, storage) = (&self.inner.library, &self.inner.storage);
        for _ in 0..TRIES {
            let before = library.with(storage, space, id, |it| it.heads().to_string())?;
            let made = library.made_again(storage, space, id)?;
            let after = library.with(storage, space, id, |it| it.heads().to_string())?;
            if before == after && made.heads().to_string() != after {
                let why = "it is not what its entries make".to_owned();
                return Err(Wrong::Record { space, record, why }.into());
            }
            if before == after {
                return Ok(());
            }
        }
        // Somebody writes it all the time; it is looked at with the next check.
        Ok(())
    }
}

//! Erasing: an entry that takes what a record ever said out of every store that receives it.

use std::collections::{BTreeMap, BTreeSet};

use node_feed::{ERASE_IDS_MAX, Entry, Erase, Kind, Nonce, Opening, SpaceId, Subject};
use node_store::ReadStore;

use super::RecordsError;
use crate::clock::now_ms;
use crate::{Node, random};

impl Node {
    /// Erases records of this hub: their content leaves this store now, and every other store that
    /// holds them as soon as it hears of it, and so does the content of their published copies.
    /// Returns how many were erased, copies among them. It is durable when this returns, and
    /// nothing brings them back.
    ///
    /// # Errors
    /// [`RecordsError::Erase`] if one of them is another hub's or there are too many;
    /// [`RecordsError::Missing`] if one is not held here. Nothing was erased then.
    pub fn erase(&self, ids: &[&str]) -> Result<usize, RecordsError> {
        self.catch_up()?;
        let hub = self.hub();
        let authority = self.authority();
        let mut withdrawn = Vec::new();
        let mut spaces = BTreeMap::<SpaceId, BTreeSet<Subject>>::new();
        let mut erased = BTreeSet::new();
        for text in ids {
            let subject = parse(text)?;
            if Some(subject.owner()) != hub {
                return Err(RecordsError::Erase(format!(
                    "record {text} belongs to another hub, and only that hub may erase it"
                )));
            }
            let places = self
                .inner
                .storage
                .read(|store| store.entries_of(subject, 0))?;
            let copied = self.begun_in_copies(subject)?;
            if places.is_empty() && copied.is_empty() {
                return Err(RecordsError::Missing((*text).to_owned()));
            }
            // Only where this hub wrote it: anybody may name its id elsewhere.
            let own = places.iter().filter(|entry| {
                matches!(entry.opening, Some(Opening::Node { hub: by, .. }) if Some(by) == hub)
            });
            let own = own.map(|entry| entry.space).chain(copied);
            let own = own.collect::<BTreeSet<_>>();
            let copies = self.copies_of(subject)?;
            for (space, of) in own
                .into_iter()
                .map(|space| (space, subject))
                .chain(copies.iter().map(|(space, copy)| (*space, copy.subject())))
            {
                if hub.is_some_and(|hub| authority.write_grant(hub, space).is_some()) {
                    spaces.entry(space).or_default().insert(of);
                    erased.insert(of);
                }
            }
            withdrawn.extend(
                copies
                    .into_iter()
                    .map(|(space, copy)| (subject, copy, space)),
            );
            if !erased.contains(&subject) {
                return Err(RecordsError::Erase(format!(
                    "record {text} stands only where this hub may no longer write; ask NCETM"
                )));
            }
        }
        self.tell_elsewhere(&mut spaces);
        if erased.len() > ERASE_IDS_MAX {
            return Err(RecordsError::Erase(format!(
                "at most {ERASE_IDS_MAX} records can be erased at once; erase them in several steps"
            )));
        }
        for (space, subjects) in spaces {
            let erase = Erase {
                random: Nonce(random()),
                subjects: subjects.into_iter().collect(),
            };
            let entry = Entry {
                time_ms: now_ms(),
                kind: Kind::ERASE,
                subject: Subject::NONE,
                payload: erase.encode().map_err(crate::WriteError::from)?,
            };
            self.write(space, entry)?;
        }
        for (subject, copy, space) in withdrawn {
            self.note_withdrawn(subject, copy, space, "erased with its record")?;
        }
        self.catch_up()?;
        Ok(erased.len())
    }

    /// What stands in this hub's own space alone is erased in the one with the coordinator too,
    /// by its id, which says nothing of it: so the erasure outlives the hub's disk, and comes back
    /// after an older backup.
    fn tell_elsewhere(&self, spaces: &mut BTreeMap<SpaceId, BTreeSet<Subject>>) {
        let Some(pair) = self.pair_with_coordinator() else {
            return;
        };
        let (shared, own) = spaces
            .iter()
            .partition::<Vec<_>, _>(|(space, _)| self.is_shared(**space));
        let of = |part: Vec<(&SpaceId, &BTreeSet<Subject>)>| {
            part.into_iter()
                .flat_map(|(_, subjects)| subjects.iter().copied())
                .collect::<BTreeSet<_>>()
        };
        let shared = of(shared);
        let alone = of(own).difference(&shared).copied().collect::<Vec<_>>();
        if !alone.is_empty() {
            spaces.entry(pair).or_default().extend(alone);
        }
    }

    /// The title of a record of this hub that is to be erased, for a person to confirm.
    ///
    /// # Errors
    /// [`RecordsError`], as [`Node::erase`].
    pub fn erasure(&self, id: &str) -> Result<String, RecordsError> {
        let found = self.find_record(id)?;
        let subject = found.id.subject();
        if Some(subject.owner()) != self.hub() {
            return Err(RecordsError::Erase(format!(
                "record {id} belongs to another hub, and only that hub may erase it"
            )));
        }
        let lines = self.inner.storage.lines_of(subject)?;
        let title = lines.into_iter().map(|line| line.title).next();
        Ok(title.unwrap_or_default())
    }
}

fn parse(text: &str) -> Result<Subject, RecordsError> {
    text.parse().map_err(|source| RecordsError::Id {
        text: text.to_owned(),
        source,
    })
}

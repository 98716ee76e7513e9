//! What every store promises, tried on both, and what the file promises beyond that.

#![expect(
    clippy::unwrap_used,
    reason = "stories are tests, also where a macro hides that from the lint"
)]

/// Runs a story on every store.
macro_rules! on_every_store {
    ($($(#[$doc:meta])* fn $name:ident($store:ident) $body:block)*) => {$(
        $(#[$doc])*
        mod $name {
            use super::*;

            fn story($store: &mut impl EntryStore) $body

            #[test]
            fn in_memory() {
                story(&mut MemoryStore::new());
            }

            #[test]
            fn in_sqlite() {
                let folder = tempfile::tempdir().expect("a folder");
                story(&mut crate::world::sqlite(&folder));
            }
        }
    )*};
}

mod accounts;
mod append;
mod archives;
mod audit;
mod authority_log;
mod copies;
mod cuts;
mod disclosures;
mod erasing;
mod file;
mod forks;
mod leaving;
mod lists;
mod live;
mod payloads;
mod projections;
mod random;
mod reading;
mod small_state;
mod world;
mod writer;

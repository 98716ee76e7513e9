//! What is durable: entries and what belongs to them, in SQLite or in memory.
//!
//! A store keeps feeds and knows which of their entries count; it knows nothing of the network,
//! of Automerge or of what a document says. [`ReadStore`] and [`EntryStore`] are the contract;
//! the rules behind it are written once, over the rows that each store provides.

mod account_row;
mod appended;
mod audit_log;
mod delegate;
mod disclosure;
mod entry_store;
mod error;
mod first_copy;
mod ledger;
mod memory_store;
mod platform;
mod pool;
mod projections;
mod readers;
mod reading;
mod shelf;
mod sqlite_store;
mod stored_entry;
mod writer;
mod writer_feeds;

pub use account_row::{AccountRow, AuditLine, SessionRow, TriesRow};
pub use appended::{Appended, Refused, Stored};
pub use audit_log::{
    AuditFault, AuditFields, AuditHead, AuditLog, AuditVerified, ChainedLine, NewLine,
};
pub use disclosure::{Disclosure, DisclosureAction};
pub use entry_store::{EntryStore, ReadStore, settle_authority};
pub use error::StoreError;
pub use first_copy::{BaseDocument, BaseStage, CopiedFeed, CopyPlaced, RENEW_SETTINGS};
pub use memory_store::MemoryStore;
pub use projections::{
    Cell, CellValue, Filter, JudgedBy, ListQuery, Listing, ProjectionReaders, Projections,
    RecordRow, SavedState, SetAsideRow, Sort,
};
pub use readers::Readers;
pub use sqlite_store::{
    AccountTables, ArchivedDocument, Check, Compacted, ForeignPlace, ForeignSlice, Look,
    SqliteStore, look_at_store,
};
pub use stored_entry::{Evidence, PeerMemory, StoredEntry, Totals, Withheld, WriterBytes};
pub use writer::{Batch, Writer, WriterHandle};

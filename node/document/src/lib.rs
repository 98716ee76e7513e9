//! Automerge documents behind a guard, and cards.
//!
//! Everything that a peer or a person changes in a document passes one gate: its actor must
//! follow from its writer, it is measured before Automerge sees it, applied to a copy, saved,
//! loaded again and compared. What fails is set aside with a reason, and the document is as if it
//! had never come. This crate knows no network, no store, and no word of the programme.

mod actor;
mod apply;
mod archive;
mod begun;
mod book;
mod cache;
mod candidate;
mod card;
mod catch_up;
mod claims;
mod columns;
mod copied;
mod cut;
mod document;
mod document_chunk;
mod edit;
mod entry;
mod from_copy;
mod heads;
mod history;
mod intake;
mod item;
pub mod limits;
mod numbers;
mod order;
mod outcome;
mod overlap;
mod past;
mod path;
mod plan;
mod rank;
mod read;
mod trial;
mod value;
mod view;
mod whole;

pub use archive::{Archive, archive, unarchive};
pub use begun::Beginning;
pub use cache::Cache;
pub use card::{CardView, Revision};
pub use catch_up::Wanted;
pub use copied::{NotCopied, copied, opened_bytes};
pub use document::{Document, LoadError};
pub use edit::{Edit, EditError, Edited};
pub use entry::{Author, Authorship, ChangesEntry};
pub use from_copy::{Base, Forged, Unpacked, unpack};
pub use heads::{Heads, HeadsError};
pub use history::Step;
pub use outcome::{Outcome, SetAside, SetAsideReason, WaitingCause};
pub use overlap::{Overlap, Wording};
pub use value::Value;
pub use view::{Version, View};

//! What people take away: any list as a table, and a hub's records complete, in open formats.

mod cell;
mod complete;
mod list;
mod manifest;
mod recreate;

pub use complete::{
    Complete, CompleteDamage, CompleteRead, CompleteRecord, read_jsonl, write_jsonl,
};
pub(crate) use list::COUNTED;
pub use list::{items_sheet, list_sheet};
pub use manifest::{Manifest, ManifestFile};
pub use recreate::recreate;

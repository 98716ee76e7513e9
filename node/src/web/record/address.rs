//! Where records and what belongs to them stand.

use node_domain::{Kind, Section};

/// The list of a kind: `/work-groups`.
pub fn list_path(kind: &Kind) -> String {
    format!("/{}", kind.slug())
}

/// A record.
pub fn record_path(kind: &Kind, id: &str) -> String {
    format!("/{}/{id}", kind.slug())
}

/// Where a section is changed.
pub fn change_path(kind: &Kind, id: &str, section: &Section) -> String {
    format!("{}/change/{}", record_path(kind, id), section.slug())
}

/// Where an item of a list or log is read and changed.
pub fn item_path(kind: &Kind, id: &str, list: &str, item: &str) -> String {
    format!("{}/items/{list}/{item}", record_path(kind, id))
}

/// Where an item is added to a list or log.
pub fn new_item_path(kind: &Kind, id: &str, list: &str) -> String {
    format!("{}/items/{list}/new", record_path(kind, id))
}

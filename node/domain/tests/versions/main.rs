//! What people see of a record that several hubs write: versions, what watches raise, history,
//! what is released, and what each role sees.

mod calendar;
mod history;
mod hostile;
mod problems;
mod released;
mod roles;
mod settled;
mod watches;
#[path = "../domain/world.rs"]
mod world;

use node_document::{Edit, EditError};
use node_domain::{Conflict, ConflictCause};

use crate::world::Hub;

/// Writes past all checks, as another version or a hostile node may.
fn write(hub: &mut Hub, work: impl FnOnce(&mut Edit<'_>) -> Result<(), EditError>) {
    let by = hub.by();
    let edited = hub.document.edit(None, &by.author, by.time_ms, work);
    hub.save(&edited.expect("the document takes it"));
}

/// What the watch of this name raises.
fn raised(hub: &Hub, name: &str) -> Vec<Conflict> {
    let mut found = hub.versions();
    found.retain(
        |conflict| matches!(conflict.cause, ConflictCause::Watch { name: by, .. } if by == name),
    );
    found
}

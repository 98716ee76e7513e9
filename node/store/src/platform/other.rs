//! Other systems, as Windows: a file is for whoever may use its folder, and names become durable by
//! themselves.

use std::fs::{Metadata, OpenOptions};
use std::io;
use std::path::Path;

/// The folder says who may read a file that is made in it.
pub(crate) const fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// What the standard library does not tell is not doubted.
pub(crate) const fn is_of_same_owner(_one: &Metadata, _other: &Metadata) -> bool {
    true
}

/// Folders cannot be synced.
pub(crate) const fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

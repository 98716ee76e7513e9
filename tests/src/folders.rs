//! Data folders copied aside and put back, as a backup and a machine's image do.

use std::fs;
use std::path::Path;

use anyhow::Result;

/// Copies the folders and files in `from`, and nothing that is neither, over what is in `to`.
///
/// # Errors
/// If a file cannot be read or written.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry?;
        let target = to.join(entry.path().strip_prefix(from)?);
        if entry.file_type().is_dir() {
            fs::create_dir_all(&target)?;
        } else if entry.file_type().is_file() {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

/// Puts a copy in the place of a folder.
///
/// # Errors
/// If the folder cannot be deleted or written.
pub fn put_back(from: &Path, to: &Path) -> Result<()> {
    fs::remove_dir_all(to)?;
    copy(from, to)
}

//! Folders packed into one file.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use anyhow::{Context as _, Result};
use walkdir::WalkDir;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Packs all files below `folder`, and nothing that is no file, into the new file `to`.
///
/// # Errors
/// If a file cannot be read or written.
pub fn pack(folder: &Path, to: &Path) -> Result<()> {
    let mut zip = ZipWriter::new(File::create(to)?);
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9));
    for entry in WalkDir::new(folder).sort_by_file_name() {
        let entry = entry?;
        if entry.file_type().is_file() {
            let name = entry.path().strip_prefix(folder)?;
            zip.start_file(name.to_str().context("a name")?, options)?;
            io::copy(&mut File::open(entry.path())?, &mut zip)?;
        }
    }
    zip.finish()?;
    Ok(())
}

/// Unpacks what [`pack`] packed into a folder. Files are their owner's alone, as keys must be.
///
/// # Errors
/// If the file is damaged or a file cannot be written.
pub fn unpack(from: &Path, folder: &Path) -> Result<()> {
    let mut zip = ZipArchive::new(File::open(from)?)?;
    for number in 0..zip.len() {
        let mut packed = zip.by_index(number)?;
        let name = packed.enclosed_name().context("a name within the folder")?;
        let path = folder.join(name);
        let within = path.parent().context("a folder")?;
        fs::create_dir_all(within)?;
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
            options.mode(0o600);
            fs::set_permissions(within, fs::Permissions::from_mode(0o700))?;
        }
        io::copy(&mut packed, &mut options.open(&path)?)?;
    }
    Ok(())
}

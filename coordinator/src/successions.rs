//! How a coordinator's identity key came from earlier ones.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use node::folder::{FolderError, write_private};
use node_feed::Succession;

/// The successions that a folder holds, the first first: what leads a node that still pins an earlier
/// key to the present one. Nothing of it is secret.
#[derive(Debug, Clone)]
pub struct Successions {
    file: PathBuf,
    line: Vec<Succession>,
}

impl Successions {
    /// Those of a data folder, or of a folder of saved keys.
    ///
    /// # Errors
    /// [`FolderError`] if the file cannot be read or understood.
    pub fn read(folder: &Path) -> Result<Self, FolderError> {
        let file = folder.join("successions");
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            Err(source) => return Err(FolderError::Io { path: file, source }),
        };
        let line = text.lines().map(str::parse).collect::<Result<_, _>>();
        let line = line.map_err(|error| FolderError::Damaged {
            path: file.clone(),
            what: format!("{error} on each line"),
        })?;
        Ok(Self { file, line })
    }

    /// Adds one durably, unless it is there. One that began with the same key and came to nothing is gone.
    ///
    /// # Errors
    /// [`FolderError`].
    pub fn add(&mut self, succession: &Succession) -> Result<(), FolderError> {
        if self.line.contains(succession) {
            return Ok(());
        }
        let mut line = self.line.clone();
        line.retain(|one| one.former != succession.former);
        line.push(succession.clone());
        write_line(&self.file, &line)?;
        self.line = line;
        Ok(())
    }

    /// All of them, the first first.
    pub fn line(&self) -> &[Succession] {
        &self.line
    }
}

fn write_line(file: &Path, line: &[Succession]) -> Result<(), FolderError> {
    let text = line
        .iter()
        .map(|one| format!("{one}\n"))
        .collect::<String>();
    write_private(file, text.as_bytes())
}

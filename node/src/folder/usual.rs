//! Which data folder is meant where nobody names one.

use std::path::{Path, PathBuf};

use crate::platform;

/// The names under which a program's data folder is looked for.
#[derive(Debug, Clone, Copy)]
pub struct UsualFolders {
    /// In the current folder.
    pub here: &'static str,
    /// Where the system's services keep their data.
    pub service: &'static str,
    /// Where this person's programs keep theirs.
    pub own: &'static str,
}

impl UsualFolders {
    /// A node's.
    pub const NODE: Self = Self {
        here: "causeway-data",
        service: "causeway-node",
        own: "node",
    };

    /// The one that is meant: that in the current folder, if there is one; else the service's, if this
    /// computer has it; else this person's own. Whoever has no place of their own gets one in the current
    /// folder.
    pub fn choose(&self) -> PathBuf {
        let service = platform::service_folder(self.service);
        self.among(Path::new(""), service, platform::own_folder(self.own))
    }

    fn among(&self, current: &Path, service: Option<PathBuf>, own: Option<PathBuf>) -> PathBuf {
        let here = current.join(self.here);
        if here.is_dir() {
            return here;
        }
        service.or(own).unwrap_or(here)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_folder_is_meant_and_the_services_before_a_persons_own() {
        let current = tempfile::tempdir().expect("a folder");
        let (service, own) = (PathBuf::from("/srv/it"), PathBuf::from("/home/it"));
        let chosen = |service: Option<&PathBuf>, own: Option<&PathBuf>| {
            UsualFolders::NODE.among(current.path(), service.cloned(), own.cloned())
        };
        let here = current.path().join("causeway-data");
        assert_eq!(chosen(None, None), here);
        assert_eq!(chosen(None, Some(&own)), own);
        assert_eq!(chosen(Some(&service), Some(&own)), service);
        std::fs::create_dir(&here).expect("it is made");
        assert_eq!(chosen(Some(&service), Some(&own)), here);
    }
}

//! What the system says of this process and its disk.

use std::path::Path;

use crate::platform;

/// Bytes of memory in use; none where the system does not say it as Linux does.
pub(super) fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib = line.trim().strip_suffix(" kB")?.parse::<u64>().ok()?;
    Some(kib * 1024)
}

/// Bytes that may still be written to the disk of `folder`.
pub(crate) fn free_bytes(folder: &Path) -> Option<u64> {
    platform::free_bytes(folder).ok()
}

/// Bytes of a database: its file and the write-ahead log beside it.
pub(super) fn database_bytes(file: &Path) -> u64 {
    let mut log = file.as_os_str().to_owned();
    log.push("-wal");
    let sizes =
        [file, Path::new(&log)].map(|file| std::fs::metadata(file).map_or(0, |it| it.len()));
    sizes.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn the_system_says_what_is_in_use() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(resident_bytes().is_some_and(|bytes| bytes > 1 << 20));
        assert!(free_bytes(folder.path()).is_some());
        let file = folder.path().join("a.db");
        std::fs::write(&file, [0; 10]).expect("a file");
        std::fs::write(folder.path().join("a.db-wal"), [0; 5]).expect("a file");
        assert_eq!(database_bytes(&file), 15);
        assert_eq!(database_bytes(&folder.path().join("none.db")), 0);
    }
}

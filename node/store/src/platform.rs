//! What systems do differently: who may read a file, whose it is, how a name becomes durable. Nothing
//! else in this crate asks which system it runs on.

// Compiled for tests on Unix as well, so that it stays what the other half is.
#[cfg(any(not(unix), test))]
mod other;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(crate) use other::{is_of_same_owner, private, sync_folder};
#[cfg(unix)]
pub(crate) use unix::{is_of_same_owner, private, sync_folder};

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{File, OpenOptions};

    use super::other;

    #[test]
    fn where_there_are_no_modes_and_owners_files_are_made_and_kept_all_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a file");
        let mut options = OpenOptions::new();
        options.create_new(true).write(true);
        other::private(&mut options)
            .open(&path)
            .expect("it is made");
        let about = File::open(&path).and_then(|file| file.metadata());
        let about = about.expect("it is there");
        assert!(other::is_of_same_owner(&about, &about));
        other::sync_folder(folder.path()).expect("nothing to be done");
    }
}

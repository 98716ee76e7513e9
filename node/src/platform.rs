//! What systems do differently: who may read a file and whose it is, how much room a disk has, how a
//! program is told to stop, how commands reach one that runs, and who supervises it. Nothing else in this
//! crate asks which system it runs on.

// Compiled for tests on Unix as well, so that it stays what the other half is.
#[cfg(any(not(unix), test))]
mod other;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(crate) use other::*;
#[cfg(unix)]
pub(crate) use unix::*;

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{DirBuilder, File, OpenOptions};
    use std::time::Duration;

    use tokio_stream::StreamExt as _;

    use super::other;

    #[tokio::test]
    async fn where_there_is_less_than_unix_has_the_rest_goes_on_and_says_what_is_lacking() {
        other::make_all_private();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a folder");
        let made = other::private_folder(&mut DirBuilder::new()).create(&path);
        made.expect("it is made");
        other::make_private(&path).expect("it is as it was");
        let file = path.join("a file");
        let mut options = OpenOptions::new();
        options.create_new(true).write(true);
        other::private(&mut options).open(&file).expect("made");
        let mut options = OpenOptions::new();
        let file = other::without_waiting(options.read(true)).open(&file);
        let about = file.and_then(|file: File| file.metadata()).expect("read");
        assert_eq!(other::owner(&about), other::user());
        assert!(!other::may_others_enter(&about) && !other::may_everybody_read(&about));
        assert_eq!(other::user_name(1), "1");
        other::sync_folder(&path).expect("nothing to be done");
        assert!(other::free_bytes(&path).is_err());
        let socket = path.join("node.sock");
        let mut listener = other::listen(&socket).expect("it listens to nobody");
        let nobody = tokio::time::timeout(Duration::from_millis(1), listener.next());
        assert!(nobody.await.is_err());
        let error = other::connect(&socket).await.expect_err("nobody answers");
        assert!(error.to_string().contains("stop it"), "{error}");
        let mut signals = other::Signals::listen().expect("signals");
        let none = tokio::time::timeout(Duration::from_millis(1), signals.next());
        assert!(none.await.is_err());
        assert!(other::can_be_socket(&socket));
        other::tell_ready();
        other::tell_stopping(Duration::ZERO);
        assert_eq!(other::service_folder("causeway-node"), None);
        assert!(other::own_folder("node").is_some_and(|it| it.ends_with("Causeway/node")));
    }
}

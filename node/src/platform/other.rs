//! Other systems, as Windows: what there is less of, and what is done instead.
//!
//! A file is for whoever may use its folder, so that whoever sets the program up closes that. Commands
//! cannot ask a program that runs: it has its pages, and works with commands while it is stopped.

use std::fs::{DirBuilder, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::io::DuplexStream;

/// The folder says who may read what is made in it.
pub(crate) const fn make_all_private() {}

/// The folder says who may read a file that is made in it.
pub(crate) const fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// The folder around it says who may look into it.
pub(crate) const fn private_folder(builder: &mut DirBuilder) -> &mut DirBuilder {
    builder
}

/// It stays as it was set up.
pub(crate) const fn make_private(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// There are no pipes among files.
pub(crate) const fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

/// Folders cannot be synced.
pub(crate) const fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Writing tells whether there is room.
pub(crate) fn free_bytes(_folder: &Path) -> io::Result<u64> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Users have no numbers.
pub(crate) const fn user() -> Option<u32> {
    None
}

/// Users have no numbers.
pub(crate) const fn owner(_about: &Metadata) -> Option<u32> {
    None
}

/// Users have no numbers, so that nobody asks.
pub(crate) fn user_name(number: u32) -> String {
    number.to_string()
}

/// What the standard library does not tell is not doubted.
pub(crate) const fn may_others_enter(_about: &Metadata) -> bool {
    false
}

/// What the standard library does not tell is not doubted.
pub(crate) const fn may_everybody_read(_about: &Metadata) -> bool {
    false
}

/// The folder of a service is the one that everybody uses, below.
pub(crate) const fn service_folder(_name: &str) -> Option<PathBuf> {
    None
}

/// Where the data of programs is kept that are this computer's, and not one person's.
pub(crate) fn own_folder(name: &str) -> Option<PathBuf> {
    let all = std::env::var_os("ProgramData")
        .map_or_else(|| PathBuf::from("C:\\ProgramData"), PathBuf::from);
    Some(all.join("Causeway").join(name))
}

/// What ends a program: Ctrl-C.
#[derive(Debug)]
pub(crate) struct Signals;

impl Signals {
    /// Each is listened for while it is waited for.
    #[expect(clippy::unnecessary_wraps, reason = "on Unix it can fail")]
    pub(crate) const fn listen() -> io::Result<Self> {
        Ok(Self)
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::error!(%error, "Ctrl-C cannot be heard");
            std::future::pending::<()>().await;
        }
    }
}

/// Who connects to a running program: nobody does.
pub(crate) type Callers = tokio_stream::Pending<io::Result<DuplexStream>>;

/// Nobody is listened to.
#[expect(clippy::unnecessary_wraps, reason = "on Unix it can fail")]
pub(crate) const fn listen(_path: &Path) -> io::Result<Callers> {
    Ok(tokio_stream::pending())
}

/// Nobody can be reached.
pub(crate) async fn connect(_path: &Path) -> io::Result<DuplexStream> {
    let what = "commands cannot ask a running program on this system; stop it, or use its pages";
    Err(io::Error::new(io::ErrorKind::Unsupported, what))
}

/// There are no sockets that are files.
pub(crate) const fn can_be_socket(_path: &Path) -> bool {
    true
}

/// Nobody asks.
pub(crate) const fn tell_ready() {}

/// Nobody asks.
pub(crate) const fn tell_stopping(_within: Duration) {}

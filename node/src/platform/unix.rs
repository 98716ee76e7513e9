//! Unix: modes, owners, signals, sockets that are files, and systemd.

use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use etcetera::BaseStrategy as _;
use nix::unistd::{Uid, User};
use rustix::fs::OFlags;
use sd_notify::NotifyState;
use tokio::net::{UnixListener, UnixStream};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_stream::wrappers::UnixListenerStream;

/// Where systems keep what services write.
const SERVICES: &str = "/var/lib";

/// Whatever this program makes from now on is its owner's alone, also what libraries make.
pub(crate) fn make_all_private() {
    let _before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
}

/// A file that is made with these options is its owner's alone.
pub(crate) fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

/// A folder that is made so is its owner's alone.
pub(crate) fn private_folder(builder: &mut DirBuilder) -> &mut DirBuilder {
    builder.mode(0o700)
}

/// Makes a folder that exists its owner's alone.
pub(crate) fn make_private(folder: &Path) -> io::Result<()> {
    std::fs::set_permissions(folder, Permissions::from_mode(0o700))
}

/// Opening a pipe with these options does not wait for somebody at its other end.
pub(crate) fn without_waiting(options: &mut OpenOptions) -> &mut OpenOptions {
    options.custom_flags(OFlags::NONBLOCK.bits().cast_signed())
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Bytes that may still be written to the disk of `folder`.
pub(crate) fn free_bytes(folder: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// The user that this program runs as, by number.
#[expect(clippy::unnecessary_wraps, reason = "other systems have no numbers")]
pub(crate) fn user() -> Option<u32> {
    Some(rustix::process::geteuid().as_raw())
}

/// Whose a file is, by number.
#[expect(clippy::unnecessary_wraps, reason = "other systems have no numbers")]
pub(crate) fn owner(about: &Metadata) -> Option<u32> {
    Some(about.uid())
}

/// A user's name, as `sudo -u` takes it.
pub(crate) fn user_name(number: u32) -> String {
    let user = User::from_uid(Uid::from_raw(number)).ok().flatten();
    user.map_or_else(|| format!("#{number}"), |user| user.name)
}

/// Whether anybody but the owner may do anything with it.
pub(crate) fn may_others_enter(about: &Metadata) -> bool {
    about.mode() & 0o077 != 0
}

/// Whether every user of this computer may read it.
pub(crate) fn may_everybody_read(about: &Metadata) -> bool {
    about.mode() & 0o004 != 0
}

/// The folder in which the service of this name keeps its data, if this system has it.
pub(crate) fn service_folder(name: &str) -> Option<PathBuf> {
    let folder = Path::new(SERVICES).join(name);
    folder.is_dir().then_some(folder)
}

/// Where this person's programs keep their data, for the one of this name; none if it has no home.
pub(crate) fn own_folder(name: &str) -> Option<PathBuf> {
    let folders = etcetera::base_strategy::choose_native_strategy().ok()?;
    // macOS writes names as titles.
    let ours = if cfg!(target_os = "macos") {
        "Causeway"
    } else {
        "causeway"
    };
    Some(folders.data_dir().join(ours).join(name))
}

/// What ends a program: SIGTERM and SIGINT.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Listens from now on: what comes before it is waited for is not lost.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Who connects to the socket of a running program.
pub(crate) type Callers = UnixListenerStream;

/// Opens the socket at `path`, where nothing is, for its owner alone.
pub(crate) fn listen(path: &Path) -> io::Result<Callers> {
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
    Ok(UnixListenerStream::new(listener))
}

/// Connects to the socket at `path`.
pub(crate) async fn connect(path: &Path) -> io::Result<UnixStream> {
    UnixStream::connect(path).await
}

/// Whether the system has sockets with names as long as this.
pub(crate) fn can_be_socket(path: &Path) -> bool {
    SocketAddr::from_pathname(path).is_ok()
}

/// Tells systemd, where it supervises this program, that it serves.
pub(crate) fn tell_ready() {
    tell(&[NotifyState::Ready]);
}

/// Tells systemd that this program stops, and will have by then.
pub(crate) fn tell_stopping(within: Duration) {
    let within = u32::try_from(within.as_micros()).unwrap_or(u32::MAX);
    tell(&[
        NotifyState::Stopping,
        NotifyState::ExtendTimeoutUsec(within),
    ]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the program's supervisor could not be told how it stands");
    }
}

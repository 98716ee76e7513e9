//! Files that were sent: written to the disk as they arrive, for one account, for a short time.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{FromRequest, Multipart, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_LENGTH;
use tokio::io::AsyncWriteExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::posted::{FORM_BYTES_MAX, Form, broken_off, check};
use super::{PageError, Visit};
use crate::accounts::AccountId;
use crate::clock::now_ms;
use crate::platform;

/// How long a file waits for a person's word.
const WAITS_MS: u64 = 2 * 60 * 60 * 1_000;
/// How many forms with files of one account wait at once; beyond these its oldest go.
const EACH_MAX: usize = 4;
/// How much of the disk no file takes.
const LEFT_FREE_BYTES: u64 = 256 << 20;
/// After how many bytes it is looked again whether there is room.
const LOOK_BYTES: u64 = 64 << 20;
/// Fields beside the file.
const FIELDS_MAX: usize = 200;
const FIELD_BYTES_MAX: usize = 64 << 10;

/// A file that somebody sent. It is deleted when the last holder lets go.
#[derive(Debug)]
pub(crate) struct Received {
    /// The form's field.
    pub(crate) field: String,
    /// What the browser calls it.
    pub(crate) name: String,
    /// Where it is.
    pub(crate) path: PathBuf,
    /// How many bytes it has.
    pub(crate) bytes: u64,
}

impl Drop for Received {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm"] {
            let mut path = self.path.clone().into_os_string();
            path.push(end);
            let _gone = std::fs::remove_file(path);
        }
    }
}

/// Files that wait, with what is known of each so far.
#[derive(Debug)]
pub(crate) struct Shelf {
    folder: PathBuf,
    waiting: Mutex<BTreeMap<u64, Waiting>>,
    reading: Arc<Semaphore>,
}

/// The most that is taken with a form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Most {
    /// Files; others are passed over.
    pub(crate) files: usize,
    /// Bytes of each.
    pub(crate) bytes: u64,
}

#[derive(Debug, Clone)]
struct Waiting {
    account: AccountId,
    until_ms: u64,
    files: Arc<Vec<Received>>,
    form: Form,
}

impl Shelf {
    /// An empty shelf: what waited when the program was stopped is gone.
    pub(super) fn new(data: &Path) -> Self {
        let folder = data.join("received");
        let _gone = std::fs::remove_dir_all(&folder);
        Self {
            folder,
            waiting: Mutex::default(),
            reading: Arc::new(Semaphore::new(1)),
        }
    }

    /// Waits for the turn to look at a whole file, which takes the memory of all of it: one at a
    /// time, beside the long work that brings files in.
    pub(crate) async fn turn(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.reading).acquire_owned().await.ok()
    }

    /// A copy of a file of at most so many bytes that is on this computer already.
    ///
    /// # Errors
    /// `StorageFull` if there is no room for it; others if it is no file, too large or not to be
    /// read.
    pub(crate) fn copy_of(&self, path: &Path, bytes_max: u64) -> std::io::Result<Received> {
        // A pipe is not waited for, and what has no end is not begun.
        let mut options = std::fs::OpenOptions::new();
        let from = platform::without_waiting(options.read(true)).open(path)?;
        let about = from.metadata()?;
        if !about.is_file() || about.len() > bytes_max {
            return Err(std::io::ErrorKind::InvalidInput.into());
        }
        if !has_room(&self.folder, about.len()) {
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        let (mut received, mut open) = begin(
            &self.folder,
            String::new(),
            path.to_string_lossy().into_owned(),
        )?;
        received.bytes = std::io::copy(&mut from.take(about.len()), &mut open)?;
        Ok(received)
    }

    /// Keeps a file for whoever sent it, with what was said of it, and gives its number.
    pub(crate) fn keep(&self, visit: &Visit, files: Vec<Received>, form: Form) -> u64 {
        let now = now_ms();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, it| it.until_ms > now);
        let account = visit.session().account.id;
        let own = waiting.iter().filter(|(_, it)| it.account == account);
        let own = own.map(|(number, _)| *number).collect::<Vec<_>>();
        for oldest in own.iter().take((own.len() + 1).saturating_sub(EACH_MAX)) {
            waiting.remove(oldest);
        }
        let number = waiting.last_key_value().map_or(now, |(last, _)| last + 1);
        let kept = Waiting {
            account,
            until_ms: now + WAITS_MS,
            files: Arc::new(files),
            form,
        };
        waiting.insert(number, kept);
        number
    }

    /// The files of whoever asks, and what was said of it.
    pub(crate) fn find(&self, visit: &Visit, number: u64) -> Option<(Arc<Vec<Received>>, Form)> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let found = waiting.get(&number)?;
        let own = found.account == visit.session().account.id && found.until_ms > now_ms();
        own.then(|| (Arc::clone(&found.files), found.form.clone()))
    }

    /// Says more of it.
    ///
    /// # Errors
    /// [`PageError`] if that is more than a form holds.
    pub(crate) fn say(&self, number: u64, form: Form) -> Result<(), PageError> {
        let bytes = form.fields().map(|(name, value)| name.len() + value.len());
        if bytes.sum::<usize>() > FORM_BYTES_MAX {
            return Err(PageError::wrong(
                "More was said of this file than can be kept; send it again, and say less at a time.",
            ));
        }
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = waiting.get_mut(&number) {
            found.form = form;
        }
        Ok(())
    }
}

/// Takes a form with files, which go to the disk as they arrive, if there is room for them. The
/// form's fields come first, so that nothing is written for somebody who may not send it.
pub(crate) async fn receive(
    visit: &Visit,
    request: Request,
    most: Most,
) -> Result<(Form, Vec<Received>), PageError> {
    let length = request.headers().get(CONTENT_LENGTH);
    let length = length.and_then(|it| it.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > most.bytes.saturating_mul(most.files as u64 + 1)) {
        return Err(too_large(most.bytes));
    }
    let folder = visit.web().received().folder.clone();
    look_for_room(&folder, length.unwrap_or_default()).await?;
    let mut parts = Multipart::from_request(request, visit.web())
        .await
        .map_err(|_| PageError::wrong("This form has to come with its file; nothing was done."))?;
    let (mut fields, mut files) = (Vec::<(String, String)>::new(), Vec::new());
    let mut checked = false;
    while let Some(mut part) = parts.next_field().await.map_err(|it| broken_off(&it))? {
        let field = part.name().unwrap_or_default().to_owned();
        let Some(name) = part.file_name().map(str::to_owned) else {
            let mut text = Vec::new();
            while let Some(bytes) = part.chunk().await.map_err(|it| broken_off(&it))? {
                text.extend_from_slice(&bytes);
                if text.len() > FIELD_BYTES_MAX || fields.len() > FIELDS_MAX {
                    return Err(PageError::wrong(
                        "The form held too much beside its file; nothing was done.",
                    ));
                }
            }
            fields.push((field, String::from_utf8_lossy(&text).into_owned()));
            continue;
        };
        if !checked {
            let form = fields.iter().cloned().collect();
            check(Some(visit.csrf()), &form)?;
            checked = true;
        }
        if name.is_empty() || files.len() >= most.files {
            continue;
        }
        let of = folder.clone();
        let begun = tokio::task::spawn_blocking(move || begin(&of, field, name)).await;
        let (mut received, open) = begun
            .map_err(|_| cannot_keep())?
            .map_err(|_| cannot_keep())?;
        let mut open = tokio::fs::File::from_std(open);
        while let Some(bytes) = part.chunk().await.map_err(|it| broken_off(&it))? {
            let before = received.bytes;
            received.bytes += bytes.len() as u64;
            if received.bytes > most.bytes {
                return Err(too_large(most.bytes));
            }
            if received.bytes / LOOK_BYTES != before / LOOK_BYTES {
                look_for_room(&folder, 0).await?;
            }
            open.write_all(&bytes).await.map_err(|_| cannot_keep())?;
        }
        open.flush().await.map_err(|_| cannot_keep())?;
        if received.bytes > 0 {
            files.push(received);
        }
    }
    let form: Form = fields.into_iter().collect();
    check(Some(visit.csrf()), &form)?;
    Ok((form, files))
}

fn begin(folder: &Path, field: String, name: String) -> std::io::Result<(Received, std::fs::File)> {
    let failed = |error: crate::folder::FolderError| std::io::Error::other(error);
    if !folder.exists() {
        crate::folder::create_private(folder).map_err(failed)?;
    }
    let path = folder.join(hex::encode(crate::random::<16>()));
    crate::folder::write_new(&path, b"").map_err(failed)?;
    let file = std::fs::OpenOptions::new().write(true).open(&path)?;
    // Browsers give a name; some give a whole path.
    let name = name
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or_default()
        .to_owned();
    let received = Received {
        field,
        name,
        path,
        bytes: 0,
    };
    Ok((received, file))
}

/// Whether so many bytes fit on the disk. Where the system does not say, writing will.
fn has_room(folder: &Path, bytes: u64) -> bool {
    let there = folder.ancestors().find(|it| it.exists());
    let Some(Ok(free)) = there.map(platform::free_bytes) else {
        return true;
    };
    free >= bytes.saturating_add(LEFT_FREE_BYTES)
}

async fn look_for_room(folder: &Path, bytes: u64) -> Result<(), PageError> {
    let folder = folder.to_owned();
    let has_room = tokio::task::spawn_blocking(move || has_room(&folder, bytes)).await;
    if has_room.map_err(|_| cannot_keep())? {
        return Ok(());
    }
    Err(PageError::new(
        StatusCode::INSUFFICIENT_STORAGE,
        "There is no room for the file",
        "This computer's disk has not enough free space for the file; nothing was done. Tell \
         whoever looks after it.",
    ))
}

fn cannot_keep() -> PageError {
    PageError::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "This computer cannot keep the file",
        "The file could not be written to this computer's disk; nothing was done. Tell whoever \
         looks after it, and try again.",
    )
}

fn too_large(bytes_max: u64) -> PageError {
    PageError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "The file is too large",
        format!(
            "A file may have at most {} MB here; nothing was done.",
            bytes_max >> 20
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_a_file_with_an_end_is_copied() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let shelf = Shelf::new(folder.path());
        let file = folder.path().join("a file");
        std::fs::write(&file, b"four").expect("written");
        let copy = shelf.copy_of(&file, 4).expect("a copy");
        assert_eq!(std::fs::read(&copy.path).expect("it is read"), b"four");
        assert!(shelf.copy_of(&file, 3).is_err(), "it is too large");
        let pipe = folder.path().join("a pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.expect("mkfifo runs").success());
        for other in [&pipe, Path::new("/dev/zero"), folder.path()] {
            assert!(shelf.copy_of(other, u64::MAX).is_err(), "{other:?}");
        }
    }

    #[test]
    fn no_file_fills_the_disk() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(!has_room(&folder.path().join("not yet"), 1 << 60));
    }
}

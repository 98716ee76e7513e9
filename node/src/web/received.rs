//! Files that were sent: written to the disk as they arrive, for one account, for a short time.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{FromRequest, Multipart, Request};
use axum::http::StatusCode;

use super::posted::{Form, broken_off, check};
use super::{PageError, Visit};
use crate::accounts::AccountId;
use crate::clock::now_ms;

/// How long a file waits for a person's word.
const WAITS_MS: u64 = 2 * 60 * 60 * 1_000;
/// How many files wait at once; beyond these the oldest go.
const FILES_MAX: usize = 16;
/// Files of one form.
const FILES_EACH_MAX: usize = 4;
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
        }
    }

    /// A copy of a file that is on this computer already.
    pub(crate) fn copy_of(&self, path: &Path) -> std::io::Result<Received> {
        let (mut received, mut open) = begin(
            &self.folder,
            String::new(),
            path.to_string_lossy().into_owned(),
        )?;
        let mut from = std::fs::File::open(path)?;
        received.bytes = std::io::copy(&mut from, &mut open)?;
        Ok(received)
    }

    /// Keeps a file for whoever sent it, with what was said of it, and gives its number.
    pub(crate) fn keep(&self, visit: &Visit, files: Vec<Received>, form: Form) -> u64 {
        let now = now_ms();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.retain(|_, it| it.until_ms > now);
        while waiting.len() >= FILES_MAX {
            waiting.pop_first();
        }
        let number = waiting.last_key_value().map_or(now, |(last, _)| last + 1);
        let kept = Waiting {
            account: visit.session().account.id,
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
    pub(crate) fn say(&self, number: u64, form: Form) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = waiting.get_mut(&number) {
            found.form = form;
        }
    }
}

/// Takes a form with files of at most `bytes_max` each, which go to the disk as they arrive. The
/// form's fields come first, so that nothing is written for somebody who may not send it.
pub(crate) async fn receive(
    visit: &Visit,
    request: Request,
    bytes_max: u64,
) -> Result<(Form, Vec<Received>), PageError> {
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
        if name.is_empty() || files.len() >= FILES_EACH_MAX {
            continue;
        }
        let folder = visit.web().received().folder.clone();
        let (received, mut open) = tokio::task::spawn_blocking(move || begin(&folder, field, name))
            .await
            .map_err(|_| cannot_keep())?
            .map_err(|_| cannot_keep())?;
        let mut received = received;
        while let Some(bytes) = part.chunk().await.map_err(|it| broken_off(&it))? {
            received.bytes += bytes.len() as u64;
            if received.bytes > bytes_max {
                return Err(too_large(bytes_max));
            }
            open.write_all(&bytes).map_err(|_| cannot_keep())?;
        }
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

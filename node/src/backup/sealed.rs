//! Sealing a backup to public keys, and opening it.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;

use age::{DecryptError, Decryptor, Encryptor};

use super::{BackupError, BackupKey, Recipient};
use crate::folder::create_private_file;

/// With what every sealed file begins.
const MAGIC: &[u8] = b"age-encryption.org/v1";

/// Whether a backup is sealed.
///
/// # Errors
/// [`BackupError::Unread`].
pub fn is_sealed(file: &Path) -> Result<bool, BackupError> {
    let mut begins = Vec::with_capacity(MAGIC.len());
    File::open(file)
        .and_then(|opened| opened.take(MAGIC.len() as u64).read_to_end(&mut begins))
        .map_err(|source| unread(file, source))?;
    Ok(begins == MAGIC)
}

/// Seals `from` to these keys in the new file `to`, which is on the disk when this returns.
pub(super) fn seal(from: &Path, to: &Path, keys: &[Recipient]) -> Result<(), BackupError> {
    let unwritten = |source| unwritten(to, source);
    let mut open = File::open(from).map_err(|source| unread(from, source))?;
    let sealed = BufWriter::new(create_private_file(to).map_err(unwritten)?);
    let keys = keys.iter().map(|key| &key.0 as &dyn age::Recipient);
    let encryptor = Encryptor::with_recipients(keys);
    let encryptor = encryptor.map_err(|error| unwritten(io::Error::other(error)))?;
    let mut sealed = encryptor.wrap_output(sealed).map_err(unwritten)?;
    io::copy(&mut open, &mut sealed)
        .and_then(|_| sealed.finish())
        .and_then(|mut sealed| sealed.flush().map(|()| sealed))
        .and_then(|sealed| sealed.get_ref().sync_all())
        .map_err(unwritten)
}

/// Opens the sealed backup `from` into the new file `to`.
///
/// # Errors
/// [`BackupError`]; what is left of `to` is then of no use.
pub fn unseal(from: &Path, to: &Path, key: &BackupKey) -> Result<(), BackupError> {
    let sealed = File::open(from).map_err(|source| unread(from, source))?;
    let failed = |error| match error {
        DecryptError::NoMatchingKeys => BackupError::OtherKey(from.to_owned()),
        DecryptError::Io(source) if source.kind() != io::ErrorKind::UnexpectedEof => {
            unread(from, source)
        }
        DecryptError::DecryptionFailed
        | DecryptError::ExcessiveWork { .. }
        | DecryptError::InvalidHeader
        | DecryptError::InvalidMac
        | DecryptError::Io(_)
        | DecryptError::KeyDecryptionFailed
        | DecryptError::UnknownFormat => BackupError::Damaged(from.to_owned()),
    };
    let decryptor = Decryptor::new_buffered(BufReader::new(sealed)).map_err(failed)?;
    let keys = std::iter::once(&key.0 as &dyn age::Identity);
    let mut sealed = decryptor.decrypt(keys).map_err(failed)?;
    let mut open = create_private_file(to).map_err(|source| unwritten(to, source))?;
    let mut bytes = vec![0; 1 << 16];
    loop {
        // What cannot be opened and what cannot be written are told apart.
        let read = sealed.read(&mut bytes);
        let read = read.map_err(|_| BackupError::Damaged(from.to_owned()))?;
        if read == 0 {
            break;
        }
        let written = open.write_all(&bytes[..read]);
        written.map_err(|source| unwritten(to, source))?;
    }
    open.sync_all().map_err(|source| unwritten(to, source))
}

fn unread(path: &Path, source: io::Error) -> BackupError {
    BackupError::Unread {
        path: path.to_owned(),
        source,
    }
}

fn unwritten(path: &Path, source: io::Error) -> BackupError {
    BackupError::Unwritten {
        path: path.to_owned(),
        source,
    }
}

//! Whether a zip file is a workbook, and is as small inside as it should be.

use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use super::SheetError;

/// Most files in a workbook.
const FILES_MAX: usize = 5_000;
/// Most bytes of all files of a workbook, unpacked.
const UNPACKED_MAX: u64 = 512 << 20;
/// Most bytes of the texts that cells share, unpacked; each text costs memory of its own.
const SHARED_MAX: u64 = 64 << 20;

/// What kind of workbook a zip file is.
pub(super) enum Archive {
    /// Excel's since 2007.
    Xlsx,
    /// OpenDocument's.
    Ods,
}

impl Archive {
    /// Unpacks everything once without keeping it. What a zip file says of its own sizes is not
    /// to be trusted, and no parser that follows counts.
    pub(super) fn check(bytes: &[u8], name: &str) -> Result<Self, SheetError> {
        let mut archive =
            ZipArchive::new(Cursor::new(bytes)).map_err(|error| refusal(error, name))?;
        if archive.len() > FILES_MAX {
            return Err(SheetError::too_large(name, format!("{FILES_MAX} parts")));
        }
        let kind = Self::kind(&archive, name)?;
        let mut left = UNPACKED_MAX;
        for index in 0..archive.len() {
            let file = archive
                .by_index(index)
                .map_err(|error| refusal(error, name))?;
            let path = file.name().map(|path| path.to_ascii_lowercase());
            let shared = path.is_ok_and(|path| path.contains("sharedstrings"));
            let allowed = if shared { left.min(SHARED_MAX) } else { left };
            let mut counted = file.take(allowed + 1);
            let unpacked = std::io::copy(&mut counted, &mut std::io::sink())
                .map_err(|error| refusal(error.into(), name))?;
            if unpacked > allowed {
                return Err(SheetError::too_large(name, "512 MiB when it is unpacked"));
            }
            left -= unpacked;
        }
        Ok(kind)
    }

    fn kind<R: Read + std::io::Seek>(
        archive: &ZipArchive<R>,
        name: &str,
    ) -> Result<Self, SheetError> {
        let has = |path: &str| archive.index_for_name(path).is_some();
        if has("content.xml") && has("META-INF/manifest.xml") {
            return Ok(Self::Ods);
        }
        if has("xl/workbook.bin") {
            return Err(SheetError::not_a_table(name, "a binary workbook (.xlsb)"));
        }
        if has("[Content_Types].xml") && !has("word/document.xml") && !has("ppt/presentation.xml") {
            return Ok(Self::Xlsx);
        }
        let what = if has("word/document.xml") {
            "a text document"
        } else if has("ppt/presentation.xml") {
            "a presentation"
        } else {
            "a compressed file"
        };
        Err(SheetError::not_a_table(name, what))
    }
}

/// What a zip file's fault means to the person who chose it.
pub(super) fn refusal(error: ZipError, name: &str) -> SheetError {
    let text = error.to_string();
    if text.to_ascii_lowercase().contains("password") {
        return SheetError::Password(name.to_owned());
    }
    SheetError::damaged(name, "it was cut short or changed on its way")
}

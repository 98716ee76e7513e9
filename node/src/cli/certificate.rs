//! `certificate`: the authority that colleagues' devices have to trust.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use serde_json::json;

use super::output::Output;
use crate::config::{Config, WebConfig};
use crate::folder::{DataFolder, write_new};
use crate::web::SiteAuthority;

pub(super) fn run(data: &Path, file: Option<PathBuf>, output: Output) -> Result<()> {
    let config = Config::read(&DataFolder::config(data))?;
    ensure!(
        config.web.certificate == WebConfig::OWN,
        "this node makes no certificate of its own: set web.certificate = \"own\" and web.public in \
         its settings first"
    );
    let authority = SiteAuthority::for_pages(data, &config.web)?;
    let (pem, words) = (authority.certificate_pem(), authority.words());
    if let Some(file) = &file {
        write_new(file, pem.as_bytes())?;
    }
    let value = json!({ "certificate": pem, "words": words, "file": file });
    output.print(&value, || match &file {
        Some(file) => format!(
            "{} written: install it on colleagues' devices as a trusted authority\nits words: {words}",
            file.display()
        ),
        None => format!("{pem}its words: {words}"),
    });
    Ok(())
}

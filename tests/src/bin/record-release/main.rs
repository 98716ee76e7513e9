//! Keeps this version as a release, in `tests/fixtures/<version>/`: what its protocol files, formats and
//! names are, the data folders of a small network, and what nodes said to each other.

mod network;
mod sessions;

use std::fs;

use anyhow::{Result, ensure};
use clap::Parser;
use tests::contract::words;
use tests::release::{Release, root};

/// Keeps this version as a release, for every later one to be held against.
#[derive(Debug, Parser)]
struct Arguments {
    /// Take the place of what is kept of this version. Never of one that was released.
    #[arg(long)]
    again: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let release = Release::of_now();
    let folder = release.folder();
    ensure!(
        arguments.again || !folder.exists(),
        "{} is there already: raise the version in Cargo.toml first, or give --again if {} was never \
         released",
        folder.display(),
        release.version()
    );
    fs::create_dir_all(folder)?;
    fs::write(release.protocol(), proto::FILE_DESCRIPTORS)?;
    let words = words(&root())?.into_iter().map(|word| word + "\n");
    fs::write(release.words(), words.collect::<String>())?;
    Box::pin(network::record(&release)).await?;
    Box::pin(sessions::record(&release)).await?;
    println!("{} keeps version {}", folder.display(), release.version());
    Ok(())
}

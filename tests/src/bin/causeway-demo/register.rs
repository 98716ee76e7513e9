//! The real register of hubs and catalogue of projects: see `deploy/data/README.md`.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde::de::DeserializeOwned;

const HUBS: &str = include_str!("../../../../deploy/data/hubs.csv");
const PROJECTS: &str = include_str!("../../../../deploy/data/projects.csv");

/// A line of the register of hubs.
#[derive(Debug, Deserialize)]
pub(crate) struct RegisteredHub {
    /// Its code.
    pub(crate) code: String,
    /// Its name.
    pub(crate) name: String,
}

/// A line of the catalogue of projects.
#[derive(Debug, Deserialize)]
pub(crate) struct CataloguedProject {
    /// Its code; empty where none was found.
    pub(crate) code: String,
    /// The year, as in 2024/25.
    pub(crate) year: String,
    /// Its title.
    pub(crate) title: String,
    /// The phases, in words.
    pub(crate) phase: String,
    /// What it is about.
    pub(crate) summary: String,
}

/// The register of hubs.
///
/// # Errors
/// If the file is not as it should be.
pub(crate) fn hubs() -> Result<Vec<RegisteredHub>> {
    rows(HUBS).context("deploy/data/hubs.csv")
}

/// The catalogue of projects.
///
/// # Errors
/// If the file is not as it should be.
pub(crate) fn projects() -> Result<Vec<CataloguedProject>> {
    rows(PROJECTS).context("deploy/data/projects.csv")
}

fn rows<T: DeserializeOwned>(text: &str) -> Result<Vec<T>> {
    Ok(csv::Reader::from_reader(text.as_bytes())
        .deserialize()
        .collect::<Result<_, _>>()?)
}

impl CataloguedProject {
    /// The year as records write it.
    pub(crate) fn academic_year(&self) -> String {
        self.year.replace('/', "-")
    }

    /// The phases as the catalogue's own codes.
    pub(crate) fn phases(&self) -> Vec<&'static str> {
        if self.phase.starts_with("cross-") {
            return vec!["all"];
        }
        let codes = [
            ("early years", "early years"),
            ("primary", "primary"),
            ("KS1", "primary"),
            ("secondary", "secondary"),
            ("post-16", "post-16"),
        ];
        codes
            .into_iter()
            .filter(|(word, _)| self.phase.contains(word))
            .map(|(_, code)| code)
            .collect()
    }
}

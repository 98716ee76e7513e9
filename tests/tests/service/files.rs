//! The files of the project, and what both programs understand.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser};

/// One of the two programs, as its package, its user and its service are named too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    Node,
    Coordinator,
}

pub(crate) const BOTH: [Program; 2] = [Program::Node, Program::Coordinator];

impl Program {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Node => "causeway-node",
            Self::Coordinator => "causeway-coordinator",
        }
    }

    /// The crate that makes it.
    pub(crate) const fn package(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Coordinator => "coordinator",
        }
    }

    /// The data folder of its service.
    pub(crate) fn data(self) -> String {
        format!("/var/lib/{}", self.name())
    }

    /// Fails unless the program takes these words.
    pub(crate) fn check_words(self, words: &[&str]) {
        let words = std::iter::once(self.name()).chain(words.iter().copied());
        let words = words.collect::<Vec<_>>();
        let error = match self {
            Self::Node => node::cli::Arguments::try_parse_from(&words).err(),
            Self::Coordinator => coordinator::cli::Arguments::try_parse_from(&words).err(),
        };
        if let Some(error) = error {
            panic!("{words:?}: {error}");
        }
    }

    /// The variables of the environment in which it looks.
    pub(crate) fn variables(self) -> Vec<String> {
        let command = match self {
            Self::Node => node::cli::Arguments::command(),
            Self::Coordinator => coordinator::cli::Arguments::command(),
        };
        let named = command.get_arguments().filter_map(|it| it.get_env());
        let mut named = named
            .map(|it| it.to_string_lossy().into_owned())
            .collect::<Vec<_>>();
        let of_proxy = fs::read_to_string(root().join("node/src/proxy.rs")).expect("a source");
        for name in ["HTTPS_PROXY", "NO_PROXY"] {
            assert!(of_proxy.contains(&format!("\"{name}\"")), "{name}");
            named.push(name.to_owned());
        }
        // The system's C library looks there.
        named.push("MALLOC_MMAP_THRESHOLD_".to_owned());
        named
    }
}

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("tests lies in it").to_owned()
}

/// The text of a file below it.
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

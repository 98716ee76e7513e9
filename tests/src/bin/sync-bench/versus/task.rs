//! What is measured, of whom, and what came of it.

use crate::figures::Figures;
use crate::versus::figure::Figure;

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum System {
    Causeway,
    Samod,
    AutomergeRepo,
}

impl System {
    /// All, in the order in which they are measured and shown.
    pub(crate) const ALL: [Self; 3] = [Self::Causeway, Self::Samod, Self::AutomergeRepo];

    /// What people call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Causeway => "Causeway",
            Self::Samod => "samod",
            Self::AutomergeRepo => "automerge-repo",
        }
    }
}

/// One thing that every system does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// Who holds nothing yet takes all documents from the server.
    FirstCopy { documents: usize },
    /// Who held all documents connects again, with five new changes in each of some.
    Reconnect { documents: usize, changed: usize },
    /// One edits a document, others receive it through the server; a rate of 0 is as fast as it goes.
    FanOut {
        readers: usize,
        edits: usize,
        rate: u32,
    },
    /// The server is killed in the moment in which it has acknowledged five changes in each document.
    Killed { documents: usize },
}

impl Task {
    /// How often it is done: large ones once.
    pub(crate) const fn runs(self) -> usize {
        match self {
            Self::FirstCopy { documents } | Self::Reconnect { documents, .. }
                if documents > 1_000 =>
            {
                1
            }
            Self::FirstCopy { .. } | Self::Reconnect { .. } | Self::Killed { .. } => 3,
            Self::FanOut { .. } => 1,
        }
    }

    /// Adds what was asked for to figures.
    pub(crate) fn describe(self, figures: Figures) -> Figures {
        match self {
            Self::FirstCopy { documents } => figures
                .with("task", "first copy")
                .with("documents", documents),
            Self::Reconnect { documents, changed } => figures
                .with("task", "reconnect")
                .with("documents", documents)
                .with("changed", changed),
            Self::FanOut {
                readers,
                edits,
                rate,
            } => figures
                .with("task", "fan-out")
                .with("readers", readers)
                .with("edits", edits)
                .with("rate", rate),
            Self::Killed { documents } => {
                figures.with("task", "killed").with("documents", documents)
            }
        }
    }
}

/// What came of a task for one system: its figures, or what it said.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) system: System,
    pub(crate) task: Task,
    pub(crate) measured: Result<Vec<(Figure, f64)>, String>,
}

impl Outcome {
    /// One of its figures.
    pub(crate) fn get(&self, figure: Figure) -> Option<f64> {
        let measured = self.measured.as_ref().ok()?;
        let found = measured.iter().find(|(name, _)| *name == figure);
        found.map(|(_, value)| *value)
    }

    /// All of it, to be printed.
    pub(crate) fn figures(&self) -> Figures {
        let figures = Figures::of("versus").with("system", self.system.name());
        let mut figures = self.task.describe(figures);
        match &self.measured {
            Ok(measured) => {
                for (figure, value) in measured {
                    figures = figures.with(figure.name(), figure.number(*value));
                }
                figures
            }
            Err(reason) => figures.with("failed", reason.as_str()),
        }
    }
}

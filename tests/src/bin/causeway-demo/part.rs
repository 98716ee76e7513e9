//! The two programs that this one can be.

use std::process::ExitCode;

use clap::Parser;
use tokio::process::Command;

/// One of the two programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// `causeway-node`.
    Node,
    /// `causeway-coordinator`.
    Coordinator,
}

impl Part {
    /// The name under which people know the program.
    pub(crate) const fn program(self) -> &'static str {
        match self {
            Self::Node => "causeway-node",
            Self::Coordinator => "causeway-coordinator",
        }
    }

    /// A command that runs the program.
    ///
    /// # Errors
    /// If the system does not say where this program's file is.
    pub(crate) fn command(self) -> std::io::Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(self.argument());
        // The demo's own surroundings must not choose a folder for it.
        command.env_remove("CAUSEWAY_DATA");
        Ok(command)
    }

    /// The first argument that makes this program the other.
    pub(crate) const fn argument(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Coordinator => "coordinator",
        }
    }
}

/// Runs one of the two programs, if this process was started as one.
pub(crate) fn run() -> Option<ExitCode> {
    let mut given = std::env::args_os();
    let _this = given.next();
    let first = given.next()?;
    let part = [Part::Node, Part::Coordinator]
        .into_iter()
        .find(|part| first == part.argument())?;
    tests::process::end_with_parent();
    let arguments = std::iter::once(part.program().into()).chain(given);
    Some(match part {
        Part::Node => {
            let arguments = node::cli::Arguments::try_parse_from(arguments);
            node::cli::main(arguments, node::cli::Arguments::run)
        }
        Part::Coordinator => {
            let arguments = coordinator::cli::Arguments::try_parse_from(arguments);
            node::cli::main(arguments, coordinator::cli::Arguments::run)
        }
    })
}

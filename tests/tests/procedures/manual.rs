//! docs/operations.md, as far as it is commands.

use std::collections::VecDeque;
use std::path::Path;

/// The commands of one procedure, in the order in which they are to be typed.
pub(crate) struct Procedure {
    of: String,
    commands: VecDeque<String>,
    text: String,
}

impl Procedure {
    /// The section with this heading.
    pub(crate) fn of(heading: &str) -> Self {
        let manual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations.md");
        let manual = std::fs::read_to_string(manual).expect("the manual is there");
        let (_, section) = manual
            .split_once(&format!("\n## {heading}\n"))
            .unwrap_or_else(|| panic!("docs/operations.md has no section \"{heading}\""));
        let section = section.split("\n## ").next().unwrap_or_default();
        Self::read(heading, section)
    }

    /// Of a section the part that begins with these words in bold, up to the next such part.
    pub(crate) fn part(heading: &str, words: &str) -> Self {
        let section = Self::of(heading).text;
        let (_, part) = section
            .split_once(&format!("\n**{words}**"))
            .unwrap_or_else(|| panic!("\"{heading}\" has no part \"{words}\""));
        let part = part.split("\n**").next().unwrap_or_default();
        Self::read(&format!("{heading}: {words}"), part)
    }

    /// The next command, which must begin like this.
    pub(crate) fn next(&mut self, begins: &str) -> String {
        let command = self.commands.pop_front();
        let command =
            command.unwrap_or_else(|| panic!("\"{}\" ends before a command \"{begins}\"", self.of));
        assert!(
            command.starts_with(begins),
            "\"{}\" goes on with \"{command}\", and this story with \"{begins}\"",
            self.of
        );
        command
    }

    /// The settings that the procedure shows.
    pub(crate) fn settings(&self) -> String {
        let (_, block) = self.text.split_once("```toml\n").expect("settings");
        block.split("```").next().unwrap_or_default().to_owned()
    }

    /// Sees that no command is left, so that none stands in the manual that nobody has typed.
    pub(crate) fn done(self) {
        assert!(
            self.commands.is_empty(),
            "\"{}\" has commands that this story lacks: {:?}",
            self.of,
            self.commands
        );
    }

    fn read(of: &str, text: &str) -> Self {
        let mut commands = VecDeque::new();
        for block in text.split("```console\n").skip(1) {
            let block = block.split("```").next().unwrap_or_default();
            let lines = block.lines().filter_map(|line| line.strip_prefix("$ "));
            // What stands after a number sign is for whoever reads.
            let typed = lines.map(|line| line.split("  #").next().unwrap_or_default().trim_end());
            commands.extend(typed.map(str::to_owned));
        }
        Self {
            of: of.to_owned(),
            commands,
            text: text.to_owned(),
        }
    }
}

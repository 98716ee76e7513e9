//! How Rust files look.

use std::path::Path;

use crate::workspace::{files, none, read};

const LINES_MAX: usize = 800;
const MAIN_LINES_MAX: usize = 40;

/// Written so that this file does not hold them itself.
const UNFINISHED: [&str; 5] = [
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("TO", "DO"),
];

#[test]
fn files_stay_short() {
    let mut faults = Vec::new();
    for file in files(".rs") {
        let lines = if is_test(&file) {
            0
        } else {
            code_of(&file).len()
        };
        if lines > LINES_MAX {
            faults.push(format!(
                "{}: {lines} lines of code, of {LINES_MAX}",
                file.display()
            ));
        }
        if file.ends_with("src/main.rs") && lines > MAIN_LINES_MAX {
            faults.push(format!(
                "{}: {lines} lines, of {MAIN_LINES_MAX}",
                file.display()
            ));
        }
    }
    none(&faults);
}

#[test]
fn files_begin_by_saying_what_they_are() {
    let silent = files(".rs")
        .into_iter()
        .filter(|file| !read(file).starts_with("//! "));
    none(
        &silent
            .map(|file| format!("{}: begin with `//! `", file.display()))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn modules_are_named_files() {
    let nameless = files("mod.rs")
        .into_iter()
        .filter(|file| file.ends_with("mod.rs"));
    none(
        &nameless
            .map(|file| format!("{}: name it by its module", file.display()))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn nothing_is_left_unfinished() {
    let mut faults = Vec::new();
    for file in [".rs", ".proto", ".toml", ".md"]
        .into_iter()
        .flat_map(files)
    {
        for (index, line) in read(&file).lines().enumerate() {
            if let Some(word) = UNFINISHED.iter().find(|word| line.contains(**word)) {
                faults.push(format!("{}:{}: {word}", file.display(), index + 1));
            }
        }
    }
    none(&faults);
}

/// Whether a whole file is for tests.
pub(crate) fn is_test(file: &Path) -> bool {
    let mut parts = file.components().map(|part| part.as_os_str());
    // The package `tests` has ordinary code under `tests/src`.
    let package = usize::from(file.starts_with("tests"));
    parts
        .by_ref()
        .skip(package)
        .any(|part| part == "tests" || part == "tests.rs")
}

/// The lines of a file that are not for tests, each with its number.
pub(crate) fn code_of(file: &Path) -> Vec<(usize, String)> {
    let text = read(file);
    let mut code = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((index, line)) = lines.next() {
        if line == "#[cfg(test)]" {
            // A test module in its own file is one line; one in this file goes on to its end.
            match lines.peek() {
                Some((_, next)) if next.starts_with("mod ") && next.ends_with('{') => break,
                _ => {
                    lines.next();
                    continue;
                }
            }
        }
        code.push((index + 1, line.to_owned()));
    }
    code
}

//! What the documents say is tested, is: the tests and files that they name exist, and every
//! procedure and every fault names one.

use std::collections::BTreeSet;

use crate::workspace::{none, read, root};

const THREATS: &str = "docs/threat-model.md";
const ASSUMPTIONS: &str = "docs/assumptions.md";
const OPERATIONS: &str = "docs/operations.md";

#[test]
fn tests_and_files_that_documents_name_exist() {
    let mut faults = Vec::new();
    for document in [THREATS, ASSUMPTIONS, OPERATIONS] {
        let named = code_spans(&read(document));
        let named = named.iter().filter_map(|span| Named::read(span));
        let mut tests = 0;
        for named in named {
            tests += usize::from(named.test.is_some());
            if let Some(fault) = named.fault() {
                faults.push(format!("{document}: {fault}"));
            }
        }
        assert!(tests > 5, "{document} names only {tests} tests");
    }
    none(&faults);
}

#[test]
fn every_fault_names_what_tries_it_or_says_that_nothing_does() {
    let text = read(THREATS);
    let (_, rows) = text.split_once("## Faults").expect("a table of faults");
    let mut numbers = BTreeSet::new();
    let mut faults = Vec::new();
    for row in rows.lines() {
        let Some(number) = row.strip_prefix("| ").and_then(|row| row.split(' ').next()) else {
            continue;
        };
        let Ok(number) = number.parse::<u32>() else {
            continue;
        };
        numbers.insert(number);
        if !row.contains("::") && !row.contains("not tried") {
            faults.push(format!("{THREATS}: row {number} names no test"));
        }
    }
    none(&faults);
    assert!(numbers.iter().copied().eq(1..=41), "{numbers:?}");
}

#[test]
fn every_assumption_says_what_tries_it() {
    let text = read(ASSUMPTIONS);
    let rows = text.lines().filter(|line| line.starts_with("| **"));
    let mut faults = Vec::new();
    let mut count = 0;
    for row in rows {
        count += 1;
        let cells = row.trim_matches('|').split(" | ").collect::<Vec<_>>();
        let says = cells.last().copied().unwrap_or_default();
        let words = ["::", "not tried", "measured", "simulated", "every test"];
        if cells.len() != 3 || !words.iter().any(|word| says.contains(word)) {
            faults.push(format!("{ASSUMPTIONS}: {}", cells[0].trim()));
        }
    }
    none(&faults);
    assert!(count > 20, "only {count} assumptions were found");
}

#[test]
fn every_procedure_of_the_manual_names_what_runs_it() {
    let text = read(OPERATIONS);
    let (_, table) = text
        .split_once("\n## What runs these procedures\n")
        .expect("a table of what runs the procedures");
    let mut faults = Vec::new();
    let mut procedures = 0;
    for section in text.split("\n## ").skip(1) {
        let (heading, body) = section.split_once('\n').unwrap_or((section, ""));
        if !body.contains("\n$ ") {
            continue;
        }
        procedures += 1;
        let row = table.lines().find(|line| {
            let named = line
                .strip_prefix("| ")
                .and_then(|line| line.strip_prefix(heading));
            named.is_some_and(|rest| rest.starts_with(" |"))
        });
        match row {
            None => faults.push(format!("{OPERATIONS}: nothing runs \"{heading}\"")),
            Some(row) if !row.contains("::") && !row.contains(".sh`") && !row.contains("/try`") => {
                faults.push(format!(
                    "{OPERATIONS}: \"{heading}\" names no test and no script"
                ));
            }
            Some(_) => {}
        }
    }
    none(&faults);
    assert!(procedures > 5, "only {procedures} procedures were found");
}

#[test]
fn names_of_tests_and_files_are_told_from_other_code() {
    let of = |span: &str| Named::read(span).map(|named| (named.file, named.test));
    let file = "tests/tests/demo.rs".to_owned();
    assert_eq!(of("tests/tests/demo.rs"), Some((file.clone(), None)));
    let test = Some("it_holds".to_owned());
    assert_eq!(of("tests/tests/demo.rs::it_holds"), Some((file, test)));
    assert_eq!(of("causeway-node record list"), None);
    assert_eq!(of("store.db"), None);
    assert!(Named::read("tests/tests/nowhere.rs").is_some_and(|named| named.fault().is_some()));
    let nothing = Named::read("tests/tests/tidy/proofs.rs::no_such_test");
    assert!(nothing.is_some_and(|named| named.fault().is_some()));
    assert_eq!(code_spans("`a` b `c`\n```\n`d`\n```\n`e`"), ["a", "c", "e"]);
}

/// A file of the project, or a test in it, that a document names.
struct Named {
    file: String,
    test: Option<String>,
}

impl Named {
    /// What stands between backticks, if it is a path below the root.
    fn read(span: &str) -> Option<Self> {
        let (file, test) = match span.split_once("::") {
            Some((file, test)) => (file, Some(test.to_owned())),
            None => (span, None),
        };
        let ours = [
            "coordinator/",
            "deploy/",
            "docs/",
            "node/",
            "proto/",
            "tests/",
        ];
        let is_ours = ours.iter().any(|folder| file.starts_with(folder));
        (is_ours && !file.contains(' ')).then(|| Self {
            file: file.to_owned(),
            test,
        })
    }

    fn fault(&self) -> Option<String> {
        if !root().join(&self.file).exists() {
            return Some(format!("there is no {}", self.file));
        }
        let test = self.test.as_ref()?;
        let begins = format!("fn {test}(");
        let is_there = read(&self.file).contains(&begins);
        (!is_there).then(|| format!("{} has no test {test}", self.file))
    }
}

/// What stands between backticks outside of blocks.
fn code_spans(text: &str) -> Vec<String> {
    let mut spans = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            spans.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
        }
    }
    spans
}

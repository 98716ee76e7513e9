//! Links in the documents lead somewhere.

use crate::workspace::{files, none, read, root};

#[test]
fn relative_links_lead_to_a_file() {
    let root = root();
    let mut faults = Vec::new();
    for file in files(".md") {
        let folder = file.parent().expect("a file lies in a folder");
        for target in targets(&read(&file)) {
            let path = target.split('#').next().unwrap_or_default();
            let outside = path.contains("://") || path.starts_with("mailto:");
            if path.is_empty() || outside {
                continue;
            }
            let known = match path.strip_prefix('/') {
                // On a server that is another page altogether.
                Some(_) => false,
                None => root.join(folder).join(path).exists(),
            };
            if !known {
                faults.push(format!("{}: {target} leads nowhere", file.display()));
            }
        }
    }
    none(&faults);
}

#[test]
fn link_targets_are_found_outside_code_only() {
    let text = "[a](one.md) `[b](two.md)` [c](three.md#part \"title\")\n```\n[d](four.md)\n```\n";
    assert_eq!(targets(text), ["one.md", "three.md#part"]);
}

/// Where the inline links of a Markdown text lead.
fn targets(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        }
        if fenced {
            continue;
        }
        // Every second piece between backticks is code.
        let prose = line.split('`').step_by(2).collect::<Vec<_>>().join(" ");
        for link in prose.split("](").skip(1) {
            let target = link.split([')', ' ']).next().unwrap_or_default();
            found.push(target.to_owned());
        }
    }
    found
}

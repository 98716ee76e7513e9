//! The declarations as a page of the manual.

use super::roles::{held, role_sentences};
use super::rules::{
    dated, freezing, label, labels, publishing, ranking, released, rule_sentence, watch_sentence,
};
use super::words::{all, holds, marks};
use crate::declaration::{Field, Form, Kind};
use crate::kinds::KINDS;
use crate::roles::ROLES;
use node_feed::Writers;

const HEAD: &str = "\
# Records

What Causeway keeps, kind by kind: made from the declarations by `causeway-node schema --markdown`,
and checked against them. Do not edit this page; edit the declarations in `node/domain/src/kinds`.

A *document* merges what several people write and keeps its history; a *card* is kept without
history, and all personal data stands in cards. What people call a field stands first, its name in
files and commands beside it. A field is *needed* where a record or item cannot be without it; where
*a person settles its versions*, concurrent values stay until somebody chooses.
";

const ROLES_HEAD: &str = "
## Roles

Whoever acts in a role, as with `record list --as ROLE --holder ID`, sees and writes just this, and
nothing of kinds that are not named.
";

/// The page docs/records.md.
pub fn schema_markdown() -> String {
    let mut page = HEAD.to_owned();
    page.push_str("\n| record | what it is | form | in |\n| --- | --- | --- | --- |\n");
    for kind in KINDS {
        let spaces = kind
            .spaces
            .iter()
            .map(|space| space.name())
            .collect::<Vec<_>>();
        let form = match kind.form {
            Form::Document => "document",
            Form::Card => "card",
        };
        page.push_str(&format!(
            "| [{}](#{}) | {} | {form} | {} |\n",
            kind.title,
            anchor(kind),
            cell(kind.about),
            spaces.join(", "),
        ));
    }
    for kind in KINDS {
        add_kind(&mut page, kind);
    }
    page.push_str(ROLES_HEAD);
    for role in ROLES {
        let heading = format!("{} (`{}`)", role.title, role.name);
        page.push_str(&format!("\n### {heading}\n\n{}\n", held(role)));
        page.push('\n');
        for sentence in role_sentences(role) {
            page.push_str(&format!("- {sentence}\n"));
        }
    }
    page
}

fn add_kind(page: &mut String, kind: &Kind) {
    let spaces = kind
        .spaces
        .iter()
        .map(|space| format!("`{}`", space.name()));
    let spaces = spaces.collect::<Vec<_>>();
    let form = match kind.form {
        Form::Document => "A document",
        Form::Card => "A card",
    };
    let writers = match kind.writers {
        Writers::Owner => "the hub that owns it writes it",
        Writers::Members => "every hub that may write in the space writes it",
    };
    page.push_str(&format!(
        "\n## {}\n\n{}\n\n{form} (`{}`) in {}; {writers}. ",
        kind.title,
        kind.about,
        kind.name,
        all(&spaces)
    ));
    if !kind.key.is_empty() {
        page.push_str(&format!(
            "An import knows one again by its {}. ",
            labels(kind, kind.key)
        ));
    }
    let mut concerned = kind
        .concerns
        .roles
        .iter()
        .map(|&role| format!("the {role}"))
        .collect::<Vec<_>>();
    let persons = kind.concerns.persons.iter();
    concerned.extend(persons.map(|name| format!("those named in {}", label(kind, name))));
    page.push_str(&format!("Its versions concern {}.\n", all(&concerned)));
    add_fields(page, kind.fields);
    for list in kind.fields {
        if let Some(items) = list.items() {
            page.push_str(&format!("\n### {}: {}\n", kind.title, list.label));
            add_fields(page, items);
        }
    }
    add_sentences(page, kind);
}

fn add_fields(page: &mut String, fields: &[Field]) {
    page.push_str("\n| field | name | holds | |\n| --- | --- | --- | --- |\n");
    for field in fields {
        let mut remarks = marks(field).join("; ");
        if !field.help.is_empty() {
            if !remarks.is_empty() {
                remarks.push_str(". ");
            }
            remarks.push_str(field.help);
        }
        page.push_str(&format!(
            "| {} | `{}` | {} | {} |\n",
            cell(field.label),
            field.name,
            cell(&holds(field)),
            cell(&remarks)
        ));
    }
}

fn add_sentences(page: &mut String, kind: &Kind) {
    let mut sentences = kind
        .rules
        .iter()
        .map(|it| rule_sentence(kind, it))
        .collect::<Vec<_>>();
    sentences.extend(kind.frozen.iter().map(|it| freezing(kind, it)));
    sentences.extend(kind.ranking.iter().map(|it| ranking(kind, it)));
    sentences.extend(kind.dated.iter().map(|it| dated(kind, it)));
    sentences.extend(kind.released.iter().map(|it| released(kind, it)));
    if !kind.fork.is_empty() {
        sentences.push(format!("A fork takes over {}.", labels(kind, kind.fork)));
    }
    add_list(page, "What holds", &sentences);
    let watches = kind.watches.iter().map(|it| watch_sentence(kind, it));
    add_list(
        page,
        "What is raised to people",
        &watches.collect::<Vec<_>>(),
    );
    let publishings = kind.publishing.iter().map(|it| publishing(kind, it));
    add_list(
        page,
        "What may be published",
        &publishings.collect::<Vec<_>>(),
    );
}

fn add_list(page: &mut String, heading: &str, sentences: &[String]) {
    if sentences.is_empty() {
        return;
    }
    page.push_str(&format!("\n**{heading}**\n\n"));
    for sentence in sentences {
        page.push_str(&format!("- {sentence}\n"));
    }
}

fn anchor(kind: &Kind) -> String {
    let title = kind.title.to_lowercase();
    let kept = title
        .chars()
        .filter(|char| char.is_alphanumeric() || *char == ' ' || *char == '-');
    kept.collect::<String>().replace(' ', "-")
}

/// A text within a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

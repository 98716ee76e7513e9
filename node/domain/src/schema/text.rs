//! The declarations as text, for a terminal.

use super::roles::{held, role_sentences};
use super::rules::{rule_sentence, watch_sentence};
use super::words::{all, form, holds, marks, writers};
use crate::declaration::{Field, Kind};
use crate::kinds::KINDS;
use crate::roles::{ROLES, Role};

/// Everything that is declared, as text.
pub fn schema_text() -> String {
    let kinds = KINDS.into_iter().map(kind);
    let roles = ROLES.iter().map(|it| role(it));
    kinds.chain(roles).collect::<Vec<_>>().join("\n")
}

fn role(role: &Role) -> String {
    let mut text = format!("role {} ({})\n  {}\n", role.name, role.title, held(role));
    for sentence in role_sentences(role) {
        text.push_str(&format!("  * {sentence}\n"));
    }
    text
}

fn kind(kind: &Kind) -> String {
    let spaces = kind
        .spaces
        .iter()
        .map(|space| space.name())
        .collect::<Vec<_>>();
    let mut text = format!(
        "{} ({})\n  {}\n  A {} in {}, written by {}.\n",
        kind.name,
        kind.title,
        kind.about,
        form(kind.form),
        all(&spaces),
        writers(kind.writers),
    );
    for field in kind.fields {
        add_field(&mut text, field, "  ");
    }
    let rules = kind.rules.iter().map(|rule| rule_sentence(kind, rule));
    let watches = kind.watches.iter().map(|watch| watch_sentence(kind, watch));
    for sentence in rules.chain(watches) {
        text.push_str(&format!("  * {sentence}\n"));
    }
    text
}

fn add_field(text: &mut String, field: &Field, margin: &str) {
    let marks = marks(field);
    let marks = if marks.is_empty() {
        String::new()
    } else {
        format!(" [{}]", marks.join("; "))
    };
    text.push_str(&format!(
        "{margin}{}: '{}', {}{marks}\n",
        field.name,
        field.label,
        holds(field)
    ));
    for item in field.items().unwrap_or_default() {
        add_field(text, item, &format!("{margin}  "));
    }
}

//! The declarations, told: as text, as JSON, and as the page docs/records.md.

mod json;
mod markdown;
mod roles;
mod rules;
mod text;
mod words;

pub use json::schema_json;
pub use markdown::schema_markdown;
pub use rules::{rule_sentence, watch_sentence};
pub use text::schema_text;

/// What the declarations of this version's kinds are called: it changes whenever they do. Roles are
/// not in it: what a role may see does not change what a record holds.
pub fn schema_version() -> String {
    let hash = blake3::hash(json::kinds_json().to_string().as_bytes()).to_hex();
    hash.get(..16).unwrap_or_default().to_owned()
}

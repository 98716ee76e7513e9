//! The declarations are told to people and programs, and the manual's page says the same.

use std::collections::BTreeSet;
use std::path::PathBuf;

use node_domain::{
    KINDS, ROLES, rule_sentence, schema_json, schema_markdown, schema_text, schema_version,
    watch_sentence,
};

fn page() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/records.md")
}

#[test]
fn the_manuals_page_of_records_is_as_declared() {
    let page = std::fs::read_to_string(page()).unwrap_or_default();
    assert!(
        page == schema_markdown(),
        "docs/records.md is not what the declarations say. Write it anew with `causeway-node \
         schema --markdown > docs/records.md`, or with `cargo test -p node-domain --test schema \
         -- --ignored`, and read the difference"
    );
}

#[test]
#[ignore = "writes docs/records.md"]
fn write_the_manuals_page_of_records() {
    std::fs::write(page(), schema_markdown()).expect("the page is written");
}

#[test]
fn every_field_is_told_in_each_form() {
    let (text, page, json) = (schema_text(), schema_markdown(), schema_json());
    let kinds = json["kinds"].as_array().expect("kinds");
    assert_eq!(kinds.len(), KINDS.len());
    for (kind, told) in KINDS.into_iter().zip(kinds) {
        assert_eq!(told["name"], kind.name);
        assert_eq!(
            told["rules"].as_array().map(Vec::len),
            Some(kind.rules.len())
        );
        assert_eq!(
            told["publishing"].as_array().map(Vec::len),
            Some(kind.publishing.len())
        );
        assert!(
            text.contains(kind.about) && page.contains(kind.about),
            "{}",
            kind.name
        );
        for (field, told) in kind
            .fields
            .iter()
            .zip(told["fields"].as_array().expect("fields"))
        {
            assert_eq!(told["name"], field.name);
            assert_eq!(
                told["items"].as_array().map(Vec::len),
                field.items().map(<[_]>::len)
            );
            assert!(text.contains(&format!("{}: '{}'", field.name, field.label)));
            assert!(page.contains(&format!("| {} | `{}` |", field.label, field.name)));
        }
    }
    assert_eq!(schema_version().len(), 16);
}

#[test]
fn every_role_is_told_in_each_form() {
    let (text, page, json) = (schema_text(), schema_markdown(), schema_json());
    let roles = json["roles"].as_array().expect("roles");
    assert_eq!(roles.len(), ROLES.len());
    for (role, told) in ROLES.iter().zip(roles) {
        assert_eq!(told["name"], role.name);
        let may = told["may"].as_array().expect("what it may");
        assert_eq!(may.len(), role.may.len());
        assert!(text.contains(&format!("role {} ({})", role.name, role.title)));
        assert!(page.contains(&format!("### {} (`{}`)", role.title, role.name)));
        for may in may {
            let sentence = may["sentence"].as_str().expect("a sentence");
            assert!(
                text.contains(sentence) && page.contains(sentence),
                "{sentence}"
            );
        }
    }
}

#[test]
fn every_rule_and_watch_is_a_sentence_of_its_own() {
    let mut sentences = Vec::new();
    for kind in KINDS {
        sentences.extend(
            kind.rules
                .iter()
                .map(|rule| (kind.name, rule_sentence(kind, rule))),
        );
        sentences.extend(
            kind.watches
                .iter()
                .map(|watch| (kind.name, watch_sentence(kind, watch))),
        );
    }
    for (_, sentence) in &sentences {
        assert!(
            sentence.ends_with('.') && !sentence.contains('_') && !sentence.contains("  "),
            "{sentence}"
        );
    }
    let distinct = sentences.iter().collect::<BTreeSet<_>>();
    assert_eq!(distinct.len(), sentences.len());
}

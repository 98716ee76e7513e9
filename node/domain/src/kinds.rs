//! The kinds of record, each declared once.

mod codes;
mod group_summary;
mod person;
mod practice;
mod project;
mod project_work;
mod work_group;

pub(crate) use codes::MEMBER_STATUSES;
pub use group_summary::GROUP_SUMMARY;
pub use person::PERSON;
pub use practice::PRACTICE;
pub use project::PROJECT;
pub use project_work::PROJECT_WORK;
pub use work_group::WORK_GROUP;

use crate::declaration::Kind;

/// All kinds that this version declares.
pub const KINDS: [&Kind; 6] = [
    &PROJECT,
    &PROJECT_WORK,
    &WORK_GROUP,
    &GROUP_SUMMARY,
    &PRACTICE,
    &PERSON,
];

/// The kind of that name, if this version declares it.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.into_iter().find(|kind| kind.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declaration::{Check, Class, Field, Form, Merge, Source};

    fn all_fields(kind: &Kind) -> impl Iterator<Item = &'static Field> {
        kind.fields
            .iter()
            .flat_map(|field| std::iter::once(field).chain(field.items().unwrap_or_default()))
    }

    #[test]
    fn declarations_name_only_what_they_declare() {
        for kind in KINDS {
            let named = [&[kind.title_field], kind.columns, kind.searched].concat();
            for name in named {
                assert!(
                    kind.field(name).is_some(),
                    "{} has no field {name}",
                    kind.name
                );
            }
            for field in all_fields(kind) {
                assert!(!field.label.is_empty() && !field.name.contains(['/', '~', '@']));
                if let Merge::State(states) = field.merge {
                    let known = |name| states.iter().any(|state| state.name == name);
                    assert!(
                        states
                            .iter()
                            .all(|state| state.next.iter().all(|next| known(*next)))
                    );
                }
                if let Some(items) = field.items() {
                    assert!(
                        items.iter().all(|item| item.items().is_none()),
                        "nested twice"
                    );
                }
            }
        }
    }

    #[test]
    fn every_merge_type_is_in_use() {
        let mut used = KINDS
            .iter()
            .flat_map(|kind| all_fields(kind))
            .map(|field| match field.merge {
                Merge::Value => 0,
                Merge::Text => 1,
                Merge::List(_) => 2,
                Merge::Set(crate::declaration::Wins::Add) => 3,
                Merge::Set(crate::declaration::Wins::Remove) => 4,
                Merge::Count => 5,
                Merge::Log(_) => 6,
                Merge::State(_) => 7,
                Merge::Places => 8,
            })
            .collect::<Vec<_>>();
        used.sort_unstable();
        used.dedup();
        assert_eq!(used.len(), 9);
    }

    #[test]
    fn personal_data_is_in_cards_alone_and_is_never_published() {
        for kind in KINDS {
            let personal = all_fields(kind).any(|field| field.class == Class::Personal);
            assert_eq!(personal, kind.form == Form::Card, "{}", kind.name);
            let Some(publishing) = kind.publishing else {
                continue;
            };
            let target = super::kind(publishing.to).expect("declared");
            for published in publishing.fields {
                assert!(target.field(published.to).is_some(), "{}", published.to);
                if let Source::Copy(name) = published.from {
                    let field = kind.field(name).expect("declared");
                    assert_eq!(field.class, Class::Shared, "{name}");
                    assert!(
                        field.items().is_none(),
                        "{name} is copied item by item or not at all"
                    );
                    assert!(!matches!(field.check, Check::Reference("person")));
                }
            }
        }
    }
}

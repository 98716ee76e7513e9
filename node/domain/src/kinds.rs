//! The kinds of record, each declared once.

mod codes;
mod commission;
mod forum_thread;
mod group_summary;
mod hub;
mod leader;
mod organisation;
mod partner;
mod person;
mod plan;
mod practice;
mod programme;
mod project;
mod project_work;
mod returns;
mod strategic_group;
mod work_group;

pub(crate) use codes::MEMBER_STATUSES;
pub use codes::OUTCOMES;
pub use commission::COMMISSION;
pub use forum_thread::FORUM_THREAD;
pub use group_summary::GROUP_SUMMARY;
pub use hub::{HUB, HUB_PROFILE};
pub use leader::{LEADER, LEADER_DAYS};
pub use organisation::ORGANISATION;
pub use partner::PARTNER;
pub use person::PERSON;
pub use plan::PLAN;
pub use practice::PRACTICE;
pub use programme::PROGRAMME;
pub use project::PROJECT;
pub use project_work::PROJECT_WORK;
pub use returns::RETURN;
pub use strategic_group::STRATEGIC_GROUP;
pub use work_group::WORK_GROUP;

use crate::declaration::{Form, Kind};

/// All kinds that this version declares: fifteen, of which hubs, leaders and projects have two
/// records each, one for each of those who write them.
pub const KINDS: [&Kind; 18] = [
    &PROGRAMME,
    &HUB,
    &HUB_PROFILE,
    &ORGANISATION,
    &PARTNER,
    &PERSON,
    &LEADER,
    &LEADER_DAYS,
    &STRATEGIC_GROUP,
    &PLAN,
    &COMMISSION,
    &WORK_GROUP,
    &GROUP_SUMMARY,
    &PROJECT,
    &PROJECT_WORK,
    &PRACTICE,
    &RETURN,
    &FORUM_THREAD,
];

/// What stands for every kind that only a newer version declares: none of its fields is known here,
/// and all of them are shown as unknown. It is not among [`KINDS`], and nothing is made of it.
pub const UNKNOWN: Kind = Kind {
    name: "unknown",
    title: "Record of a newer version",
    titles: "Records of a newer version",
    about: "A record of a kind that this version does not know. It is carried unharmed, and is \
            changed by newer versions alone.",
    ..Kind::BASE
};

/// The same of a card.
pub const UNKNOWN_CARD: Kind = Kind {
    name: "unknown card",
    title_field: "name",
    form: Form::Card,
    ..UNKNOWN
};

/// The kind of that name, if this version declares it.
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.into_iter().find(|kind| kind.name == name)
}

/// The kind whose records stand at this address: `work-groups`.
pub fn kind_at(slug: &str) -> Option<&'static Kind> {
    KINDS.into_iter().find(|kind| kind.slug() == slug)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declaration::{
        Agreement, Check, Class, Field, Filled, Merge, Publishing, Rule, Source, Test,
    };

    /// The roles that people have, in hubs and at the coordinator.
    const ROLES: [&str; 14] = [
        "hub lead",
        "assistant hub lead",
        "senior link",
        "administrator",
        "work group lead",
        "strategic group member",
        "chair",
        "participant",
        "operator",
        "regional lead",
        "project lead",
        "analyst",
        "independent evaluator",
        "data protection officer",
    ];

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

    /// Whether a kind has a field, or a list of it the field `list/field`.
    fn has(kind: &Kind, path: &str) -> bool {
        match path.split_once('/') {
            Some((list, name)) => has_items(kind, list, &[name]),
            None => kind.field(path).is_some(),
        }
    }

    fn has_items(kind: &Kind, list: &str, names: &[&str]) -> bool {
        let items = kind.field(list).and_then(Field::items);
        items.is_some_and(|items| {
            let known = |name: &&str| items.iter().any(|item| item.name == *name);
            names.iter().all(known)
        })
    }

    /// Whether a field holds one of these values at all, as a state or a code.
    fn may_be(field: Option<&Field>, values: &[&str]) -> bool {
        field.is_some_and(|field| match (field.merge, field.check) {
            (Merge::State(states), _) => values
                .iter()
                .all(|value| states.iter().any(|state| state.name == *value)),
            (_, Check::OneOf(codes)) => values.iter().all(|value| codes.contains(value)),
            (_, Check::YesNo) => values.iter().all(|value| ["yes", "no"].contains(value)),
            (_, Check::Text(_)) => true,
            (_, _) => false,
        })
    }

    fn item_field(kind: &Kind, list: &str, name: &str) -> Option<&'static Field> {
        let items = kind.field(list)?.items()?;
        items.iter().find(|item| item.name == name)
    }

    #[track_caller]
    fn check_rule(kind: &Kind, rule: &Rule) {
        let right = match *rule {
            Rule::Spends {
                log,
                about,
                field,
                values,
                places,
                count,
                otherwise,
            } => {
                let said = item_field(kind, log, field);
                let places = kind.field(places).map(|field| field.merge);
                has_items(kind, log, &[about])
                    && (count.is_empty() || has_items(kind, log, &[count]))
                    && may_be(said, values)
                    && may_be(said, &[otherwise])
                    && !values.contains(&otherwise)
                    && places == Some(Merge::Places)
            }
            Rule::Needs { state, to, fields } => {
                may_be(kind.field(state), to) && fields.iter().all(|name| has(kind, name))
            }
            Rule::Settled {
                state,
                to,
                fields,
                unless,
            } => {
                may_be(kind.field(state), to)
                    && fields.iter().all(|name| has(kind, name))
                    && kind.field(unless).map(|field| field.check) == Some(Check::YesNo)
            }
            Rule::Locked {
                state,
                when,
                fields,
                proposals,
            } => {
                may_be(kind.field(state), when)
                    && fields.iter().all(|name| has(kind, name))
                    && (proposals.is_empty() || has_items(kind, proposals, &["field", "text"]))
            }
            Rule::OwnerSteps { state, to } => may_be(kind.field(state), to),
            Rule::Kept {
                list,
                fields,
                when: (state, states),
            } => {
                has_items(kind, list, fields)
                    && (state.is_empty() || may_be(kind.field(state), states))
            }
            Rule::Names { list, field, of } => {
                has_items(kind, list, &[field]) && has_items(kind, of, &[])
            }
        };
        assert!(right, "{}: {rule:?}", kind.name);
    }

    #[track_caller]
    fn check_watch(kind: &Kind, test: &Test) {
        let right = match *test {
            Test::Disagree { list, about, field } => {
                has_items(kind, list, about) && has_items(kind, list, &[field])
            }
            Test::Same { list, fields } => has_items(kind, list, fields),
            Test::Exclude {
                log,
                about,
                field,
                values: (one, other),
            } => {
                has_items(kind, log, &[about])
                    && may_be(item_field(kind, log, field), &[one, other])
            }
            Test::Over {
                log,
                sum,
                of: (name, values),
                limit,
            } => {
                has_items(kind, log, &[sum])
                    && may_be(item_field(kind, log, name), values)
                    && has(kind, limit)
            }
            Test::ChangedSince { states } => kind
                .frozen
                .is_some_and(|freezing| may_be(kind.field(freezing.state), states)),
            Test::ChangedWhile {
                list,
                field,
                state,
                states,
            } => has_items(kind, list, &[field]) && may_be(kind.field(state), states),
            Test::Stale { set, text } => {
                let merge = |name| kind.field(name).map(|field| field.merge);
                matches!(merge(set), Some(Merge::Set(_))) && merge(text) == Some(Merge::Text)
            }
            Test::Asked {
                list,
                count,
                answers,
                places,
            } => {
                has_items(kind, list, &[count])
                    && has_items(kind, answers.0, &[answers.1])
                    && has(kind, places)
            }
            Test::Standing {
                state,
                states,
                list,
                of,
            } => {
                let of = Some(of.0).filter(|name| !name.is_empty());
                let of = of.into_iter().collect::<Vec<_>>();
                may_be(kind.field(state), states) && has_items(kind, list, &of)
            }
            Test::SharedWith { fields } => fields.iter().all(|name| has(kind, name)),
            Test::StillReferred {
                field,
                values,
                by,
                kind: other,
                refers,
                standing: (name, standing),
            } => {
                let other = super::kind(other).expect("declared");
                may_be(kind.field(field), values)
                    && (by.is_empty() || has(kind, by))
                    && has(other, refers)
                    && may_be(other.field(name), standing)
            }
            Test::Unsent { field, values } => may_be(kind.field(field), values),
            Test::Differs => true,
        };
        assert!(right, "{}: {test:?}", kind.name);
    }

    #[test]
    fn rules_and_watches_name_only_what_is_declared() {
        for kind in KINDS {
            kind.rules.iter().for_each(|rule| check_rule(kind, rule));
            for watch in kind.watches {
                assert!(!watch.name.is_empty() && !watch.sentence.is_empty());
                check_watch(kind, &watch.test);
            }
            let mut names = kind.watches.iter().map(|it| it.name).collect::<Vec<_>>();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), kind.watches.len(), "{}", kind.name);
        }
    }

    #[test]
    fn copies_rankings_and_dates_name_only_what_is_declared() {
        for kind in KINDS {
            if let Some(freezing) = kind.frozen {
                let parts = ["version", "state", "on", "hash", "content"];
                assert!(may_be(kind.field(freezing.state), freezing.at));
                assert!(has_items(kind, freezing.copies, &parts), "{}", kind.name);
                assert!(freezing.fields.iter().all(|name| has(kind, name)));
                let copies = kind.field(freezing.copies).expect("declared");
                assert_eq!(copies.filled, Filled::ByProgram);
            }
            if let Some(it) = kind.ranking {
                assert!(has_items(kind, it.list, &[]));
                assert!(has_items(kind, it.scores, &[it.about, it.by, it.score]));
                assert!(has_items(kind, it.decisions, &["about", "outcome", "on"]));
            }
            for it in kind.counted {
                assert!(has(kind, it.field) && has(kind, it.by), "{}", kind.name);
                let others = super::kind(it.kind).expect("declared");
                let (list, inner) = it.refers.split_once('/').unwrap_or((it.refers, ""));
                let inner = Some(inner).filter(|inner| !inner.is_empty());
                let inner = inner.into_iter().collect::<Vec<_>>();
                assert!(inner.is_empty() || has_items(others, list, &inner));
                assert!(has(others, list) && has(others, it.standing.0));
            }
            if let Some(it) = kind.dated {
                let parts = [it.date, it.start, it.venue, it.state];
                assert!(has_items(kind, it.list, &parts), "{}", kind.name);
                assert!(may_be(item_field(kind, it.list, it.state), &["cancelled"]));
            }
            if let Some(released) = kind.released {
                let (text, set) = released.endorsed;
                let named = [released.fields, &[text, set]].concat();
                assert!(named.iter().all(|name| has(kind, name)), "{}", kind.name);
                assert!(kind.frozen.is_some(), "what is released is a kept copy");
            }
        }
    }

    #[test]
    fn keys_filters_forks_and_those_concerned_name_only_what_is_declared() {
        for kind in KINDS {
            let named = [kind.key, kind.filtered, kind.fork, kind.concerns.persons].concat();
            for name in named {
                assert!(has(kind, name), "{} has no field {name}", kind.name);
            }
            for name in kind.concerns.persons {
                let field = match name.split_once('/') {
                    Some((list, name)) => item_field(kind, list, name),
                    None => kind.field(name),
                };
                let check = field.map(|field| field.check);
                assert_eq!(check, Some(Check::Reference("person")), "{}", kind.name);
            }
            for role in kind.concerns.roles {
                assert!(ROLES.contains(role), "{}: nobody is a {role}", kind.name);
            }
            for field in all_fields(kind) {
                if let Check::Reference(what) = field.check {
                    assert!(super::kind(what).is_some(), "{}", field.name);
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

    fn check_publishing(kind: &Kind, publishing: &Publishing) {
        let target = super::kind(publishing.to).expect("declared");
        assert!(kind.spaces.contains(&publishing.stage.from));
        assert!(target.spaces.contains(&publishing.stage.into));
        let wished = matches!(publishing.agreement, Agreement::OptIn(_));
        let right = |field: &Field| {
            let personal = wished && field.class == Class::Personal;
            assert!(field.class == Class::Shared || personal, "{}", field.name);
            assert!(!matches!(field.check, Check::Reference("person")));
        };
        for published in publishing.fields {
            assert!(target.field(published.to).is_some(), "{}", published.to);
            match published.from {
                Source::Copy(name) => {
                    let field = kind.field(name).expect("declared");
                    right(field);
                    assert!(
                        field.items().is_none(),
                        "{name} is copied item by item or not at all"
                    );
                }
                Source::Items(list, names) => {
                    let list = kind.field(list).expect("declared");
                    right(list);
                    let items = list.items().expect("a list");
                    for name in names {
                        right(items.iter().find(|it| it.name == *name).expect("declared"));
                    }
                }
                Source::FirstMadeBy(name) => assert!(has(kind, name)),
                Source::FrozenHash => assert!(kind.frozen.is_some()),
                Source::CountItems { list, field, value } => {
                    assert!(may_be(item_field(kind, list, field), &[value]));
                }
                Source::CountLatest {
                    log,
                    about,
                    field,
                    value,
                } => {
                    assert!(has_items(kind, log, &[about]));
                    assert!(may_be(item_field(kind, log, field), &[value]));
                }
                Source::Means { list, by, field } => assert!(has_items(kind, list, &[by, field])),
                Source::Schools { list, log } => {
                    assert!(has_items(kind, list, &["urn", "organisation"]));
                    assert!(has_items(kind, log, &["member", "status", "as_at"]));
                }
            }
        }
        for limit in publishing.limits {
            assert!(has_items(kind, limit.list, &[limit.field]));
        }
        if let Agreement::OptIn(name) = publishing.agreement {
            assert_eq!(kind.field(name).map(|it| it.check), Some(Check::Consent));
        }
        assert!(publishing.states.is_empty() || may_be(kind.field("state"), publishing.states));
    }

    #[test]
    fn whatever_people_fill_in_stands_in_one_section_and_none_is_longer_than_eight() {
        for kind in KINDS {
            let mut named = Vec::new();
            let mut addresses = Vec::new();
            for section in kind.sections {
                addresses.push(section.slug());
                assert!((1..=8).contains(&section.fields.len()), "{}", section.title);
                for name in section.fields {
                    let field = kind.field(name).expect("declared");
                    let alone = field.items().is_none() || section.fields.len() == 1;
                    assert!(alone, "{}: {name} stands by itself", kind.name);
                    assert!(!named.contains(name), "{}: {name} twice", kind.name);
                    named.push(*name);
                }
            }
            for field in kind.fields {
                let shown = named.contains(&field.name) || field.filled != Filled::ByPerson;
                assert!(shown, "{}: {} is in no section", kind.name, field.name);
            }
            let first = kind.sections[0].fields;
            assert!(first.contains(&kind.title_field), "{}", kind.name);
            let found = KINDS.iter().filter(|it| it.slug() == kind.slug()).count();
            assert_eq!(found, 1, "{}", kind.slug());
            addresses.sort_unstable();
            addresses.dedup();
            assert_eq!(addresses.len(), kind.sections.len(), "{}", kind.name);
        }
    }

    #[test]
    fn personal_data_is_in_cards_alone_and_is_never_published() {
        for kind in KINDS {
            let personal = all_fields(kind).any(|field| field.class == Class::Personal);
            assert!(!personal || kind.form == Form::Card, "{}", kind.name);
            for publishing in kind.publishing {
                check_publishing(kind, publishing);
            }
        }
    }
}

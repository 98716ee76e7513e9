//! States and their steps.

use node_document::{Value, Version, View};

use crate::declaration::State;

/// What the concurrent versions of a state come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// One state: it is the only one, or whoever wrote it came through the others.
    One(String),
    /// States that cannot both hold; the last is shown until a person chooses.
    Several(Vec<String>),
}

impl Standing {
    /// What the state at `path` comes to.
    pub(crate) fn read(states: &[State], view: &View<'_>, path: &[&str]) -> Self {
        // What stood before matters only where there are several.
        match view.values(path).as_slice() {
            [] => Self::One(first(states)),
            [value] => Self::One(value.as_str().unwrap_or_default().to_owned()),
            [..] => Self::of(states, &view.versions(path)),
        }
    }

    /// What `versions` come to, the last of which a document would show.
    pub(crate) fn of(states: &[State], versions: &[Version]) -> Self {
        let name = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let names = versions
            .iter()
            .map(|version| name(&version.value))
            .collect::<Vec<_>>();
        let Some(last) = names.last() else {
            return Self::One(first(states));
        };
        if names.iter().all(|name| name == last) {
            return Self::One(last.clone());
        }
        // Two steps both hold if one of them starts where the other ends.
        let furthest = versions.iter().find(|candidate| {
            versions.iter().all(|other| {
                other.value == candidate.value || candidate.before.contains(&other.value)
            })
        });
        furthest.map_or(Self::Several(names), |version| {
            Self::One(name(&version.value))
        })
    }

    /// The state that is shown.
    pub(crate) fn shown(&self) -> &str {
        match self {
            Self::One(name) => name,
            Self::Several(names) => names.last().map_or("", String::as_str),
        }
    }
}

/// The first state.
pub(crate) fn first(states: &[State]) -> String {
    states
        .first()
        .map_or_else(String::new, |state| state.name.to_owned())
}

/// Whether a step leads from one state to the other.
pub(crate) fn allowed(states: &[State], from: &str, to: &str) -> bool {
    next(states, from).contains(&to)
}

/// Whether the step that made a version is allowed from something that stood before it. A newer
/// list of states is not judged by an older one.
pub(crate) fn may_follow(states: &[State], version: &Version) -> bool {
    let to = version.value.as_str().unwrap_or_default();
    let from = |before: &Value| {
        *before == version.value || allowed(states, before.as_str().unwrap_or_default(), to)
    };
    let known = states.iter().any(|state| state.name == to);
    !known || version.before.is_empty() || version.before.iter().any(from)
}

/// Whether steps lead from one state to the other, through whatever lies between.
pub(crate) fn leads(states: &[State], from: &str, to: &str) -> bool {
    let mut reached = vec![from];
    let mut at = 0;
    while let Some(state) = reached.get(at).copied() {
        for following in next(states, state) {
            if !reached.contains(following) {
                reached.push(following);
            }
        }
        at += 1;
    }
    reached.contains(&to)
}

/// The states that may follow one.
pub(crate) fn next<'a>(states: &'a [State], from: &str) -> &'a [&'static str] {
    states
        .iter()
        .find(|state| state.name == from)
        .map_or(&[], |state| state.next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::declaration::state;
    use node_document::Authorship;
    use node_feed::{FeedName, HubId};

    const STATES: &[State] = &[
        state("draft", &["submitted"]),
        state("submitted", &["returned", "agreed"]),
        state("returned", &["submitted"]),
        state("agreed", &[]),
    ];

    #[track_caller]
    fn check(steps: &[(&str, &str)], expected: Standing) {
        let author = Authorship {
            time_ms: 0,
            hub: HubId::from_bytes([0; 8]),
            writer: [0; 32],
            feed: FeedName::from_bytes([0; 32]),
            number: 0,
        };
        let versions = steps.iter().map(|(before, value)| Version {
            value: (*value).into(),
            author,
            before: vec![(*before).into()],
        });
        assert_eq!(
            Standing::of(STATES, &versions.collect::<Vec<_>>()),
            expected
        );
    }

    #[test]
    fn steps_one_after_the_other_both_hold_and_steps_apart_are_left_to_a_person() {
        let one = |name: &str| Standing::One(name.to_owned());
        let both = |a: &str, b: &str| Standing::Several(vec![a.to_owned(), b.to_owned()]);
        check(&[], one("draft"));
        check(
            &[("submitted", "agreed"), ("submitted", "agreed")],
            one("agreed"),
        );
        check(
            &[("submitted", "agreed"), ("draft", "submitted")],
            one("agreed"),
        );
        check(
            &[("submitted", "agreed"), ("submitted", "returned")],
            both("agreed", "returned"),
        );
    }
}

//! A project's hubs beside each other, for those who see the whole of it. Never a person.

use std::collections::BTreeMap;

use maud::{Markup, html};
use node_domain::{Duty, OUTCOMES};
use serde_json::Value;

use crate::records::{Desk, RecordsError};
use crate::web::{parts, words};

/// What the hubs of a project shared of it, hub by hub.
pub(super) struct Compared {
    told: Value,
    /// The names of the hubs by their codes.
    names: BTreeMap<String, String>,
}

impl Compared {
    /// Compares the hubs of a project, if the role sees all that this is made of.
    pub(super) fn of(desk: &Desk, id: &str) -> Result<Option<Self>, RecordsError> {
        if !desk.has(Duty::Reports) {
            return Ok(None);
        }
        let told = match desk.report("comparison", id, "") {
            Ok(told) => told,
            Err(RecordsError::Role(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let codes = lines(&told).map(|line| text(line, "hub").to_owned());
        let names = codes.map(|code| (code.clone(), desk.hub_name(&code)));
        let names = names.collect();
        Ok(Some(Self { told, names }))
    }

    pub(super) fn section(&self) -> Markup {
        html! {
            h2 #compared { "The hubs compared" }
            p #compared-in-short { (self.in_short()) }
            @if lines(&self.told).next().is_some() {
                div #compared-groups { (self.groups()) }
                (self.outcomes())
                (self.adaptations())
                (self.against())
            }
        }
    }

    fn in_short(&self) -> String {
        let hubs = lines(&self.told).count() as u64;
        if hubs == 0 {
            return "No hub takes part yet.".to_owned();
        }
        let silent = lines(&self.told).filter(|line| number(line, "groups") == 0);
        let silent = silent.count() as u64;
        let sum = |name: &str| {
            lines(&self.told)
                .map(|line| number(line, name))
                .sum::<u64>()
        };
        let mut said = format!(
            "{} of {} shared {}, with {} held and {} reached.",
            words::number(hubs - silent),
            words::counted(hubs, "hub", "hubs"),
            words::counted(sum("groups"), "group", "groups"),
            words::counted(sum("sessions_held"), "session", "sessions"),
            words::counted(number(&self.told, "schools"), "school", "schools"),
        );
        let disputed = self.told["disputed"].as_array().map_or(0, Vec::len);
        if disputed > 0 {
            said.push_str(&format!(
                " The hubs disagree on {}.",
                words::counted(disputed as u64, "finding", "findings")
            ));
        }
        said
    }

    /// Who shared nothing has no numbers, which is not the same as nothing held.
    fn groups(&self) -> Markup {
        let rows = lines(&self.told).map(|line| {
            let shared = number(line, "groups");
            let status = text(line, "status");
            let told = |name: &str| {
                html! { @if shared > 0 { (words::number(number(line, name))) } @else { "Not told" } }
            };
            vec![
                html! { (self.name(line)) },
                html! { @if status.is_empty() { "Not taking part" } @else { (words::capital(status)) } },
                html! { @match line["quota"].as_u64() { Some(quota) => (words::number(quota)), None => "Not said" } },
                html! { (words::number(shared)) },
                told("sessions_held"),
                told("schools"),
            ]
        });
        let heads = [
            ("Hub", false),
            ("Status", false),
            ("Groups planned", true),
            ("Groups shared", true),
            ("Sessions held", true),
            ("Schools reached", true),
        ];
        let rows = rows.collect::<Vec<_>>();
        parts::table("Groups and sessions, hub by hub", &heads, &rows)
    }

    fn outcomes(&self) -> Markup {
        let rated = lines(&self.told).filter(|line| list(line, "outcomes").next().is_some());
        let rows = rated.map(|line| {
            let means = OUTCOMES.iter().map(|outcome| {
                let mut all = list(line, "outcomes");
                let mean = all.find(|it| text(it, "outcome") == *outcome);
                html! {
                    @if let Some(mean) = mean {
                        (hundredths(number(mean, "mean")))
                        " " span.soft { "of " (words::counted(number(mean, "ratings"), "rating", "ratings")) }
                    } @else { "Not rated" }
                }
            });
            std::iter::once(html! { (self.name(line)) }).chain(means).collect::<Vec<_>>()
        });
        let rows = rows.collect::<Vec<_>>();
        let titles = OUTCOMES.iter().map(|outcome| words::capital(outcome));
        let titles = titles.collect::<Vec<_>>();
        let heads = std::iter::once(("Hub", false));
        let heads = heads.chain(titles.iter().map(|title| (title.as_str(), true)));
        html! {
            @if rows.is_empty() {
                (parts::empty("No hub has shared a rating of what changed."))
            } @else {
                div #compared-outcomes {
                    (parts::table("What changed: mean ratings, from 1 to 4", &heads.collect::<Vec<_>>(), &rows))
                }
            }
        }
    }

    fn adaptations(&self) -> Markup {
        let adapted = lines(&self.told).filter(|line| list(line, "adaptations").next().is_some());
        let adapted = adapted.collect::<Vec<_>>();
        html! {
            h3 { "How hubs adapted it" }
            @if adapted.is_empty() { p { "No hub has told of an adaptation." } } @else {
                ul #compared-adaptations {
                    @for line in adapted {
                        @let told = list(line, "adaptations").filter_map(Value::as_str);
                        li { strong { (self.name(line)) } ": " (told.collect::<Vec<_>>().join("; ")) }
                    }
                }
            }
        }
    }

    fn against(&self) -> Markup {
        let against = lines(&self.told).filter(|line| list(line, "against").next().is_some());
        let against = against.collect::<Vec<_>>();
        html! {
            @if !against.is_empty() {
                h3 { "Which hubs disagree" }
                ul #compared-against {
                    @for line in against {
                        @for claim in list(line, "against").filter_map(Value::as_str) {
                            li { strong { (self.name(line)) } " speaks against: " (claim) }
                        }
                    }
                }
                p { "Their reasons stand beside each finding below." }
            }
        }
    }

    fn name<'a>(&'a self, line: &'a Value) -> &'a str {
        let code = text(line, "hub");
        self.names.get(code).map_or(code, String::as_str)
    }
}

fn lines(told: &Value) -> impl Iterator<Item = &Value> {
    list(told, "hubs")
}

fn list<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value[name].as_array().into_iter().flatten()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or_default()
}

/// Hundredths as a number with one place.
fn hundredths(mean: u64) -> String {
    let tenths = (mean + 5) / 10;
    format!("{}.{}", tenths / 10, tenths % 10)
}

//! The controls of a form, by what a field holds.

use jiff::civil::Date;
use maud::{Markup, html};
use node_domain::{Check, Field, Filled, Merge, Object, Problem, Section, Wins};
use serde_json::Value;

use super::choices::{Offered, states};
use super::{Choices, Opened, as_typed};
use crate::web::{Form, parts, words};

/// Up to so many codes are all shown; more are in a list that opens.
const RADIOS_MAX: usize = 5;
/// Longer texts have several lines.
const LINE_CHARACTERS_MAX: usize = 300;
/// The years that a form offers before and after this one.
const YEARS: i16 = 3;

/// What the controls of a form are filled with.
#[derive(Debug, Clone, Copy)]
pub struct Filling<'a> {
    /// What stands in the record or item.
    pub standing: &'a Object,
    /// What was typed, if the form comes back.
    pub typed: Option<&'a Form>,
    /// What is wrong with it.
    pub problems: &'a [Problem],
    /// What may be chosen.
    pub choices: &'a Choices,
    /// Whether the record or item is new, so that a state may be any.
    pub new: bool,
    /// The day, such as `2026-11-26`.
    pub today: &'a str,
}

/// The fields of a section that the role fills in, in its order.
pub fn fields_of(record: &Opened, section: &Section) -> Vec<&'static Field> {
    let fields = section.fields.iter();
    let fields = fields.filter_map(|name| record.kind.field(name));
    fields.filter(|field| record.writes(field)).collect()
}

/// What is wrong with a field, whatever the path by which it is named.
pub fn problem_of<'a>(problems: &'a [Problem], field: &Field) -> Option<&'a str> {
    let label = format!("'{}'", field.label);
    let named = |problem: &&Problem| problem.field.rsplit('/').next() == Some(field.name);
    let told = |problem: &&Problem| problem.message.starts_with(&label);
    let found = problems.iter().find(named);
    let found = found.or_else(|| problems.iter().find(told));
    found.map(|problem| problem.message.as_str())
}

/// Problems with the names of the form's fields, so that each stands beside its own.
pub fn placed(problems: &[Problem], fields: &[&'static Field]) -> Vec<Problem> {
    let place = |problem: &Problem| {
        let one = std::slice::from_ref(problem);
        let field = fields.iter().find(|field| problem_of(one, field).is_some());
        Problem {
            field: field.map_or_else(String::new, |field| field.name.to_owned()),
            message: problem.message.clone(),
        }
    };
    problems.iter().map(place).collect()
}

/// Where a record says something else now than was typed: "“Venue” says “Hall” now."
pub fn now_says(record: &Opened, fields: &[&'static Field], typed: &Form) -> Vec<String> {
    let differs = fields.iter().filter_map(|field| {
        let now = record.value(field.name);
        let found = typed.find(field.name)?;
        let stands = as_typed(field, now);
        let differs = stands.trim().replace('\r', "") != found.trim();
        let plain = matches!(field.merge, Merge::Value | Merge::Text | Merge::State(_));
        (plain && differs).then(|| {
            let words = super::words_of(field, now, &record.names);
            match words.as_str() {
                "" => format!("“{}” is empty now.", field.label),
                words => format!("“{}” says “{words}” now.", field.label),
            }
        })
    });
    differs.collect()
}

/// A field's control with its label, help and what is wrong with it.
pub fn control(field: &'static Field, filling: &Filling<'_>) -> Markup {
    if field.filled != Filled::ByPerson {
        return html! {};
    }
    let (name, help) = (field.name, field.help);
    let label = if field.required {
        field.label.to_owned()
    } else {
        format!("{} (optional)", field.label)
    };
    let label = label.as_str();
    let problem = problem_of(filling.problems, field);
    let standing = filling.standing.get(name).unwrap_or(&Value::Null);
    let typed = filling.typed.and_then(|form| form.find(name));
    let text = typed.map_or_else(|| as_typed(field, standing), str::to_owned);
    let text = text.as_str();
    match field.merge {
        Merge::State(_) => return state(field, filling, standing, text, problem),
        Merge::Set(wins) => return set(field, wins, filling, standing, problem),
        Merge::Count => return count(field, standing, text, problem),
        Merge::Places => return places(field, filling, text, problem),
        Merge::Text => return parts::text_area(name, label, help, text, problem),
        Merge::List(_) | Merge::Log(_) => return html! {},
        Merge::Value => {}
    }
    if let Some(offered) = filling.choices.get(name) {
        return reference(field, label, offered, text, problem);
    }
    match field.check {
        Check::OneOf(codes) => one_of(field, label, codes, text, problem),
        Check::YesNo | Check::Consent => {
            let mut options = vec![option("yes", "Yes"), option("no", "No")];
            if !field.required && field.check == Check::YesNo {
                options.push(option("", "Not said"));
            }
            parts::radios(name, field.label, help, &options, text, problem)
        }
        Check::Date => parts::typed_input("date", name, label, help, text, problem),
        Check::Time => parts::typed_input("time", name, label, help, text, problem),
        Check::AcademicYear => {
            let options = years(filling.today, text, field.required);
            parts::select(name, label, help, &options, text, problem)
        }
        Check::Email => parts::typed_input("email", name, label, help, text, problem),
        Check::Number(..) => short(name, label, help, text, problem, "numeric"),
        Check::Urn => {
            let help = joined(help, "Six digits.");
            short(name, label, &help, text, problem, "numeric")
        }
        Check::Urns => {
            let help = joined(help, "Numbers of six digits, with spaces between them.");
            parts::text_input(name, label, &help, text, problem)
        }
        Check::Pence(..) => {
            let help = joined(help, "In pounds, for example 1,250.50");
            short(name, label, &help, text, problem, "decimal")
        }
        Check::Text(most) if most > LINE_CHARACTERS_MAX => {
            parts::text_area(name, label, help, text, problem)
        }
        Check::Text(_) | Check::Reference(_) => parts::text_input(name, label, help, text, problem),
    }
}

fn option(value: &str, label: &str) -> (String, String) {
    (value.to_owned(), label.to_owned())
}

fn joined(help: &str, more: &str) -> String {
    if help.is_empty() {
        return more.to_owned();
    }
    format!("{help} {more}")
}

fn short(
    name: &str,
    label: &str,
    help: &str,
    text: &str,
    problem: Option<&str>,
    mode: &str,
) -> Markup {
    let id = parts::field_id(name);
    let control = html! {
        input.short type="text" inputmode=(mode) id=(id) name=(name) value=(text) autocomplete="off"
            aria-describedby=[parts::described_by(&id, help, problem)]
            aria-invalid=[problem.map(|_| "true")];
    };
    parts::input(name, label, help, problem, &control)
}

fn one_of(field: &Field, label: &str, codes: &[&str], text: &str, problem: Option<&str>) -> Markup {
    let mut options = codes.iter().map(|code| option(code, &words::capital(code)));
    let mut options = options.by_ref().collect::<Vec<_>>();
    if !text.is_empty() && !codes.contains(&text) {
        options.push(option(text, &words::capital(text)));
    }
    if options.len() <= RADIOS_MAX {
        if !field.required {
            options.push(option("", "Not said"));
        }
        return parts::radios(field.name, field.label, field.help, &options, text, problem);
    }
    options.insert(0, option("", "Choose"));
    parts::select(field.name, label, field.help, &options, text, problem)
}

fn state(
    field: &Field,
    filling: &Filling<'_>,
    standing: &Value,
    text: &str,
    problem: Option<&str>,
) -> Markup {
    let stands = if filling.new {
        ""
    } else {
        standing.as_str().unwrap_or_default()
    };
    let options = states(field, stands);
    let chosen = if text.is_empty() {
        options.first().map_or("", |(value, _)| value.as_str())
    } else {
        text
    };
    let help = if options.len() == 1 {
        joined(field.help, "Nothing follows this.")
    } else {
        field.help.to_owned()
    };
    parts::radios(field.name, field.label, &help, &options, chosen, problem)
}

fn set(
    field: &Field,
    wins: Wins,
    filling: &Filling<'_>,
    standing: &Value,
    problem: Option<&str>,
) -> Markup {
    let stands = standing.as_array().into_iter().flatten();
    let stands = stands.filter_map(Value::as_str).collect::<Vec<_>>();
    let typed = filling
        .typed
        .map(|form| form.all(field.name).collect::<Vec<_>>());
    if let Check::OneOf(codes) = field.check {
        let chosen = typed.unwrap_or_else(|| stands.clone());
        let id = parts::field_id(field.name);
        let mut all = codes.to_vec();
        all.extend(stands.iter().filter(|code| !codes.contains(code)));
        return html! {
            fieldset class=(if problem.is_some() { "field field-wrong" } else { "field" }) id=(id)
                aria-describedby=[parts::described_by(&id, field.help, problem)] {
                legend { (field.label) }
                @if !field.help.is_empty() { p.field-help id={ (id) "-help" } { (field.help) } }
                @if let Some(problem) = problem {
                    p.field-problem id={ (id) "-problem" } { (problem) }
                }
                input type="hidden" name={ (field.name) "-shown" } value="1";
                @for code in &all {
                    (parts::checkbox(field.name, code, &words::capital(code), chosen.contains(code)))
                }
            }
        };
    }
    let text = typed.map_or_else(|| stands.join("\n"), |lines| lines.join("\n"));
    let what = match wins {
        Wins::Add => "One on each line.",
        Wins::Remove => "One on each line. What one person takes out stays out.",
    };
    let help = joined(field.help, what);
    let label = format!("{} (optional)", field.label);
    parts::text_area(field.name, &label, &help, &text, problem)
}

fn count(field: &Field, standing: &Value, text: &str, problem: Option<&str>) -> Markup {
    let stands = standing.as_i64().unwrap_or_default();
    let label = format!("Add to {}", field.label.to_lowercase());
    let now = format!("It stands at {stands}. Write how many more; a minus takes some away.");
    let help = joined(field.help, &now);
    short(field.name, &label, &help, text, problem, "numeric")
}

fn places(field: &Field, filling: &Filling<'_>, text: &str, problem: Option<&str>) -> Markup {
    if filling.new {
        return short(
            field.name,
            field.label,
            field.help,
            text,
            problem,
            "numeric",
        );
    }
    let stands = filling.standing.get(field.name).unwrap_or(&Value::Null);
    let issued = stands["issued"].as_i64().unwrap_or_default();
    let label = format!("More {}", field.label.to_lowercase());
    let now = format!("There are {issued}. Write how many more there are to be.");
    let help = joined(field.help, &now);
    short(field.name, &label, &help, text, problem, "numeric")
}

/// A record to choose: from a list, or from what was looked for.
fn reference(
    field: &Field,
    label: &str,
    offered: &Offered,
    chosen: &str,
    problem: Option<&str>,
) -> Markup {
    let name = field.name;
    let Some(looked_for) = &offered.words else {
        let mut options = offered.options.clone();
        options.insert(0, option("", "Choose"));
        return parts::select(name, label, field.help, &options, chosen, problem);
    };
    let kind = if let Check::Reference(kind) = field.check {
        kind
    } else {
        ""
    };
    let find = format!("find-{name}");
    html! {
        div.pick data-pick={ "/pick/" (kind) "?name=" (name) } {
            fieldset class=(if problem.is_some() { "field field-wrong" } else { "field" }) {
                legend { (label) }
                @if !field.help.is_empty() { p.field-help { (field.help) } }
                @if let Some(problem) = problem {
                    p.field-problem { span.hidden { "Error: " } (problem) }
                }
                div.pick-search {
                    label.hidden for=(parts::field_id(&find)) { "Look for: " (field.label) }
                    input type="search" id=(parts::field_id(&find)) name=(find) value=(looked_for)
                        placeholder="Part of the name" autocomplete="off";
                    button.button.button-plain type="submit" name="find" value=(name) formnovalidate {
                        "Find"
                    }
                }
                div.pick-found id=(parts::field_id(name)) aria-live="polite" {
                    (found(name, &offered.options, chosen, looked_for))
                }
            }
        }
    }
}

/// The records that were found, to choose one of.
pub(crate) fn found(
    name: &str,
    options: &[(String, String)],
    chosen: &str,
    looked_for: &str,
) -> Markup {
    html! {
        @if options.is_empty() {
            p.soft {
                @if looked_for.is_empty() { "Write part of the name, and choose from what is found." }
                @else { "Nothing was found for “" (looked_for) "”." }
            }
        }
        @for (value, label) in options {
            @let id = parts::field_id(&format!("{name}-{value}"));
            div.choice {
                input type="radio" id=(id) name=(name) value=(value) checked[value == chosen];
                label for=(id) { (label) }
            }
        }
        @if !chosen.is_empty() {
            @let id = parts::field_id(&format!("{name}-none"));
            div.choice {
                input type="radio" id=(id) name=(name) value="";
                label for=(id) { "Nobody or none" }
            }
        }
    }
}

/// The academic years around today, and what stands there.
fn years(today: &str, standing: &str, required: bool) -> Vec<(String, String)> {
    let today = today.parse::<Date>().ok();
    let began = today.map_or(2026, |day| day.year() - i16::from(day.month() < 9));
    let year = |from: i16| format!("{from}-{:02}", (from + 1) % 100);
    let mut years = (began - YEARS..=began + YEARS)
        .map(year)
        .collect::<Vec<_>>();
    if !standing.is_empty() && !years.iter().any(|year| year == standing) {
        years.insert(0, standing.to_owned());
    }
    let mut options = years
        .iter()
        .map(|year| option(year, year))
        .collect::<Vec<_>>();
    let none = if required { "Choose" } else { "Not said" };
    options.insert(0, option("", none));
    options
}

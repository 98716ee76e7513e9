//! Rules, watches and all that holds of a kind as a whole, as sentences.

use super::words::{all, any};
use crate::declaration::{
    Agreement, Dated, Freezing, Kind, Publishing, Ranking, Released, Rule, Source, Test, Watch,
};
use crate::kinds::kind as kind_of_name;

/// A rule as a sentence.
pub fn rule_sentence(kind: &Kind, rule: &Rule) -> String {
    let called = |name: &str| called(kind, name);
    let said = |names: &[&str]| any(&quoted(names));
    match *rule {
        Rule::Spends {
            log,
            about,
            field,
            values,
            places,
            count,
            otherwise,
        } => {
            let how_many = if count.is_empty() {
                "one place".to_owned()
            } else {
                format!(
                    "as many places as its {} says",
                    item_called(kind, log, count)
                )
            };
            format!(
                "In {}, bringing a {} to {} in {} takes {how_many} of {}, and away from it gives \
                 them back. Where there is none, '{otherwise}' is written instead.",
                called(log),
                item_label(kind, log, about).to_lowercase(),
                said(values),
                item_called(kind, log, field),
                called(places),
            )
        }
        Rule::Needs { state, to, fields } => format!(
            "{} can become {} only when {} {} filled in.",
            called(state),
            said(to),
            labels(kind, fields),
            is_or_are(fields),
        ),
        Rule::Settled {
            state,
            to,
            fields,
            unless,
        } => format!(
            "{} can become {} only when a person has settled the versions of {}, or {} says yes.",
            called(state),
            said(to),
            labels(kind, fields),
            called(unless),
        ),
        Rule::Locked {
            state,
            when,
            fields,
            proposals,
        } => {
            let instead = if proposals.is_empty() {
                "cannot be changed".to_owned()
            } else {
                format!(
                    "cannot be changed: a change becomes an item of {}",
                    called(proposals)
                )
            };
            format!(
                "While {} is {}, {} {instead}.",
                called(state),
                said(when),
                labels(kind, fields)
            )
        }
        Rule::OwnerSteps { state, to } => {
            format!(
                "Only the record's owner brings {} to {}.",
                called(state),
                said(to)
            )
        }
        Rule::Kept {
            list,
            fields,
            when: (state, states),
        } => {
            let an = if state.is_empty() {
                "An".to_owned()
            } else {
                format!("While {} is {}, an", called(state), said(states))
            };
            let fields = fields.iter().map(|field| item_called(kind, list, field));
            let fields = fields.collect::<Vec<_>>();
            format!(
                "{an} item of {} keeps its {} once it is there; a change is a new item.",
                called(list),
                all(&fields)
            )
        }
        Rule::Names { list, field, of } => format!(
            "In {}, {} names an item of {} that is there.",
            called(list),
            item_called(kind, list, field),
            called(of),
        ),
    }
}

/// When a watch is raised, as a sentence.
pub fn watch_sentence(kind: &Kind, watch: &Watch) -> String {
    format!(
        "Raised as \u{201c}{}\u{201d} {}.",
        watch.sentence,
        test(kind, &watch.test)
    )
}

fn test(kind: &Kind, test: &Test) -> String {
    let called = |name: &str| called(kind, name);
    let said = |names: &[&str]| any(&quoted(names));
    let of_items = |list: &str, names: &[&str]| {
        let names = names.iter().map(|name| item_called(kind, list, name));
        all(&names.collect::<Vec<_>>())
    };
    match *test {
        Test::Disagree { list, about, field } => format!(
            "when two items of {} agree in {} and differ in {}",
            called(list),
            of_items(list, about),
            item_called(kind, list, field),
        ),
        Test::Same { list, fields } => {
            format!(
                "when two items of {} agree in {}",
                called(list),
                of_items(list, fields)
            )
        }
        Test::Exclude {
            log,
            about,
            field,
            values: (one, other),
        } => format!(
            "when {} says '{one}' and '{other}' in {} of the same {}",
            called(log),
            item_called(kind, log, field),
            item_label(kind, log, about).to_lowercase(),
        ),
        Test::Over {
            log,
            sum,
            of: (field, values),
            limit,
        } => format!(
            "when {} in {}, where {} is {}, comes to more than {}",
            item_called(kind, log, sum),
            called(log),
            item_called(kind, log, field),
            said(values),
            called(limit),
        ),
        Test::ChangedSince { states } => format!(
            "when the record is {} and no longer says what its latest kept copy says",
            said(states)
        ),
        Test::ChangedWhile {
            list,
            field,
            state,
            states,
        } => format!(
            "when {} of an item of {} was written again while {} was {}",
            item_called(kind, list, field),
            called(list),
            called(state),
            said(states),
        ),
        Test::Stale { set, text } => format!(
            "when an element of {} was put in while {} had another wording",
            called(set),
            called(text)
        ),
        Test::Asked {
            list,
            count,
            answers: (answers, _),
            places,
        } => format!(
            "when several of {} have no entry in {} and {} in them comes to more than is left of {}",
            called(list),
            called(answers),
            item_called(kind, list, count),
            called(places),
        ),
        Test::Standing {
            state,
            states,
            list,
            of: (field, values),
        } => {
            let items = if values.is_empty() {
                String::new()
            } else {
                format!(
                    " where {} is {}",
                    item_called(kind, list, field),
                    said(values)
                )
            };
            format!(
                "when {} is {} while {} has items{items}",
                called(state),
                said(states),
                called(list)
            )
        }
        Test::SharedWith { fields } => {
            format!(
                "when another record of this kind has the same {}",
                labels(kind, fields)
            )
        }
        Test::StillReferred {
            field,
            values,
            by,
            kind: other,
            refers,
            standing,
        } => {
            let (standing, states) = standing;
            let what = if by.is_empty() {
                "this record".to_owned()
            } else {
                format!("this record's {}", called(by))
            };
            let (other, refers, standing) = match kind_of_name(other) {
                Some(other) => (
                    other.title.to_lowercase(),
                    self::called(other, refers),
                    self::called(other, standing),
                ),
                None => (other.to_owned(), refers.to_owned(), standing.to_owned()),
            };
            format!(
                "when {} is {}, and {refers} of a {other} whose {standing} is {} is still {what}",
                called(field),
                said(values),
                said(states),
            )
        }
        Test::Unsent { field, values } => format!(
            "when {} is {} while this node holds changes that were not sent",
            called(field),
            said(values)
        ),
        Test::Differs => {
            "when its cells are not what the published group summaries come to".to_owned()
        }
    }
}

pub(super) fn freezing(kind: &Kind, freezing: &Freezing) -> String {
    let what = if freezing.fields.is_empty() {
        "the whole record".to_owned()
    } else {
        labels(kind, freezing.fields)
    };
    format!(
        "When {} becomes {}, a copy of {what} is kept for good in {}, with its hash.",
        called(kind, freezing.state),
        any(&quoted(freezing.at)),
        called(kind, freezing.copies),
    )
}

pub(super) fn ranking(kind: &Kind, ranking: &Ranking) -> String {
    format!(
        "{} are put into order by {} of {}, the latest of each {} counting; confirming the order \
         is noted in {}.",
        called(kind, ranking.list),
        item_called(kind, ranking.scores, ranking.score),
        called(kind, ranking.scores),
        item_label(kind, ranking.scores, ranking.by).to_lowercase(),
        called(kind, ranking.decisions),
    )
}

pub(super) fn dated(kind: &Kind, dated: &Dated) -> String {
    format!("{} stand in calendars.", called(kind, dated.list))
}

pub(super) fn released(kind: &Kind, released: &Released) -> String {
    let (text, set) = released.endorsed;
    format!(
        "Once it was released, guests see {}, and with it those of {} who endorse exactly what \
         {} says there.",
        labels(kind, released.fields),
        called(kind, set),
        called(kind, text),
    )
}

pub(super) fn publishing(kind: &Kind, publishing: &Publishing) -> String {
    let to = kind_of_name(publishing.to).map_or(publishing.to, |kind| kind.title);
    let agreement = match publishing.agreement {
        Agreement::Signed => "what the signed data agreement lists, field by field".to_owned(),
        Agreement::OwnWord => "on the word of whoever publishes it".to_owned(),
        Agreement::OptIn(field) => format!("by the person's own {}", called(kind, field)),
    };
    let mut sentence = format!(
        "From {} to {} as a {}: {agreement}",
        publishing.stage.from.name(),
        publishing.stage.into.name(),
        to.to_lowercase(),
    );
    if !publishing.states.is_empty() {
        sentence.push_str(&format!(
            "; only while it is {}",
            any(&quoted(publishing.states))
        ));
    }
    for limit in publishing.limits {
        sentence.push_str(&format!("; with {}", limit.what));
    }
    let holds = publishing
        .fields
        .iter()
        .map(|field| match kind_of_name(publishing.to) {
            Some(to) => called(to, field.to),
            None => field.to.to_owned(),
        });
    let holds = all(&holds.collect::<Vec<_>>());
    sentence.push_str(&format!(". It holds {holds}."));
    sentence
}

pub(super) fn source(kind: &Kind, source: &Source) -> String {
    match *source {
        Source::Copy(field) => format!("{} as it is", called(kind, field)),
        Source::Items(list, fields) => format!("{} with {}", called(kind, list), all(fields)),
        Source::FrozenHash => "the hash of the latest kept copy".to_owned(),
        Source::FirstMadeBy(field) => {
            format!(
                "the hub that publishes, unless {} says another",
                called(kind, field)
            )
        }
        Source::CountItems { list, field, value } => format!(
            "how many of {} are '{value}' in {}",
            called(kind, list),
            item_called(kind, list, field)
        ),
        Source::CountLatest {
            log,
            about,
            field,
            value,
        } => format!(
            "how many stand at '{value}' by the latest {} of each {} in {}",
            item_called(kind, log, field),
            item_label(kind, log, about).to_lowercase(),
            called(kind, log),
        ),
        Source::Means { list, by, field } => format!(
            "the mean {} for each {} of {}, in hundredths",
            item_called(kind, list, field),
            item_called(kind, list, by),
            called(kind, list),
        ),
        Source::Schools { list, log } => format!(
            "the distinct schools of {} by URN, each with its furthest status in {}",
            called(kind, list),
            called(kind, log)
        ),
    }
}

fn quoted(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| format!("'{name}'")).collect()
}

fn is_or_are(names: &[&str]) -> &'static str {
    if names.len() == 1 { "is" } else { "are" }
}

pub(super) fn labels(kind: &Kind, names: &[&str]) -> String {
    let labels = names.iter().map(|name| called(kind, name));
    all(&labels.collect::<Vec<_>>())
}

/// A field, or `list/field`, as people call it.
pub(super) fn label(kind: &Kind, name: &str) -> String {
    match name.split_once('/') {
        Some((list, field)) => format!("{}: {}", label(kind, list), item_label(kind, list, field)),
        None => kind
            .field(name)
            .map_or(name, |field| field.label)
            .to_owned(),
    }
}

fn called(kind: &Kind, name: &str) -> String {
    format!("\u{201c}{}\u{201d}", label(kind, name))
}

fn item_label(kind: &Kind, list: &str, name: &str) -> String {
    let items = kind.field(list).and_then(crate::declaration::Field::items);
    let field = items.and_then(|items| items.iter().find(|field| field.name == name));
    field.map_or(name, |field| field.label).to_owned()
}

fn item_called(kind: &Kind, list: &str, name: &str) -> String {
    format!("\u{201c}{}\u{201d}", item_label(kind, list, name))
}

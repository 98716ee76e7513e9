//! Which column fills what.

use std::collections::BTreeMap;

use super::fold::{folded, likeness, without_number};
use super::slot::Slots;
use super::{ColumnUse, ImportOptions};
use crate::export::COUNTED;

/// How alike a heading and a name must be to be taken for the same.
const ALIKE: f64 = 0.82;

/// What a column does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fills {
    /// It fills a place, in the item of a number; 0 for the row's one item.
    Slot(usize, usize),
    /// It helps to find schools.
    Place,
    /// It helps to find schools.
    Postcode,
    Nothing,
}

/// What each column does, and in words why; and what is wrong with the options.
pub(super) fn columns(
    slots: &Slots,
    headers: &[String],
    options: &ImportOptions,
    finds_schools: bool,
) -> (Vec<Fills>, Vec<ColumnUse>, Vec<String>) {
    let mut choices = headers
        .iter()
        .map(|header| {
            let said = said(slots, header, options);
            said.unwrap_or_else(|| recognised(slots, header, finds_schools))
        })
        .collect::<Vec<_>>();
    let problems = wrong_options(headers, &choices, options);
    leave_out_seconds(headers, &mut choices);
    let uses = headers.iter().zip(&choices).map(|(header, choice)| {
        let (field, label) = match choice.fills {
            Fills::Slot(at, number) => match slots.get(at) {
                Some(slot) => (Some(slot.numbered(number)), slot.label(number)),
                None => (None, String::new()),
            },
            Fills::Place => (Some("@place".to_owned()), String::new()),
            Fills::Postcode => (Some("@postcode".to_owned()), String::new()),
            Fills::Nothing => (None, String::new()),
        };
        ColumnUse {
            header: header.clone(),
            field,
            label,
            why: choice.why.clone(),
        }
    });
    let uses = uses.collect();
    let fills = choices.iter().map(|choice| choice.fills).collect();
    (fills, uses, problems)
}

/// What a column may do, and how well that is founded: the lower, the better.
struct Choice {
    fills: Fills,
    rank: u8,
    why: String,
}

/// Said by a person.
const SAID: u8 = 0;
/// Guessed from a name that is alike.
const GUESSED: u8 = 100;
/// Said by a person, and wrong.
const WRONG: u8 = 200;

fn choice(fills: Fills, rank: u8, why: impl Into<String>) -> Choice {
    let why = why.into();
    Choice { fills, rank, why }
}

fn said(slots: &Slots, header: &str, options: &ImportOptions) -> Option<Choice> {
    let heading = folded(header);
    let exact = options.columns.get(header);
    let alike = || {
        let mut said = options.columns.iter();
        said.find_map(|(said, path)| (folded(said) == heading).then_some(path))
    };
    let path = exact.or_else(alike)?.trim();
    Some(match path {
        "" => choice(Fills::Nothing, SAID, "left out, as you said"),
        "@place" => choice(Fills::Place, SAID, "helps to find schools, as you said"),
        "@postcode" => choice(Fills::Postcode, SAID, "helps to find schools, as you said"),
        _ => match slots.at_path(path) {
            Some((at, number)) => choice(Fills::Slot(at, number), SAID, "as you said"),
            None => {
                let known = slots
                    .all
                    .iter()
                    .map(super::slot::Slot::path)
                    .collect::<Vec<_>>();
                let why = format!(
                    "'{header}' is to fill '{path}', which cannot be filled from a sheet; choose \
                     one of {}",
                    known.join(", ")
                );
                choice(Fills::Nothing, WRONG, why)
            }
        },
    })
}

fn recognised(slots: &Slots, header: &str, finds_schools: bool) -> Choice {
    if COUNTED.iter().any(|mark| header.ends_with(mark)) {
        return choice(
            Fills::Nothing,
            GUESSED,
            "left out: it counts what stands elsewhere",
        );
    }
    let heading = folded(header);
    if let Some(choice) = by_name(slots, &heading, 0) {
        return choice;
    }
    if let Some((rest, number)) = without_number(&heading)
        && let Some(choice) = by_name(slots, &rest, number)
    {
        return choice;
    }
    if finds_schools {
        match heading.as_str() {
            "postcode" | "schoolpostcode" => {
                return choice(Fills::Postcode, GUESSED, "helps to find schools");
            }
            "place" | "town" | "city" | "area" | "la" | "localauthority" | "schooltown" => {
                return choice(Fills::Place, GUESSED, "helps to find schools");
            }
            _ => {}
        }
    }
    let (rest, number) = without_number(&heading).unwrap_or((heading, 0));
    by_likeness(slots, &rest, number).unwrap_or_else(|| {
        choice(
            Fills::Nothing,
            GUESSED,
            "left out: no field is called like this",
        )
    })
}

fn by_name(slots: &Slots, heading: &str, number: usize) -> Option<Choice> {
    let places = slots.named(heading);
    let fits = |at: usize| number == 0 || slots.get(at).is_some_and(|slot| slot.list.is_some());
    let places = places
        .iter()
        .filter(|(_, at)| fits(*at))
        .collect::<Vec<_>>();
    let rank = places.iter().map(|(rank, _)| *rank).min()?;
    let best = places
        .iter()
        .filter(|(found, _)| *found == rank)
        .map(|(_, at)| *at);
    let best = best.collect::<Vec<_>>();
    Some(match one_of(slots, &best) {
        Some(at) => choice(
            Fills::Slot(at, number),
            rank + 1,
            "recognised by its heading",
        ),
        None => {
            let labels = best.iter().filter_map(|at| slots.get(*at));
            let labels = labels.map(|slot| slot.label(0)).collect::<Vec<_>>();
            let why = format!(
                "left out: it may mean {}; say which it fills",
                labels.join(" or ")
            );
            choice(Fills::Nothing, GUESSED, why)
        }
    })
}

/// The one place of several; those of participants before others.
fn one_of(slots: &Slots, places: &[usize]) -> Option<usize> {
    if let [one] = places {
        return Some(*one);
    }
    let mut of_participants = places.iter().filter(|at| slots.is_of_participants(**at));
    match (of_participants.next(), of_participants.next()) {
        (Some(one), None) => Some(*one),
        (Some(_), Some(_)) | (None, _) => None,
    }
}

fn by_likeness(slots: &Slots, heading: &str, number: usize) -> Option<Choice> {
    let fits = |at: usize| number == 0 || slots.get(at).is_some_and(|slot| slot.list.is_some());
    let mut best = (ALIKE, Vec::<usize>::new());
    for (name, places) in slots.names() {
        let likeness = likeness(name, heading);
        if likeness < best.0 {
            continue;
        }
        let rank = places.iter().map(|(rank, _)| *rank).min();
        let places = places
            .iter()
            .filter(|(found, at)| Some(*found) == rank && fits(*at));
        let places = places.map(|(_, at)| *at).collect::<Vec<_>>();
        if places.is_empty() {
            continue;
        }
        if likeness > best.0 {
            best = (likeness, Vec::new());
        }
        best.1.extend(places);
    }
    best.1.sort_unstable();
    best.1.dedup();
    let at = one_of(slots, &best.1)?;
    let label = slots.get(at)?.label(number);
    let why = format!("its heading is like '{label}': please check");
    Some(choice(Fills::Slot(at, number), GUESSED, why))
}

fn wrong_options(headers: &[String], choices: &[Choice], options: &ImportOptions) -> Vec<String> {
    let wrong = choices.iter().filter(|choice| choice.rank == WRONG);
    let mut problems = wrong.map(|choice| choice.why.clone()).collect::<Vec<_>>();
    let headings = headers
        .iter()
        .map(|header| folded(header))
        .collect::<Vec<_>>();
    for said in options.columns.keys() {
        if !headings.contains(&folded(said)) {
            let message = format!("there is no column '{said}' in this sheet, though you named it");
            problems.push(message);
        }
    }
    problems
}

/// Of several columns that fill the same place the best founded does, and the first of those; the
/// others are left out and say so.
fn leave_out_seconds(headers: &[String], choices: &mut [Choice]) {
    let mut winners = BTreeMap::<(usize, usize), usize>::new();
    for (column, choice) in choices.iter().enumerate() {
        let Fills::Slot(at, number) = choice.fills else {
            continue;
        };
        let winner = winners.entry((at, number)).or_insert(column);
        if choices
            .get(*winner)
            .is_some_and(|best| choice.rank < best.rank)
        {
            *winner = column;
        }
    }
    for (column, choice) in choices.iter_mut().enumerate() {
        let Fills::Slot(at, number) = choice.fills else {
            continue;
        };
        let winner = winners.get(&(at, number)).copied().unwrap_or(column);
        if winner != column {
            let first = headers.get(winner).map_or("another column", String::as_str);
            choice.fills = Fills::Nothing;
            choice.why = format!("left out: '{first}' fills the same field");
        }
    }
}

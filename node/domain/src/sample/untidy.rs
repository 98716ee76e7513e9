//! Words as people type them in a hurry.

use time::Date;

use crate::sample::chance::Chance;

/// A school's name as somebody may type it.
pub(crate) fn school_name(chance: &mut Chance, name: &str) -> String {
    match chance.below(8) {
        0 => name
            .replace("Primary School", "Pri Sch")
            .replace("Community School", "Comm Sch")
            .replace("Junior School", "Jnr"),
        1 => name
            .replace(" Primary School", "")
            .replace(" Community School", ""),
        2 => name
            .replace("St ", "Saint ")
            .replace("CofE", "C of E")
            .replace('\'', ""),
        3 => name.to_uppercase(),
        4 => format!("{} ", name.replace("School", "Sch.")),
        5 => swapped(chance, name),
        6 => dropped(chance, name),
        _ => name
            .replace("CofE", "CE")
            .replace("Catholic", "RC")
            .replace("Academy", "Acad"),
    }
}

/// A word with two letters in the wrong order, as fingers do it.
pub(crate) fn swapped(chance: &mut Chance, text: &str) -> String {
    let mut letters = text.chars().collect::<Vec<_>>();
    if letters.len() > 4 {
        let at = chance.between(1, letters.len() - 3);
        letters.swap(at, at + 1);
    }
    letters.into_iter().collect()
}

/// A word with a letter missing.
pub(crate) fn dropped(chance: &mut Chance, text: &str) -> String {
    let mut letters = text.chars().collect::<Vec<_>>();
    if letters.len() > 3 {
        letters.remove(chance.between(1, letters.len() - 2));
    }
    letters.into_iter().collect()
}

/// A day as a hub lead may write it into a sheet.
pub(crate) fn day(chance: &mut Chance, date: Date) -> String {
    let (number, month) = (date.day(), u8::from(date.month()));
    match chance.below(7) {
        0 => "tbc".to_owned(),
        1 => format!("{number}/{month}/{}", date.year() % 100),
        2 => format!(
            "{} {number} {}",
            short(&date.weekday().to_string()),
            short(&date.month().to_string())
        ),
        3 => format!("{number} {} {}", date.month(), date.year()),
        4 => date.to_string(),
        _ => format!("{number:02}/{month:02}/{}", date.year()),
    }
}

/// A phase as a hub lead may write it.
pub(crate) fn phase(chance: &mut Chance, phase: &str) -> &'static str {
    match phase {
        "early years" => chance.pick(&["EY", "Early Years", "early yrs", "EYFS"]),
        "primary" => chance.pick(&["Primary", "primary", "Pri", "KS1/2", "PRIMARY"]),
        "secondary" => chance.pick(&["Secondary", "sec", "KS3/4", "Secondary "]),
        "post-16" => chance.pick(&["Post-16", "post 16", "P16", "KS5"]),
        _ => chance.pick(&["all", "cross-phase", "X-phase", ""]),
    }
}

fn short(word: &str) -> String {
    word.chars().take(3).collect()
}

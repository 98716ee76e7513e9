//! School names as different people type them.

use crate::people::names::folded;

/// A school's name so that usual ways of typing one come out equal: without case, accents,
/// apostrophes and full stops, without "the" and "and", and with "St" for "Saint".
pub(crate) fn school_name(name: &str) -> String {
    let words = folded(name);
    let words = words
        .split(' ')
        .filter(|word| !matches!(*word, "the" | "and"));
    let words = words.map(|word| if word == "saint" { "st" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::school_name;

    #[test]
    fn one_school_is_typed_in_many_ways() {
        for name in [
            "St Mary's School",
            "st. marys  SCHOOL",
            "The Saint Mary’s School",
        ] {
            assert_eq!(school_name(name), "st marys school", "{name}");
        }
        assert_eq!(school_name("Arts & Media"), school_name("Arts and Media"));
        assert_ne!(school_name("Hill School"), school_name("Hill College"));
    }
}

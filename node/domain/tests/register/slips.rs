//! How people type a school's name: with slips, and with the usual abbreviations.

use rand_chacha::ChaCha8Rng;

use crate::made_up::{below, pick};

/// The name as somebody might type it: abbreviated, in small letters, with one or two slips.
pub(crate) fn typed(random: &mut ChaCha8Rng, name: &str) -> String {
    let mut name = name.to_owned();
    for (long, short) in [
        ("Church of England", "C of E"),
        ("Church of England", "CE"),
        ("Catholic", "RC"),
        ("Primary School", "Primary"),
        ("Primary School", "Pri Sch"),
        ("Junior", "Jnr"),
        ("Infant", "Inf"),
        ("Academy", "Acad"),
        ("School", ""),
        ("St ", "Saint "),
        (" and ", " & "),
        ("’", ""),
        ("'", ""),
    ] {
        if below(random, 3) == 0 {
            name = name.replace(long, short);
        }
    }
    if below(random, 3) == 0 {
        name = name.to_lowercase();
    }
    for _ in 0..below(random, 3) {
        name = slip(random, &name);
    }
    name.trim().to_owned()
}

/// One letter more, less, other or exchanged with the next.
fn slip(random: &mut ChaCha8Rng, name: &str) -> String {
    let mut chars = name.chars().collect::<Vec<_>>();
    if chars.len() < 4 {
        return name.to_owned();
    }
    let at = 1 + below(random, chars.len() - 2);
    let letter = pick(random, &['a', 'e', 'i', 'n', 'r', 's', 't']);
    match below(random, 4) {
        0 => drop(chars.remove(at)),
        1 => chars.insert(at, letter),
        2 => chars[at] = letter,
        _ => chars.swap(at, at + 1),
    }
    chars.into_iter().collect()
}

//! Ranks: texts that sort list items, with always another between two.

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Longer ranks than honest nodes make are cut, so that a hostile one cannot breed longer ones.
const RANK_BYTES_MAX: usize = 128;

/// A rank after `before` and, if there is one, before `after`. `item` is woven in, so that two
/// hubs that insert at one place at once get different ranks.
pub(crate) fn between(before: &str, after: Option<&str>, item: &str) -> String {
    let rank = middle(before, after);
    let woven = format!("{rank}{}", item.chars().take(4).collect::<String>());
    if after.is_none_or(|after| woven.as_str() < after) {
        woven
    } else {
        rank
    }
}

fn middle(before: &str, after: Option<&str>) -> String {
    let before = &before.as_bytes()[..before.len().min(RANK_BYTES_MAX)];
    let mut after = after.map(str::as_bytes).filter(|after| *after > before);
    let mut rank = String::new();
    for at in 0.. {
        let low = before.get(at).map_or(0, |byte| digit(*byte));
        let high = after.map_or(DIGITS.len(), |after| after.get(at).map_or(0, |b| digit(*b)));
        if high > low + 1 {
            rank.push(DIGITS[usize::midpoint(low, high)] as char);
            break;
        }
        rank.push(DIGITS[low] as char);
        // One apart, or past the end of either: below this digit everything is free.
        if high != low || at > RANK_BYTES_MAX {
            after = None;
        }
    }
    rank
}

fn digit(byte: u8) -> usize {
    DIGITS
        .partition_point(|digit| *digit < byte)
        .min(DIGITS.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_always_a_rank_between_two() {
        let mut ranks = vec![between("", None, "a")];
        let mut seed = 7u64;
        for _ in 0..500 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let at = (seed >> 33) as usize % (ranks.len() + 1);
            let before = if at == 0 { "" } else { &ranks[at - 1] };
            let after = ranks.get(at).map(String::as_str);
            let rank = between(before, after, "wxyz");
            assert!(rank.as_str() > before, "{rank} after {before}");
            assert!(
                after.is_none_or(|after| rank.as_str() < after),
                "{rank} before {after:?}"
            );
            ranks.insert(at, rank);
        }
    }

    #[test]
    fn strange_ranks_do_no_harm() {
        for (before, after) in [
            ("zzzz", Some("zzzz")),
            ("\u{7f}é", Some("!")),
            ("b", Some("a")),
        ] {
            assert!(!between(before, after, "item").is_empty());
        }
        assert!(between(&"z".repeat(100_000), None, "item").len() < 200);
    }
}

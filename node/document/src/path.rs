//! Where a value stands in a document.
//!
//! All values stand directly under the document's root, each under a key that spells its whole
//! path. So two hubs that write into one list, or fill a newly declared field, never make two
//! rival containers, and reading never descends into what a hostile change has nested.

/// The mark that begins what this crate keeps for itself; in a person's part it is written `~0`.
const OWN: char = '~';

/// The key of `path`: its parts joined by `/`, with `~` written `~0` and `/` written `~1`.
pub(crate) fn key(path: &[&str]) -> String {
    let mut key = String::new();
    for (index, part) in path.iter().enumerate() {
        if index > 0 {
            key.push('/');
        }
        for character in part.chars() {
            match character {
                OWN => key.push_str("~0"),
                '/' => key.push_str("~1"),
                other => key.push(other),
            }
        }
    }
    key
}

/// The path that a key spells; nothing if the key is one that this crate keeps for itself.
pub(crate) fn path(key: &str) -> Option<Vec<String>> {
    key.split('/')
        .map(|part| {
            let mut characters = part.chars();
            let mut plain = String::with_capacity(part.len());
            while let Some(character) = characters.next() {
                match character {
                    OWN => match characters.next()? {
                        '0' => plain.push('~'),
                        '1' => plain.push('/'),
                        _ => return None,
                    },
                    other => plain.push(other),
                }
            }
            Some(plain)
        })
        .collect()
}

/// Where the rank of the list item at `path` stands.
pub(crate) fn rank_key(path: &[&str]) -> String {
    format!("{}/~rank", key(path))
}

/// Where it stands which overlaps of the text at `path` were seen.
pub(crate) fn seen_key(path: &[&str]) -> String {
    format!("{}/~seen", key(path))
}

/// With what the keys begin under which it stands where the text at `path` was cut.
pub(crate) fn cut_prefix(path: &[&str]) -> String {
    format!("{}/~cut/", key(path))
}

/// The keys that stand below `path`, as a range: `/` is followed by `0`.
pub(crate) fn below(path: &[&str]) -> std::ops::Range<String> {
    let key = key(path);
    format!("{key}/")..format!("{key}0")
}

/// The part of `key` right below `path`.
pub(crate) fn child(path: &[&str], key: &str) -> Option<String> {
    let rest = key.strip_prefix(&self::key(path))?.strip_prefix('/')?;
    let part = rest.split('/').next()?;
    self::path(part)?.pop()
}

/// What a key below a list says of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ItemPart {
    /// That it is there.
    Mark,
    /// Its place in the order.
    Rank,
    /// Anything else.
    Other,
}

/// The item that what follows a list's path in a key begins with, as it is spelt there, and what
/// the key says of it.
pub(crate) fn item_part(rest: &str) -> (&str, ItemPart) {
    match rest.split_once('/') {
        None => (rest, ItemPart::Mark),
        Some((item, "~rank")) => (item, ItemPart::Rank),
        Some((item, _)) => (item, ItemPart::Other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_spells_its_path() {
        for parts in [&["a"][..], &["a/b", "~c", ""], &["naïve", "~rank"]] {
            let owned = parts
                .iter()
                .map(|part| (*part).to_owned())
                .collect::<Vec<_>>();
            assert_eq!(path(&key(parts)), Some(owned));
        }
        assert_eq!(path(&rank_key(&["list", "item"])), None);
        assert_eq!(child(&["list"], "list/a~1b/date").as_deref(), Some("a/b"));
        assert_eq!(child(&["list"], "lists/a"), None);
        assert!(below(&["list"]).contains(&rank_key(&["list", "x"])));
        assert!(!below(&["list"]).contains(&"list".to_owned()));
    }
}

//! Where a document stands.

use std::fmt;
use std::str::FromStr;

use automerge::ChangeHash;
use data_encoding::HEXLOWER;
use node_feed::Hash;

/// The hashes of the changes that nothing in a document follows yet, sorted. They name a state
/// of the document exactly; a page carries them so that its edit is made where it was rendered.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Heads(Vec<[u8; 32]>);

/// A text that names no heads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the version that this page was made from is not written as one; reload the page")]
pub struct HeadsError;

impl Heads {
    /// The heads with these hashes.
    pub fn new(mut hashes: Vec<[u8; 32]>) -> Self {
        hashes.sort_unstable();
        hashes.dedup();
        Self(hashes)
    }

    /// The hashes, sorted.
    pub fn hashes(&self) -> &[[u8; 32]] {
        &self.0
    }

    /// Whether they are those of an empty document.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// BLAKE3 over the sorted hashes: equal documents have equal digests.
    pub fn digest(&self) -> Hash {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"causeway/1 document\0");
        for hash in &self.0 {
            hasher.update(hash);
        }
        Hash::from_bytes(*hasher.finalize().as_bytes())
    }

    pub(crate) fn from_automerge(hashes: &[ChangeHash]) -> Self {
        Self::new(hashes.iter().map(|hash| hash.0).collect())
    }

    pub(crate) fn to_automerge(&self) -> Vec<ChangeHash> {
        self.0.iter().copied().map(ChangeHash).collect()
    }
}

impl fmt::Display for Heads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, hash) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            f.write_str(&HEXLOWER.encode(hash))?;
        }
        Ok(())
    }
}

impl FromStr for Heads {
    type Err = HeadsError;

    fn from_str(text: &str) -> Result<Self, HeadsError> {
        text.split('.')
            .filter(|part| !part.is_empty())
            .map(|part| {
                let bytes = HEXLOWER.decode(part.as_bytes()).map_err(|_| HeadsError)?;
                <[u8; 32]>::try_from(bytes).map_err(|_| HeadsError)
            })
            .collect::<Result<Vec<_>, _>>()
            .map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_print_and_parse() {
        let heads = Heads::new(vec![[9; 32], [1; 32], [9; 32]]);
        assert_eq!(heads.to_string().parse(), Ok(heads.clone()));
        assert_eq!("".parse(), Ok(Heads::default()));
        assert_eq!("xyz".parse::<Heads>(), Err(HeadsError));
        assert_ne!(heads.digest(), Heads::default().digest());
    }
}

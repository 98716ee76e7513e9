//! Whether a node can do its work: for whoever starts programs and sends others to them.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::Node;

/// What a node has of what it needs for its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Readiness {
    /// The store is open and takes changes.
    pub store: bool,
    /// Lists hold what had been stored when the node was opened.
    pub lists: bool,
    /// Whoever should reach it can: commands, and at a coordinator the hubs.
    pub listening: bool,
}

/// Whether somebody can reach the node.
#[derive(Debug, Default)]
pub(crate) struct Reachable(AtomicBool);

impl Reachable {
    pub(crate) fn set(&self, listening: bool) {
        self.0.store(listening, Ordering::Relaxed);
    }
}

impl Node {
    /// Whether this node can do its work.
    pub fn readiness(&self) -> Readiness {
        Readiness {
            store: !self.inner.storage.is_stopped(),
            lists: self.inner.applier().is_caught_up(),
            listening: self.inner.reachable.0.load(Ordering::Relaxed),
        }
    }

    /// Says whether whoever should reach this node can.
    pub fn set_listening(&self, listening: bool) {
        self.inner.reachable.set(listening);
    }
}

impl Readiness {
    /// Whether nothing is lacking.
    pub const fn is_ready(self) -> bool {
        self.store && self.lists && self.listening
    }

    /// What is lacking, in sentences.
    pub fn lacks(self) -> Vec<&'static str> {
        let lacks = [
            (
                self.store,
                "the store takes no more changes since its disk failed: check the disk and start again",
            ),
            (
                self.lists,
                "lists are still being brought up to what is stored",
            ),
            (self.listening, "the node does not listen yet, or any more"),
        ];
        let lacks = lacks.into_iter().filter(|(has, _)| !has);
        lacks.map(|(_, sentence)| sentence).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lacking_is_said() {
        let mut readiness = Readiness {
            store: true,
            lists: true,
            listening: true,
        };
        assert!(readiness.is_ready() && readiness.lacks().is_empty());
        readiness.store = false;
        assert!(!readiness.is_ready());
        assert_eq!(readiness.lacks().len(), 1);
    }
}

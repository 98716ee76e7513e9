//! Filling a coordinator with a made-up nation.

use node::records::RecordsError;
use node_domain::sample::{Nation, Scale};
use node_feed::{SpaceId, SpaceKind};
use serde_json::{Value, json};

use super::{OperationError, Operations};

/// The kind that stands in the forum; every other kind of the sample is everybody's.
const THREAD: &str = "forum-thread";

impl Operations {
    /// Fills the spaces that everybody reads with a nation: a programme, the national list with a
    /// vacant area, projects, the threads of a forum and a school register, the same for the same
    /// seed. Says how many records of each kind were made, and where.
    ///
    /// # Errors
    /// [`OperationError::Record`] if there is a record already: nobody shall mistake the sample
    /// for their own.
    pub fn sample(&self, seed: u64, small: bool) -> Result<Value, OperationError> {
        let node = self.node();
        let network = match self.first_space(SpaceKind::Network) {
            Some(space) => space,
            None => self.create_space(SpaceKind::Network, "Every hub")?,
        };
        let forum = self.first_space(SpaceKind::Forum);
        for space in [Some(network), forum].into_iter().flatten() {
            if !node.list_records("", &space.to_string())?.is_empty() {
                return Err(RecordsError::Json(
                    "there are records in this network already, and a sample must not stand among \
                     them: use a new coordinator"
                        .to_owned(),
                )
                .into());
            }
        }
        let forum = match forum {
            Some(space) => space,
            None => self.create_space(SpaceKind::Forum, "National forum")?,
        };
        let scale = if small { Scale::Small } else { Scale::Full };
        let nation = Nation::generate(seed, scale);
        let made = node.keep_sample(&nation.records(), |record| {
            Ok(if record.kind == THREAD {
                forum
            } else {
                network
            })
        })?;
        Ok(json!({
            "made": made, "network": network.to_string(), "forum": forum.to_string(),
        }))
    }

    /// The first space of this kind that there is.
    fn first_space(&self, kind: SpaceKind) -> Option<SpaceId> {
        let authority = self.parts.node.authority();
        let mut spaces = authority.spaces().iter();
        let found = spaces.find(|(_, record)| record.kind == kind);
        found.map(|(space, _)| *space)
    }
}

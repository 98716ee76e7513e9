//! What must hold once everything is mended and has settled.

use std::collections::BTreeMap;

use node_feed::{FeedTree, HubId, SpaceId, TreeFeed};
use node_store::ReadStore;
use node_sync::{Alarm, SessionId};

use super::disk::find;
use super::office::is_cut;
use super::world::World;

impl World {
    pub(crate) fn check(&mut self) {
        let mut broken = Vec::new();
        self.check_equal(&mut broken);
        self.check_saved(&mut broken);
        self.check_known(&mut broken);
        self.broken.extend(broken);
    }

    /// The machines whose hubs may read a space, by the coordinator's word.
    fn members(&self, space: SpaceId) -> Vec<usize> {
        let authority = &self.machines[0].authority;
        let may_read = |hub: HubId| {
            space == SpaceId::authority(authority.network())
                || authority.access(hub, space).is_some()
        };
        let machines = self.machines.iter();
        machines
            .filter(|machine| authority.hub_of(&machine.node()).is_some() && may_read(machine.hub))
            .map(|machine| machine.name)
            .collect()
    }

    fn check_equal(&self, broken: &mut Vec<String>) {
        let mut spaces = self.spaces.clone();
        spaces.push(SpaceId::authority(self.office.network()));
        for space in spaces {
            for member in self.members(space) {
                // Whether a feed came by a copy makes no difference.
                let trees = |machine: usize| {
                    let trees = self.machines[machine].folder.store.trees(space);
                    Some(without_bases(&trees.ok()?))
                };
                if trees(member) != trees(0) {
                    broken.push(format!(
                        "machine {member} holds another state of space {} than the coordinator: {:?} and {:?}",
                        space.as_bytes()[0],
                        trees(member),
                        trees(0),
                    ));
                }
            }
        }
    }

    fn check_saved(&self, broken: &mut Vec<String>) {
        let authority = &self.machines[0].authority;
        for machine in &self.machines {
            for saved in &machine.saved {
                let members = self.members(saved.space);
                let number = saved.height.number;
                // A branch that the coordinator did not hold when it cut ends before the fork.
                let may_fork = self.rolled_back == Some(machine.name);
                let number = if may_fork { u64::MAX } else { number };
                if is_cut(authority, machine.hub, saved.space, saved.writer, number)
                    || !members.contains(&machine.name)
                {
                    continue;
                }
                for member in members {
                    let store = &self.machines[member].folder.store;
                    let copied = self.machines[member].stands_for(saved.space, saved.height);
                    if !copied && find(store, saved.space, saved.writer, &[saved.height]) == [None]
                    {
                        broken.push(format!(
                            "machine {member} lacks entry {}, which machine {} had saved",
                            saved.height.number, machine.name
                        ));
                    }
                }
            }
        }
    }

    /// Every open session knows that both ends are equal.
    fn check_known(&self, broken: &mut Vec<String>) {
        for link in &self.links {
            let Some(id) = link.connection else {
                let authority = &self.machines[0].authority;
                let both = link
                    .ends
                    .iter()
                    .all(|end| authority.hub_of(&self.machines[*end].node()).is_some());
                if both {
                    broken.push(format!("{:?} are not connected", link.ends));
                }
                continue;
            };
            for end in link.ends {
                if !self.machines[end].equal.contains(&SessionId(id)) {
                    broken.push(format!(
                        "machine {end} does not know that {:?} are equal",
                        link.ends
                    ));
                }
            }
        }
    }

    /// Honest machines never set off these.
    pub(crate) fn judge_alarm(&mut self, machine: usize, alarm: &Alarm) {
        match alarm {
            Alarm::Fork { .. } => {
                if self.rolled_back.is_none() {
                    self.broken.push(format!(
                        "machine {machine} saw a fork, but nothing was rolled back"
                    ));
                }
            }
            Alarm::Frozen | Alarm::Forged { .. } | Alarm::Copy { .. } | Alarm::Lost { .. } => {
                self.broken.push(format!("machine {machine}: {alarm:?}"));
            }
        }
    }
}

fn without_bases(trees: &BTreeMap<[u8; 32], FeedTree>) -> BTreeMap<[u8; 32], FeedTree> {
    let trees = trees.iter().map(|(writer, tree)| {
        let feeds = tree.feeds().iter().map(|(name, feed)| {
            let base = 0;
            (*name, TreeFeed { base, ..*feed })
        });
        (*writer, FeedTree::new(feeds.collect()))
    });
    trees.collect()
}

//! What is written: on an ordinary day while all are connected, and in a week apart.

use node_feed::{Entry, Kind, Run, SpaceId, Subject};
use node_sync::Input;

use super::plan::Slot;
use super::run::{Event, Nation};

/// No kind of this program's: it is carried, and what it says is nobody's business here.
const KIND: Kind = Kind(99);
/// Coprime to the number of slots: what goes to one place is spread over the day.
const STRIDE: u64 = 7;
/// Microseconds of a week.
const WEEK: u64 = 7 * 24 * 3_600 * 1_000_000;

impl Nation {
    /// A part of an ordinary day, at the day's pace.
    pub(super) fn day(&mut self) -> u64 {
        let entries = self.plan.day_entries;
        for number in 0..entries {
            let delay = number * self.plan.pace();
            self.after(delay, Event::Write { number });
        }
        self.settle();
        entries
    }

    pub(super) fn write_one(&mut self, number: u64) {
        let index = self.dice.index(self.plan.writing());
        self.write(self.plan.writer(index), Slot::of(number * STRIDE), number);
    }

    /// A week in which nobody is connected.
    pub(super) fn week(&mut self) -> u64 {
        self.time += WEEK;
        let each = self.plan.entries_of_week();
        let writing = self.plan.writing();
        for number in 0..each {
            for index in 0..writing {
                self.write(self.plan.writer(index), Slot::of(number), number);
            }
        }
        self.settle();
        each * writing as u64
    }

    fn write(&mut self, hub: usize, slot: Slot, number: u64) {
        let [network, forum] = self.wide;
        let post = &self.posts[hub];
        let project = |dice: &mut crate::simulation::Dice| {
            let index = dice.index(post.projects.len());
            post.projects.get(index).copied().or(post.pair)
        };
        let (author, space) = match slot {
            Slot::CoordinatorNetwork => (0, Some(network)),
            Slot::Network => (hub, Some(network)),
            Slot::Forum => (hub, Some(forum)),
            Slot::Pair => (hub, post.pair),
            Slot::Project => (hub, project(&mut self.dice)),
        };
        if let Some(space) = space {
            self.sign(author, space, number);
        }
    }

    fn sign(&mut self, author: usize, space: SpaceId, number: u64) {
        let entry = Entry {
            time_ms: self.time / 1_000,
            kind: KIND,
            subject: Subject::NONE,
            payload: self.payload(number),
        };
        let post = &mut self.posts[author];
        let run = post.keys.get(&space).and_then(|key| {
            let tip = self.library.tip(space, *key.public().as_bytes());
            Run::sign(self.network, space, key, tip, vec![entry]).ok()
        });
        let stored = run.map(|run| {
            self.library.keep(&run);
            post.append(run)
        });
        // Every figure is for what was planned.
        match stored {
            Some(node_sync::AppendResult::Stored(stored)) => {
                self.tell(author, Input::Written(stored));
            }
            other => self.broken.push(format!(
                "post {author} could not write what was planned: {other:?}"
            )),
        }
    }

    /// A record that is made, and then changed. Nothing here can be compressed, as what is written
    /// is compressed before.
    fn payload(&mut self, number: u64) -> bytes::Bytes {
        let length = if number.is_multiple_of(2) {
            300 + self.dice.below(600)
        } else {
            90 + self.dice.below(150)
        };
        let mut payload = Vec::new();
        while (payload.len() as u64) < length {
            payload.extend_from_slice(&self.dice.bytes::<32>());
        }
        payload.into()
    }
}

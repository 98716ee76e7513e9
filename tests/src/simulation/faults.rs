//! What happens to the machines in the stormy part of a run.

use node_feed::{AuthorityLog, CutTarget};
use node_store::ReadStore;
use node_sync::{Input, SessionId};

use super::disk::Job;
use super::machine::Machine;
use super::office::{cut, grant};
use super::world::{Event, World};

impl World {
    /// Does one thing by chance, or ends the storm.
    pub(crate) fn act(&mut self) {
        if self.acts == 0 {
            self.mend();
            return;
        }
        self.acts -= 1;
        if self.dice.chance(20) {
            self.back_up();
        }
        match self.dice.below(100) {
            0..50 => self.write_somewhere(),
            50..58 => self.break_a_connection(),
            58..62 => self.crash_a_machine(),
            62..70 => self.prepare_roll_back(),
            70..73 => self.roll_back(),
            73..80 => self.withdraw(),
            80..88 => self.grant_again(),
            88..90 => self.revoke(),
            90..93 => self.take_over(),
            93..97 => self.repeat_a_message(),
            _ => self.fail_a_disk(),
        }
        let pause = if self.dice.chance(30) { 20 } else { 1_500 };
        let delay = self.dice.below(pause);
        self.after(delay, Event::Act);
    }

    fn write_somewhere(&mut self) {
        let any = self.dice.index(self.machines.len());
        let favoured = self.rolled_back.filter(|_| self.dice.chance(40));
        let machine = favoured.unwrap_or(any);
        let space = self.spaces[self.dice.index(self.spaces.len())];
        if self.machines[machine].engine.is_some() {
            self.trace
                .note(format_args!("{} {machine} writes", self.time));
            self.queue(machine, Job::Write { space });
        }
    }

    fn break_a_connection(&mut self) {
        let link = self.dice.index(self.links.len());
        if self.dice.chance(50) {
            self.links[link].out_until = self.time + self.dice.below(8_000);
        }
        if let Some(id) = self.links[link].connection {
            self.hang_up(id, None);
        }
    }

    fn crash_a_machine(&mut self) {
        let machine = self.dice.index(self.machines.len());
        self.crash(machine);
    }

    fn crash(&mut self, machine: usize) {
        self.trace
            .note(format_args!("{} {machine} crashes", self.time));
        self.machines[machine].crash();
        let open = self
            .connections
            .iter()
            .filter(|(_, connection)| connection.up && connection.ends.contains(&machine));
        let open = open.map(|(id, _)| *id).collect::<Vec<_>>();
        for id in open {
            self.hang_up(id, Some(machine));
        }
        let delay = 500 + self.dice.below(3_000);
        self.after(delay, Event::Boot { machine });
    }

    fn back_up(&mut self) {
        if let Some(machine) = self.rolled_back {
            self.machines[machine].backup = self.machines[machine].folder.clone();
        }
    }

    /// Takes a backup, lets the machine write on, and puts the backup in its place: what was sent
    /// in between is known elsewhere.
    fn prepare_roll_back(&mut self) {
        let Some(machine) = self.rolled_back else {
            return;
        };
        self.back_up();
        if self.machines[machine].engine.is_some() {
            for space in self.spaces.clone() {
                self.queue(machine, Job::Write { space });
            }
        }
        let delay = 200 + self.dice.below(1_500);
        self.after(delay, Event::RollBack);
    }

    /// Puts an older folder in the place of the present one. Half the time nobody knows, as with
    /// a copied disk.
    pub(crate) fn roll_back(&mut self) {
        let Some(machine) = self.rolled_back else {
            return;
        };
        let has_writers = !self.machines[machine].backup.writers.is_empty();
        if !has_writers && self.dice.chance(70) {
            return;
        }
        let lengths = self.log_lengths();
        if machine == 0 && lengths[1..].iter().all(|length| *length < lengths[0]) {
            // What only the coordinator's disk held of the authority log would be gone for good.
            return;
        }
        self.crash(machine);
        self.trace
            .note(format_args!("{} {machine} is rolled back", self.time));
        let is_known = self.dice.chance(50);
        let target = &mut self.machines[machine];
        target.folder = target.backup.clone();
        if !is_known {
            // It goes on writing before it hears from anyone, and so forks its feeds.
            target.writes_at_boot = true;
            let until = self.time + 3_000 + self.dice.below(3_000);
            for link in &mut self.links {
                if link.ends.contains(&machine) {
                    link.out_until = until;
                }
            }
        }
        let target = &mut self.machines[machine];
        // What was neither in the backup nor anywhere else is lost, and was said to be at risk.
        let store = &target.folder.store;
        target.saved.retain(|saved| {
            let held = store.find(saved.space, saved.writer, &[saved.height]);
            saved.sent || held.is_ok_and(|held| held == [true])
        });
        if machine == 0 {
            self.office.locked = true;
        }
        // A hub that was out before may not be by what is known now.
        for link in 0..self.links.len() {
            if self.links[link].ends.contains(&machine) {
                let delay = 500 + self.dice.below(1_000);
                self.after(delay, Event::Dial { link });
            }
        }
    }

    fn hub_by_chance(&mut self) -> usize {
        1 + self.dice.index(self.machines.len() - 1)
    }

    fn state(&mut self, facts: &[node_feed::Fact]) {
        if self.office.locked || self.machines[0].engine.is_none() {
            return;
        }
        // The log has one writer, which waits until what it wrote is durable.
        if self.machines[0]
            .jobs
            .iter()
            .any(|job| matches!(job, Job::State { .. }))
        {
            return;
        }
        let store = &self.machines[0].folder.store;
        if let Some(run) = self.office.state(store, facts, &mut self.dice) {
            self.trace
                .note(format_args!("{} states {facts:?}", self.time));
            self.queue(0, Job::State { run });
        }
    }

    fn withdraw(&mut self) {
        let hub = self.hub_by_chance();
        let hub = self.machines[hub].hub;
        let space = self.spaces[self.dice.index(self.spaces.len())];
        let coordinator = &self.machines[0];
        if coordinator.authority.access(hub, space).is_some() {
            let target = CutTarget::Grant(hub, space);
            let fact = cut(&coordinator.folder.store, target, &[space], hub);
            self.state(&[fact]);
        }
    }

    fn grant_again(&mut self) {
        let hub = self.hub_by_chance();
        let hub = self.machines[hub].hub;
        let space = self.spaces[self.dice.index(self.spaces.len())];
        if self.machines[0].authority.access(hub, space).is_none() {
            self.state(&[grant(space, hub)]);
        }
    }

    fn revoke(&mut self) {
        let hub = self.hub_by_chance();
        let hub = self.machines[hub].hub;
        let spaces = self.spaces.clone();
        let fact = cut(
            &self.machines[0].folder.store,
            CutTarget::Hub(hub),
            &spaces,
            hub,
        );
        self.state(&[fact]);
    }

    /// The root key names a new authority key, once the coordinator holds the longest log that
    /// any node reported.
    pub(crate) fn take_over(&mut self) {
        let lengths = self.log_lengths();
        let is_longest = lengths.iter().all(|length| *length <= lengths[0]);
        let coordinator = &self.machines[0];
        let is_busy = coordinator
            .jobs
            .iter()
            .any(|job| matches!(job, Job::State { .. }));
        if !is_longest || is_busy || coordinator.engine.is_none() || lengths[0] == 0 {
            return;
        }
        let store = &coordinator.folder.store;
        if let Some(run) = self.office.take_over(store, &mut self.dice) {
            self.trace.note(format_args!("{} take-over", self.time));
            self.queue(0, Job::State { run });
        }
    }

    /// How many entries of the authority log count at each machine.
    fn log_lengths(&self) -> Vec<u64> {
        let network = self.office.network();
        let length = |machine: &Machine| {
            let feeds = machine.folder.store.log_feeds(network).unwrap_or_default();
            AuthorityLog::new(network, feeds).fold().length()
        };
        self.machines.iter().map(length).collect()
    }

    /// A message of an earlier or the present session arrives once more. Within one session a
    /// transport repeats nothing, so only ended ones are chosen.
    fn repeat_a_message(&mut self) {
        if self.overheard.is_empty() {
            return;
        }
        let index = self.dice.index(self.overheard.len());
        let (id, to, message) = self.overheard[index].clone();
        if self
            .connections
            .get(&id)
            .is_some_and(|connection| !connection.up)
        {
            let session = SessionId(id);
            self.tell(to, Input::Received { session, message });
        }
    }

    fn fail_a_disk(&mut self) {
        let machine = self.dice.index(self.machines.len());
        self.machines[machine].disk_fails = true;
    }

    /// The storm is over: everything runs and every link works.
    fn mend(&mut self) {
        self.trace.note(format_args!("{} calm", self.time));
        self.calm = true;
        for link in &mut self.links {
            link.out_until = 0;
        }
        for machine in &mut self.machines {
            machine.disk_fails = false;
        }
    }
}

//! Virtual time, the network between the machines, and the order of events.

use std::collections::BTreeMap;
use std::sync::Arc;

use node_feed::{Authority, Fact, HubId, NodeId, SecretKey, SpaceId, SpaceKind};
use node_store::EntryStore;
use node_sync::{Input, Message, SessionId, Timestamp};

use super::copies::CopyCounts;
use super::dice::Dice;
use super::disk::Job;
use super::machine::Machine;
use super::office::{Office, grant};
use super::trace::Trace;

/// Events after which a run that does not settle is given up.
const EVENTS_MAX: u64 = 60_000;

/// Something that will happen.
#[derive(Debug)]
pub(crate) enum Event {
    Act,
    RollBack,
    Boot {
        machine: usize,
    },
    Dial {
        link: usize,
    },
    Arrive {
        connection: u64,
        to: usize,
        message: Message,
    },
    Hangup {
        connection: u64,
        machine: usize,
    },
    Disk {
        machine: usize,
        life: u64,
    },
    Tick {
        machine: usize,
        life: u64,
    },
    Check {
        machine: usize,
        life: u64,
        space: SpaceId,
    },
}

/// Two machines, the first of which dials.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) ends: [usize; 2],
    pub(crate) connection: Option<u64>,
    /// The network between them is out until then.
    pub(crate) out_until: u64,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) link: usize,
    pub(crate) ends: [usize; 2],
    pub(crate) up: bool,
    /// The end that still gets what the other sent before it closed.
    pub(crate) draining: Option<usize>,
    /// When the last message to each end arrives: messages keep their order.
    pub(crate) last: [u64; 2],
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// A fingerprint of all that happened.
    pub trace: u64,
    /// The promises that were broken, in words.
    pub broken: Vec<String>,
    /// How many entries were told to be saved.
    pub saved: usize,
    /// What became of the first copies that were begun.
    pub copies: CopyCounts,
}

/// Everything there is.
#[derive(Debug)]
pub struct World {
    pub(crate) time: u64,
    pub(crate) events: BTreeMap<(u64, u64), Event>,
    pub(crate) scheduled: u64,
    pub(crate) dice: Dice,
    pub(crate) trace: Trace,
    pub(crate) office: Office,
    pub(crate) machines: Vec<Machine>,
    pub(crate) links: Vec<Link>,
    pub(crate) connections: BTreeMap<u64, Connection>,
    pub(crate) spaces: Vec<SpaceId>,
    pub(crate) acts: u64,
    /// Until when hubs join that do so late.
    pub(crate) joins_late: u64,
    pub(crate) calm: bool,
    /// The one machine whose folder may be rolled back.
    pub(crate) rolled_back: Option<usize>,
    /// Messages of sessions, kept to be repeated later.
    pub(crate) overheard: Vec<(u64, usize, Message)>,
    pub(crate) broken: Vec<String>,
}

impl World {
    /// The world of a seed. With `print` everything that happens is written to standard error.
    pub fn new(seed: u64, print: bool) -> Self {
        let mut dice = Dice::new(seed);
        let office = Office::new(&mut dice);
        let count = 2 + dice.index(2);
        let rolled_back = dice.chance(60).then(|| dice.index(count));
        let network = office.network();
        let authority = Arc::new(Authority::new(network));
        let machines = (0..count)
            .map(|name| {
                Machine::new(
                    name,
                    HubId::from_bytes(dice.bytes()),
                    SecretKey::from_seed(&dice.bytes()),
                    Arc::clone(&authority),
                )
            })
            .collect::<Vec<_>>();
        let mut ends = (1..count).map(|hub| [hub, 0]).collect::<Vec<_>>();
        if count == 3 && dice.chance(50) {
            ends.push([1, 2]);
        }
        let links = ends.into_iter().map(|ends| Link {
            ends,
            connection: None,
            out_until: 0,
        });
        let spaces = (0..1 + dice.index(3)).map(|_| SpaceId::from_bytes(dice.bytes()));
        let mut world = Self {
            time: 1_000,
            events: BTreeMap::new(),
            scheduled: 0,
            links: links.collect(),
            spaces: spaces.collect(),
            acts: 0,
            joins_late: 0,
            dice,
            trace: Trace::new(print),
            office,
            machines,
            connections: BTreeMap::new(),
            calm: false,
            rolled_back,
            overheard: Vec::new(),
            broken: Vec::new(),
        };
        world.acts = 6 + world.dice.below(15);
        if seed % 50 == 49 {
            world.acts *= 5;
        }
        // In some there is much to be copied for whoever joins.
        world.joins_late = if seed % 4 == 3 { 20_000 } else { 9_000 };
        if seed % 4 == 3 {
            world.acts *= 2;
        }
        world.found();
        world
    }

    /// The authority log's first entries, at the coordinator; all machines start.
    fn found(&mut self) {
        let mut facts = Vec::new();
        for machine in &self.machines {
            let (hub, node) = (machine.hub, machine.node());
            let name = format!("hub {}", machine.name);
            let code = machine.name.to_string();
            facts.push(Fact::Hub { hub, code, name });
            facts.push(Fact::Node { hub, node });
        }
        for space in &self.spaces {
            facts.push(Fact::Space {
                space: *space,
                kind: SpaceKind::Project,
                title: "a project".to_owned(),
            });
            for machine in &self.machines {
                if machine.name == 0 || self.dice.chance(80) {
                    facts.push(grant(*space, machine.hub));
                }
            }
        }
        if let Some(run) = self.office.found(&facts, &mut self.dice) {
            let coordinator = &mut self.machines[0];
            let authority = Arc::clone(&coordinator.authority);
            let stored = coordinator.folder.store.append(&authority, vec![run]);
            debug_assert!(stored.is_ok(), "the memory store never fails");
        }
        for machine in 0..self.machines.len() {
            // A hub that joins late lacks much, and is sent copies.
            let is_late = machine > 0 && self.dice.chance(35);
            let delay = if is_late {
                self.dice.below(self.joins_late)
            } else {
                0
            };
            self.after(delay, Event::Boot { machine });
        }
        for link in 0..self.links.len() {
            let delay = self.dice.below(500);
            self.after(delay, Event::Dial { link });
        }
        self.after(300, Event::Act);
    }

    /// Lets the storm pass, mends everything, waits until nothing happens any more, and looks
    /// whether the promises hold.
    pub fn run(mut self) -> Outcome {
        let mut count = 0;
        while let Some(((time, _), event)) = self.events.pop_first() {
            self.time = time;
            count += 1;
            if count > EVENTS_MAX {
                self.broken.push("the network does not settle".to_owned());
                break;
            }
            self.happen(event);
        }
        self.check();
        Outcome {
            trace: self.trace.value(),
            saved: self
                .machines
                .iter()
                .map(|machine| machine.saved.len())
                .sum(),
            copies: self
                .machines
                .iter()
                .fold(CopyCounts::default(), |mut sum, it| {
                    sum += it.copies;
                    sum
                }),
            broken: self.broken,
        }
    }

    pub(crate) fn after(&mut self, delay: u64, event: Event) {
        self.at(self.time + delay, event);
    }

    pub(crate) fn at(&mut self, time: u64, event: Event) {
        self.scheduled += 1;
        self.events.insert((time, self.scheduled), event);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Act => self.act(),
            Event::RollBack => self.roll_back(),
            Event::Boot { machine } => self.boot(machine),
            Event::Dial { link } => self.dial(link),
            Event::Arrive {
                connection,
                to,
                message,
            } => self.arrive(connection, to, message),
            Event::Hangup {
                connection,
                machine,
            } => self.hear_hangup(connection, machine),
            Event::Disk { machine, life } => {
                if self.machines[machine].life == life {
                    let inputs = self.machines[machine].work(&mut self.dice);
                    for input in inputs {
                        self.tell(machine, input);
                    }
                    self.queue_checks(machine);
                }
            }
            Event::Tick { machine, life } => {
                if self.machines[machine].life == life {
                    self.machines[machine].tick_at = None;
                    self.tell(machine, Input::Tick);
                }
            }
            Event::Check {
                machine,
                life,
                space,
            } => {
                if self.machines[machine].life == life {
                    self.queue(machine, Job::CheckCopy { space });
                }
            }
        }
    }

    fn boot(&mut self, machine: usize) {
        if self.machines[machine].engine.is_some() {
            return;
        }
        self.machines[machine].boot();
        self.queue_checks(machine);
        self.tell(machine, Input::Tick);
        if std::mem::take(&mut self.machines[machine].writes_at_boot) {
            for space in self.spaces.clone() {
                self.queue(machine, Job::Write { space });
            }
        }
    }

    pub(crate) fn tell(&mut self, machine: usize, input: Input) {
        let now = Timestamp(self.time);
        let Some(engine) = &mut self.machines[machine].engine else {
            return;
        };
        let effects = engine.handle(now, input);
        let deadline = engine.next_deadline();
        for effect in effects {
            self.carry_out(machine, effect);
        }
        let due = deadline.map(|due| due.0.max(self.time + 1));
        let life = self.machines[machine].life;
        let tick_at = &mut self.machines[machine].tick_at;
        if let Some(due) = due
            && tick_at.is_none_or(|tick| due < tick)
        {
            *tick_at = Some(due);
            self.at(due, Event::Tick { machine, life });
        }
    }

    fn dial(&mut self, link: usize) {
        let Link {
            ends, connection, ..
        } = self.links[link];
        if connection.is_some() || (self.calm && ends.iter().any(|end| self.is_out(*end))) {
            return;
        }
        let is_down = ends.iter().any(|end| self.machines[*end].engine.is_none());
        if is_down || self.links[link].out_until > self.time {
            let delay = 200 + self.dice.below(800);
            self.after(delay, Event::Dial { link });
            return;
        }
        let id = self.scheduled;
        self.links[link].connection = Some(id);
        let connection = Connection {
            link,
            ends,
            up: true,
            draining: None,
            last: [self.time; 2],
        };
        self.connections.insert(id, connection);
        self.trace
            .note(format_args!("{} {ends:?} connect {id}", self.time));
        let mut exporter = [0; 32];
        exporter[..8].copy_from_slice(&id.to_le_bytes());
        let peer = self.machines[ends[1]].node();
        let (memory, refusals) = self.machines[ends[0]].recall(peer);
        // Now and then the other end shows another key than the last time.
        let known = memory.is_some() && self.dice.chance(80);
        let session = SessionId(id);
        self.tell(
            ends[1],
            Input::Connected {
                session,
                exporter,
                dialled: None,
                memory: None,
                refusals: Vec::new(),
                known: false,
            },
        );
        self.tell(
            ends[0],
            Input::Connected {
                session,
                exporter,
                dialled: Some(peer),
                memory,
                refusals,
                known,
            },
        );
    }

    fn arrive(&mut self, id: u64, to: usize, message: Message) {
        let connection = self.connections.get(&id);
        if connection.is_some_and(|held| held.up || held.draining == Some(to)) {
            let session = SessionId(id);
            self.tell(to, Input::Received { session, message });
        }
    }

    /// Breaks a connection: what is on its way is lost, and each end hears of it in its time.
    pub(crate) fn hang_up(&mut self, id: u64, at_once: Option<usize>) {
        let Some(connection) = self.connections.get_mut(&id).filter(|held| held.up) else {
            return;
        };
        connection.up = false;
        let (ends, link) = (connection.ends, connection.link);
        self.links[link].connection = None;
        self.trace.note(format_args!("{} hang up {id}", self.time));
        for machine in ends {
            let delay = if at_once == Some(machine) {
                0
            } else {
                self.dice.below(400)
            };
            self.after(
                delay,
                Event::Hangup {
                    connection: id,
                    machine,
                },
            );
        }
        let delay = 400 + self.dice.below(1_500);
        self.after(delay, Event::Dial { link });
    }

    fn hear_hangup(&mut self, id: u64, machine: usize) {
        let session = SessionId(id);
        self.machines[machine].equal.remove(&session);
        self.tell(machine, Input::Disconnected { session });
    }

    /// Whether the coordinator knows that the machine was ended for good.
    fn is_out(&self, machine: usize) -> bool {
        let coordinator = &self.machines[0];
        if coordinator.engine.is_none() {
            return false;
        }
        let nodes = coordinator.authority.nodes();
        let node = nodes.get(&self.machines[machine].node());
        node.is_some_and(|record| record.ended.is_some())
    }

    pub(crate) fn machine_of(&self, node: NodeId) -> Option<usize> {
        self.machines
            .iter()
            .position(|machine| machine.node() == node)
    }
}

//! What is private stays where it is, a whole year long: words planted in every field of a hub's
//! records are searched on the wire and at every other node.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use node::Node;
use node::records::ReturnWanted;
use node_domain::sample::{HubYear, SampleOptions, Scale};
use node_domain::{
    Agreement, Check, Class, Field, Filled, Form, GROUP_SUMMARY, KINDS, Kind, Merge, Object,
    Publishing, Rule, Source,
};
use node_feed::{Payload, SpaceId, SpaceKind};
use node_sync::Message;
use serde_json::{Value, json};
use tests::search::Search;
use tests::world::{World, until};

use crate::acting::{SOUTH, WEST, agree_on, all, edit, fields, ncetm, publish, space, wanted};

const SEED: u64 = 3;

/// Words that stand nowhere else, and where each was planted.
#[derive(Debug, Default)]
struct Planted {
    words: Vec<String>,
    /// By kind and field.
    at: BTreeMap<(&'static str, String), String>,
}

impl Planted {
    /// A new word of letters alone, so that no scan takes it for a number or an address.
    fn word(&mut self, kind: &'static Kind, field: &str) -> String {
        let mut number = self.words.len() + 1;
        let mut word = "zq".to_owned();
        for _ in 0..3 {
            let letter = u8::try_from(number % 20).expect("small");
            word.push(char::from(b"bcdfghjklmnpqrstvwxz"[usize::from(letter)]));
            number /= 20;
        }
        word.push_str("qz");
        self.words.push(word.clone());
        self.at.insert((kind.name, field.to_owned()), word.clone());
        word
    }

    /// A value for a field: a planted word wherever the field takes one.
    fn value(
        &mut self,
        kind: &'static Kind,
        within: Option<&Field>,
        field: &Field,
        ids: &BTreeMap<&'static str, String>,
    ) -> Option<Value> {
        let path = within.map_or(field.name.to_owned(), |list| {
            format!("{}/{}", list.name, field.name)
        });
        for rule in kind.rules {
            if let Rule::Names {
                list,
                field: name,
                of,
            } = rule
                && within.is_some_and(|within| within.name == *list)
                && field.name == *name
            {
                return Some(json!(item(of)));
            }
        }
        match field.check {
            Check::Text(_) => Some(json!(self.word(kind, &path))),
            Check::Email => Some(json!(format!(
                "{}@mail.example.org",
                self.word(kind, &path)
            ))),
            Check::OneOf(codes) => Some(json!(codes[0])),
            Check::Number(least, most) => Some(json!(least.max(1).min(most))),
            Check::Pence(..) => Some(json!(100)),
            Check::YesNo | Check::Consent => Some(json!(true)),
            Check::Date => Some(json!("2027-01-12")),
            Check::Time => Some(json!("16:30")),
            Check::AcademicYear => Some(json!("2026-27")),
            Check::Urn | Check::Urns => Some(json!("900777")),
            Check::Reference(kind) => ids.get(kind).map(|id| json!(id)),
        }
    }

    /// Every field of a kind that people fill in.
    fn record(&mut self, kind: &'static Kind, ids: &BTreeMap<&'static str, String>) -> Object {
        let mut record = Object::new();
        let by_hand = |field: &&Field| field.filled == Filled::ByPerson;
        for field in kind.fields.iter().filter(by_hand) {
            let value = match field.merge {
                Merge::Value | Merge::Text => self.value(kind, None, field, ids),
                Merge::Set(_) => self
                    .value(kind, None, field, ids)
                    .map(|value| json!([value])),
                Merge::Count => Some(json!(1)),
                Merge::Places => Some(json!(3)),
                Merge::State(_) => None,
                Merge::List(fields) | Merge::Log(fields) => {
                    let mut values = json!({ "id": item(field.name) });
                    for inner in fields.iter().filter(by_hand) {
                        if !matches!(inner.merge, Merge::State(_)) {
                            let value = self.value(kind, Some(field), inner, ids);
                            values[inner.name] = value.unwrap_or_default();
                        }
                    }
                    values
                        .as_object_mut()
                        .expect("an object")
                        .retain(|_, value| !value.is_null());
                    Some(json!([values]))
                }
            };
            record.extend(value.map(|value| (field.name.to_owned(), value)));
        }
        record
    }

    fn placed(&self, kind: &str, field: &str) -> Option<&String> {
        self.at
            .iter()
            .find(|((of, at), _)| *of == kind && at == field)
            .map(|(_, word)| word)
    }
}

/// The id of the item of a list.
fn item(list: &str) -> String {
    format!("first-of-{list}")
}

/// The kinds to which a kind's fields refer.
fn refers_to(kind: &Kind) -> BTreeSet<&'static str> {
    let inner = kind
        .fields
        .iter()
        .flat_map(|field| field.items().unwrap_or_default());
    let fields = kind.fields.iter().chain(inner);
    let named = fields
        .filter(|field| field.filled == Filled::ByPerson)
        .filter_map(|field| {
            let Check::Reference(of) = field.check else {
                return None;
            };
            (of != kind.name).then_some(of)
        });
    named.collect()
}

/// Plants a record of every kind that stands in a hub, with every field filled in.
fn plant(node: &Node, planted: &mut Planted) -> BTreeMap<&'static str, String> {
    let own = space(node, SpaceKind::Hub).to_string();
    let of_hub = |kind: &&&'static Kind| {
        // The program alone computes returns.
        kind.spaces.contains(&SpaceKind::Hub) && kind.name != "return"
    };
    let mut waiting = KINDS.iter().filter(of_hub).copied().collect::<Vec<_>>();
    let names = waiting
        .iter()
        .map(|kind| kind.name)
        .collect::<BTreeSet<_>>();
    let mut ids = BTreeMap::new();
    while !waiting.is_empty() {
        let ready = waiting.iter().position(|kind| {
            let refers = refers_to(kind);
            refers
                .iter()
                .all(|of| ids.contains_key(of) || !names.contains(of))
        });
        let kind = waiting.remove(ready.expect("references lead somewhere"));
        let record = planted.record(kind, &ids);
        let json = Value::Object(record).to_string();
        let made = node.create_record(kind.name, &own, &json);
        let made = made.unwrap_or_else(|error| panic!("a {}: {error}", kind.name));
        ids.insert(kind.name, made.id.to_string());
    }
    ids
}

/// The words that may leave: planted in a field that a declared step lets out, and that is not the
/// hub's own or a person's without the person's wish.
fn may_leave(planted: &Planted) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for kind in KINDS {
        // What goes on from a project goes on from a copy.
        for step in kind
            .publishing
            .iter()
            .filter(|step| step.stage.from == SpaceKind::Hub)
        {
            for published in step.fields {
                let (name, parts): (&str, &[&str]) = match published.from {
                    Source::Copy(name) => (name, &[]),
                    Source::Items(list, parts) => (list, parts),
                    Source::Schools { list, .. } => (list, &["organisation"]),
                    Source::FrozenHash
                    | Source::FirstMadeBy(_)
                    | Source::CountItems { .. }
                    | Source::CountLatest { .. }
                    | Source::Means { .. } => continue,
                };
                let field = kind.field(name).expect("declared");
                if parts.is_empty() {
                    words.extend(
                        planted
                            .placed(kind.name, name)
                            .filter(|_| open(step, field))
                            .cloned(),
                    );
                }
                for part in parts {
                    let inner = field.items().into_iter().flatten();
                    let inner = inner.filter(|inner| inner.name == *part && open(step, inner));
                    for inner in inner.filter(|_| open(step, field)) {
                        let path = format!("{name}/{}", inner.name);
                        words.extend(planted.placed(kind.name, &path).cloned());
                    }
                }
            }
        }
    }
    words
}

fn open(step: &Publishing, field: &Field) -> bool {
    match field.class {
        Class::Shared => true,
        Class::Personal => matches!(step.agreement, Agreement::OptIn(_)),
        Class::Hub => false,
    }
}

/// Publishes what the sample's year has to tell; what names people is stopped, and stays.
fn publish_year(node: &Node, project: SpaceId) -> (usize, usize) {
    let (mut out, mut stopped) = (0, 0);
    let steps = [
        ("work-group", project),
        ("practice", project),
        ("leader", space(node, SpaceKind::Network)),
        ("plan", space(node, SpaceKind::Pair)),
    ];
    for (kind, into) in steps {
        for id in all(node, kind) {
            if fields(node, &id)
                .get("origin")
                .is_some_and(|origin| !origin.is_null())
            {
                continue;
            }
            match node.publish_record(&id, &into.to_string(), true, "") {
                Ok(_) => out += 1,
                Err(_) => stopped += 1,
            }
        }
    }
    (out, stopped)
}

fn search(folder: &Path, words: &[String]) -> Search {
    let search = Search::of(folder, words).expect("everything can be read");
    assert!(search.files > 0 && search.columns > 0);
    search
}

#[tokio::test(flavor = "multi_thread")]
async fn x2_planted_words_of_a_year_are_on_no_wire_and_at_no_other_node() {
    // Everything that leaves a hub goes through the coordinator.
    let world = World::new().await;
    let mut tap = ncetm(&world).tap().expect("nobody listens yet");
    let mut world = world;
    for hub in [SOUTH, WEST] {
        world.add_hub(hub).await;
        crate::acting::settled(world.hub(hub)).await;
    }
    let (project, record) = world.project("NCP24-11", &[SOUTH, WEST]).await;
    let node = world.hub(SOUTH);
    node.sample(SEED, true).expect("a year");
    let sampled = HubYear::generate(&SampleOptions::new(SEED, SOUTH, Scale::Small));
    let mut planted = Planted::default();
    let ids = plant(node, &mut planted);
    let listed = GROUP_SUMMARY
        .fields
        .iter()
        .map(|field| field.name)
        .collect::<Vec<_>>();
    agree_on(&world, (project, &record), &listed, &[SOUTH]).await;

    // The planted records go as far as any record of their kind may.
    publish(node, &ids["work-group"], project);
    publish(node, &ids["practice"], project);
    publish(node, &ids["leader"], space(node, SpaceKind::Network));
    for state in ["board", "submitted"] {
        edit(node, &ids["plan"], &json!({ "state": state }));
    }
    publish(node, &ids["plan"], space(node, SpaceKind::Pair));
    let reason = planted.word(&node_domain::RETURN, "reason");
    let mut about = wanted("sessions-held", 1, "2027-07-01");
    let (first, _) = crate::acting::report(node, &about);
    about = ReturnWanted {
        replaces: first,
        reason: reason.clone(),
        ..about
    };
    crate::acting::report(node, &about);
    let (out, stopped) = publish_year(node, project);
    println!("of the sample's year {out} records were published and {stopped} were stopped");
    assert!(out > 10, "a year's records were published");
    for shared in [
        project,
        space(node, SpaceKind::Network),
        space(node, SpaceKind::Pair),
    ] {
        world.agree(shared).await;
    }

    // What people in the sample are reached by is as private as what was planted.
    let mut private = planted.words.clone();
    let people = sampled.people.iter();
    private.extend(
        people
            .flat_map(|person| [person.email.clone(), person.phone.clone()])
            .flatten(),
    );
    private.sort();
    private.dedup();
    let mut control = may_leave(&planted);
    control.insert(reason);
    private.retain(|word| !control.contains(word));
    assert!(
        private.len() > 100 && control.len() > 20,
        "{} {}",
        private.len(),
        control.len()
    );
    let words = private.iter().chain(&control).cloned().collect::<Vec<_>>();
    let place = |word: &str| {
        planted
            .at
            .iter()
            .find(|(_, at)| *at == word)
            .map(|(place, _)| place)
    };

    let mut wire = Search::new(&words).expect("words to search for");
    let mut messages = 0;
    until("all was overheard", || {
        while let Ok(message) = tap.try_recv() {
            messages += 1;
            if let Message::Entries { runs, .. } = &message {
                for entry in runs.iter().flat_map(|run| &run.entries) {
                    if let Payload::Held(bytes) = &entry.payload {
                        wire.bytes("the wire", bytes);
                    }
                }
            }
            wire.bytes("the wire, as told", format!("{message:?}").as_bytes());
        }
        wire.changes > 0
    })
    .await;
    let home = search(&world.path(SOUTH), &words);
    let found = home.found().map(str::to_owned).collect::<BTreeSet<_>>();
    let lost = words.iter().filter(|word| !found.contains(*word));
    let lost = lost.map(|word| (word, place(word))).collect::<Vec<_>>();
    assert!(
        lost.is_empty(),
        "the search finds every word at home: {lost:?}"
    );
    assert_eq!(wire.undecoded, 0);
    assert!(messages > 0);
    let far = [
        ("the wire", wire),
        (
            "the coordinator",
            search(&world.path("coordinator"), &words),
        ),
        (WEST, search(&world.path(WEST), &words)),
    ];
    for (name, search) in &far {
        let found = search.found().map(str::to_owned).collect::<BTreeSet<_>>();
        let leaked = private.iter().filter(|word| found.contains(*word));
        let leaked = leaked
            .map(|word| (word, place(word), search.places(word)))
            .collect::<Vec<_>>();
        assert!(leaked.is_empty(), "{name} holds {leaked:?}");
        assert_eq!(search.undecoded, 0, "{name}");
        let kept = control.iter().filter(|word| !found.contains(*word));
        let kept = kept.map(|word| (word, place(word))).collect::<Vec<_>>();
        // What goes to the coordinator alone does not arrive at another hub.
        assert!(*name == WEST || kept.is_empty(), "{name} lacks {kept:?}");
        let summary = planted.placed("work-group", "title").expect("planted");
        assert!(found.contains(summary), "{name}");
    }
    let pair = planted.placed("plan", "needs/statement").expect("planted");
    assert!(
        far[2].1.places(pair).is_empty(),
        "the plan is for the coordinator alone"
    );
    for kind in KINDS
        .iter()
        .filter(|kind| kind.form == Form::Card && kind.publishing.is_empty())
    {
        let own = all(node, kind.name);
        for far in [ncetm(&world), world.hub(WEST)] {
            let theirs = all(far, kind.name);
            assert!(own.iter().all(|id| !theirs.contains(id)), "{}", kind.name);
        }
    }
}

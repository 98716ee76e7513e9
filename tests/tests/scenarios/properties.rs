//! X: what holds across everything.

use std::collections::BTreeSet;
use std::time::Instant;

use node::Node;
use node::clock::now_ms;
use node_feed::{SpaceId, SpaceKind};
use node_sync::Message;
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};
use tests::world::{World, until};

use crate::acting::{
    SOUTH, WEST, add, arrives, edit, edit_at, fields, make, ncetm, network, space,
};

const THIRD: &str = "solent";
/// Within what a project of 10,000 changes is merged, in seconds. On two cores of any machine that
/// a school has it takes a fraction of this.
const MERGED_WITHIN_S: u64 = 30;

/// A seed from the clock, printed, so that a run that failed can be run again.
fn seed() -> u64 {
    let given = std::env::var("CAUSEWAY_SEED").ok();
    let seed = given
        .and_then(|seed| seed.parse().ok())
        .unwrap_or_else(now_ms);
    println!("CAUSEWAY_SEED={seed}");
    seed
}

fn below(random: &mut ChaCha8Rng, bound: u64) -> u64 {
    random.next_u64() % bound
}

/// The spaces that a node may read.
fn readable(node: &Node) -> BTreeSet<SpaceId> {
    let spaces = node.spaces().expect("spaces are listed");
    spaces.into_iter().map(|space| space.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn x2_nothing_reaches_a_node_outside_its_scope() {
    let hubs = [SOUTH, WEST, THIRD];
    let world = network(&hubs).await;
    let mut taps = Vec::new();
    for hub in hubs {
        let node = world.hub(hub);
        taps.push((hub, node.tap().expect("nobody listens yet")));
        // The next session is overheard from its first word.
        node.pause(true);
    }
    until("all sessions have ended", || {
        ncetm(&world).peers_connected().is_empty()
    })
    .await;
    for hub in hubs {
        world.hub(hub).pause(false);
    }
    let (shared, record) = world.project("NCP24-11", &[SOUTH, WEST]).await;
    let mut made = Vec::new();
    for hub in hubs {
        let node = world.hub(hub);
        let own = space(node, SpaceKind::Hub).to_string();
        let word = format!("Quillon of {hub}");
        made.push((hub, make(node, "person", &own, &json!({ "name": word }))));
        made.push((hub, make(node, "practice", &own, &json!({ "title": word }))));
        let pair = space(node, SpaceKind::Pair).to_string();
        made.push((
            hub,
            make(node, "work-group", &pair, &json!({ "title": word })),
        ));
    }
    edit(
        world.hub(SOUTH),
        &record,
        &json!({ "question": "Does it last?" }),
    );
    let everyone = space(world.hub(THIRD), SpaceKind::Network);
    let open = make(
        world.hub(THIRD),
        "practice",
        &everyone.to_string(),
        &json!({ "title": "Open" }),
    );
    for node in [world.hub(SOUTH), world.hub(WEST), ncetm(&world)] {
        arrives(node, &open).await;
    }
    world.agree(shared).await;
    world.agree(everyone).await;
    for hub in hubs {
        world.agree(space(world.hub(hub), SpaceKind::Pair)).await;
    }

    let mut carried = 0;
    for (hub, mut tap) in taps {
        let node = world.hub(hub);
        let own = space(node, SpaceKind::Hub);
        let mut may = readable(node);
        // Who may read what is everybody's to know.
        may.insert(SpaceId::authority(node.network().expect("it is connected")));
        assert_eq!(may.contains(&shared), hub != THIRD);
        while let Ok(message) = tap.try_recv() {
            let said = match message {
                Message::Entries { space, .. }
                | Message::Acknowledged { space, .. }
                | Message::Probe { space, .. }
                | Message::Common { space, .. } => vec![space],
                Message::Spaces { digests, .. } => {
                    digests.into_iter().map(|(space, _)| space).collect()
                }
                Message::Heights(said) => vec![said.space],
                Message::CopyOffer(offer) => vec![offer.space],
                Message::Copy(slice) => vec![slice.space],
                Message::Hello(hello) => {
                    hello.changed.into_iter().map(|(space, _)| space).collect()
                }
                Message::Refused(_)
                | Message::Receipts(_)
                | Message::ReceiptsHeld(_)
                | Message::Goodbye(_) => Vec::new(),
            };
            for space in said {
                carried += 1;
                assert!(may.contains(&space), "{hub} heard or spoke of {space}");
                assert_ne!(space, own, "a hub's own space is never spoken of");
            }
        }
        for (owner, id) in &made {
            assert_eq!(
                node.show_record(id).is_ok(),
                *owner == hub,
                "{owner}'s {id} at {hub}"
            );
        }
    }
    assert!(carried > 0, "something was overheard");
}

#[tokio::test(flavor = "multi_thread")]
async fn x5_sums_are_conserved() {
    let seed = seed();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let world = network(&[SOUTH, WEST]).await;
    let (shared, record) = world.project("NCP24-11", &[SOUTH, WEST]).await;
    let (south, west) = (world.hub(SOUTH), world.hub(WEST));
    let everyone = space(south, SpaceKind::Network);
    let card = json!({ "name": "Quillon Ashgrove" });
    let leader = make(south, "leader", "", &card);
    let days = json!({ "title": "Days", "leader": leader, "term": "spring", "days": 20 });
    let days = make(south, "leader-days", &everyone.to_string(), &days);
    arrives(west, &days).await;
    let commission = make(south, "commission", "", &json!({ "title": "Early years" }));
    let own = [south, west].map(|node| node.hub().expect("its hub").to_string());

    let (mut recorded, mut pence, mut taken, mut sums) = (0, 0, [0_i64; 2], Vec::new());
    for round in 0..60 {
        let at = usize::try_from(below(&mut random, 2)).expect("small");
        let node = [south, west][at];
        if below(&mut random, 4) == 0 {
            node.pause(round % 2 == 0);
        }
        let count = i64::try_from(1 + below(&mut random, 4)).expect("small");
        match below(&mut random, 5) {
            0 => {
                let count = if below(&mut random, 4) == 0 {
                    -count
                } else {
                    count
                };
                edit(
                    node,
                    &record,
                    &json!([{ "do": "count", "field": "recordings", "by": count }]),
                );
                recorded += count;
            }
            1 => {
                let line = json!({
                    "kind": "invoice", "from": "Partner", "to": "Hub",
                    "pence": 100 * count, "reference": format!("I{round}"),
                });
                edit(south, &commission, &json!([add("money", &line)]));
                pence += 100 * count;
                sums.push(100 * count);
            }
            2 => {
                let pass =
                    json!([{ "do": "pass", "field": "days", "to": own[1 - at], "count": count }]);
                // It passes on what it holds, or is refused; nothing is made either way.
                let _refused = node.edit_record(&days, "", &pass.to_string());
            }
            step => {
                let what = if step == 3 { "take" } else { "give_back" };
                let change = json!([{ "do": what, "field": "days", "count": count }]);
                if node.edit_record(&days, "", &change.to_string()).is_ok() {
                    taken[at] += if step == 3 { count } else { -count };
                }
            }
        }
        let places = &fields(node, &days)["days"];
        assert!(number(&places["taken"]) <= 20, "seed {seed}: {places}");
    }
    south.pause(false);
    west.pause(false);
    world.agree(shared).await;
    world.agree(everyone).await;
    for node in [south, west, ncetm(&world)] {
        assert_eq!(fields(node, &record)["recordings"], recorded, "seed {seed}");
        let places = &fields(node, &days)["days"];
        assert_eq!(number(&places["issued"]), 20);
        assert_eq!(
            number(&places["taken"]),
            taken[0] + taken[1],
            "seed {seed}: {places}"
        );
        let held = places["held"].as_object().expect("who holds them");
        assert!(
            held.values().all(|held| number(held) >= 0),
            "seed {seed}: {places}"
        );
        let held = held.values().map(number).sum::<i64>();
        assert_eq!(held + taken[0] + taken[1], 20, "seed {seed}: {places}");
    }
    let lines = fields(south, &commission)["money"].clone();
    let lines = lines.as_array().expect("lines");
    let told = lines
        .iter()
        .map(|line| number(&line["pence"]))
        .collect::<Vec<_>>();
    assert_eq!(
        (told.iter().sum::<i64>(), told),
        (pence, sums),
        "every line, in its order"
    );
}

fn number(value: &Value) -> i64 {
    value
        .as_i64()
        .unwrap_or_else(|| panic!("{value} is a number"))
}

#[tokio::test(flavor = "multi_thread")]
async fn x6_the_loser_stays_in_the_history() {
    let world = network(&[SOUTH, WEST]).await;
    let (shared, record) = world.project("NCP24-11", &[SOUTH, WEST]).await;
    let begun = now_ms();
    let measure = json!({ "name": "Talk", "version": 1, "replaces": 1 });
    edit(ncetm(&world), &record, &json!([add("measures", &measure)]));
    world.agree(shared).await;
    let shown = ncetm(&world).show_record(&record).expect("shown");
    let item = shown.fields["measures"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let replaces = format!("measures/{item}/replaces");
    let by = [(SOUTH, "Does it last?", 2), (WEST, "Does it spread?", 3)];
    for (hub, question, version) in by {
        let changes = json!([
            { "do": "set", "field": "question", "value": question },
            { "do": "set", "field": replaces, "value": version },
            { "do": "set", "field": "phase", "value": if hub == SOUTH { "primary" } else { "all" } },
            { "do": "set", "field": "state", "value": if hub == SOUTH { "running" } else { "stopped" } },
        ]);
        edit_at(world.hub(hub), &record, &shown.heads, &changes);
    }
    world.agree(shared).await;
    for node in [world.hub(SOUTH), world.hub(WEST), ncetm(&world)] {
        for (field, values) in [
            (
                "question",
                [json!("Does it last?"), json!("Does it spread?")],
            ),
            (replaces.as_str(), [json!(2), json!(3)]),
            ("phase", [json!("primary"), json!("all")]),
            ("state", [json!("running"), json!("stopped")]),
        ] {
            let steps = node.record_history(&record, field).expect("a history");
            let steps = steps.as_array().expect("steps");
            for (hub, value) in [SOUTH, WEST].into_iter().zip(values) {
                let step = steps.iter().find(|step| step["value"] == value);
                let step = step.unwrap_or_else(|| panic!("{field}: {value} is in {steps:?}"));
                assert_eq!(step["hub"], hub, "{field}");
                let time = step["time_ms"].as_u64().expect("a time");
                assert!((begun..=now_ms()).contains(&time), "{field}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn x8_a_project_of_ten_thousand_changes_is_merged_in_time() {
    const EACH: usize = 5_000;
    const PER_EDIT: usize = 100;
    let world = network(&[SOUTH, WEST]).await;
    let (shared, record) = world.project("NCP24-11", &[SOUTH, WEST]).await;
    for hub in [SOUTH, WEST] {
        let node = world.hub(hub);
        node.pause(true);
        for part in 0..EACH / PER_EDIT {
            let changes = (0..PER_EDIT).map(|at| {
                let number = part * PER_EDIT + at;
                match number % 4 {
                    0 => json!({ "do": "set", "field": "question", "value": format!("{hub} {number}") }),
                    1 => json!({ "do": "count", "field": "recordings", "by": 1 }),
                    2 => json!({
                        "do": "include", "field": "agreed_fields", "element": format!("f{}", number % 50),
                    }),
                    _ => json!({
                        "do": "set", "field": "phase",
                        "value": if number % 8 == 3 { "primary" } else { "all" },
                    }),
                }
            });
            edit(node, &record, &changes.collect());
        }
    }
    merged_in_time(&world, shared, &record).await;
}

async fn merged_in_time(world: &World, shared: SpaceId, record: &str) {
    let begun = Instant::now();
    for hub in [SOUTH, WEST] {
        world.hub(hub).pause(false);
    }
    world.agree(shared).await;
    let took = begun.elapsed();
    println!("10,000 changes of one project were merged at three nodes in {took:?}");
    for node in [world.hub(SOUTH), world.hub(WEST), ncetm(world)] {
        assert_eq!(fields(node, record)["recordings"], 2_500);
    }
    assert!(took.as_secs() < MERGED_WITHIN_S, "{took:?}");
}

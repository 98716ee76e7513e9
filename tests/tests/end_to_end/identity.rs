//! Identity keys that are replaced: nobody enrols again, and nothing that was written is lost.

use std::path::Path;

use coordinator::Coordinator;
use coordinator::saved_keys::{NextIdentity, SavedKeys};
use node::Node;
use node::identity::IdentityError;
use node_feed::{Access, NodeId, SecretKey, SpaceId, Succession};
use serde_json::json;
use tests::world::{World, until};

const SOUTH: &str = "south-yorkshire";
const WEST: &str = "west-yorkshire";

fn make(node: &Node, space: SpaceId, title: &str) {
    let fields = json!({ "title": title }).to_string();
    let made = node.create_record("practice", &space.to_string(), &fields);
    made.expect("it is made");
}

fn titles(node: &Node) -> Vec<String> {
    let listed = node.list_records("practice", "").expect("a list");
    let mut titles = listed
        .into_iter()
        .map(|line| line.title)
        .collect::<Vec<_>>();
    titles.sort();
    titles
}

/// Closes a hub's node and opens it again, as `serve` does by itself.
async fn reopen(world: &mut World, hub: &'static str) {
    world.hub(hub).reopening().await;
    world.stop_hub(hub).await;
    world.start_hub(hub);
}

fn is_ended(world: &World, node: NodeId) -> bool {
    let authority = world.coordinator().operations().node().authority();
    let record = authority.nodes().get(&node).expect("it is known");
    record.ended.is_some()
}

/// The keys as they are in a safe, with a next identity key beside them.
fn next_identity(world: &World, safe: &Path) -> (SecretKey, Succession) {
    let network = world.keys().root.public().network();
    let next = NextIdentity::prepare(safe, network).expect("prepared");
    let mut seed = [0; 32];
    hex::decode_to_slice(&*next.to_hex(), &mut seed).expect("a seed");
    (SecretKey::from_seed(&seed), next.succession().clone())
}

fn pinned(world: &World, hub: &str) -> String {
    let file = world.path(hub).join("membership.toml");
    std::fs::read_to_string(file).expect("a membership")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_takes_another_key_and_all_that_it_wrote_counts_also_for_who_comes_later() {
    let mut world = World::new().await;
    for hub in [SOUTH, WEST] {
        world.add_hub(hub).await;
    }
    let (space, _) = world.project("NCP24-11", &[SOUTH, WEST]).await;
    make(world.hub(SOUTH), space, "Under the first key");
    world.agree(space).await;
    let former = world.hub(SOUTH).identity().clone();
    let old = former.public().node();

    // The coordinator is away: nothing changes, and the work goes on.
    world.stop_coordinator().await;
    let failed = world.hub(SOUTH).replace_identity().await;
    assert!(matches!(failed, Err(IdentityError::Enrol(_))), "{failed:?}");
    assert_eq!(world.hub(SOUTH).id(), old);
    make(world.hub(SOUTH), space, "While it was away");
    world.start_coordinator().await;

    let new = world.hub(SOUTH).replace_identity().await.expect("replaced");
    // Until it is opened again it writes as before.
    make(world.hub(SOUTH), space, "Just before");
    let again = world.hub(SOUTH).replace_identity().await;
    assert_eq!(again.expect("the same again"), new);
    reopen(&mut world, SOUTH).await;
    assert_eq!(world.hub(SOUTH).id(), new);
    make(world.hub(SOUTH), space, "Under the second key");
    world.agree(space).await;
    until("the first key has no access", || is_ended(&world, old)).await;
    until("that is known here", || {
        world.hub(SOUTH).succession().expect("it is read").is_none()
    })
    .await;
    make(world.hub(SOUTH), space, "And on");

    // Who has a copy of the first key has nothing: no session, no certificate, no other key.
    let stands = world.coordinator().operations();
    assert_eq!(stands.node().authority().hub_of(&old), None);
    let thief = SecretKey::from_seed(&[7; 32]).public().node();
    let network = world.coordinator().network();
    let stolen = Succession::sign(network, &former, thief);
    assert!(stands.succeed(&stolen).is_err());

    // Whoever comes later has all of it.
    world.add_hub("london-thames").await;
    let operations = world.coordinator().operations();
    let granted = operations.grant(space, "london-thames", Access::Read);
    granted.expect("access");
    world.agree(space).await;
    let all = [
        "And on",
        "Just before",
        "Under the first key",
        "Under the second key",
        "While it was away",
    ];
    for hub in [SOUTH, WEST, "london-thames"] {
        assert_eq!(titles(world.hub(hub)), all, "{hub}");
    }
    let listed = operations.nodes();
    let of_south = listed.iter().filter(|node| node.code == SOUTH);
    let revoked = of_south.map(|node| (node.node, node.revoked));
    let mut revoked = revoked.collect::<Vec<_>>();
    revoked.sort();
    let mut expected = [(old, true), (new, false)];
    expected.sort();
    assert_eq!(revoked, expected);
    let verified = world.hub(WEST).verify(|_| true);
    verified.expect("all is in order");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_coordinator_takes_another_key_and_hubs_that_were_away_or_only_invited_follow() {
    let mut world = World::new().await;
    let safe = world.path("safe");
    world.keys().write(&safe).expect("saved");
    for hub in [SOUTH, WEST] {
        world.add_hub(hub).await;
    }
    let (space, _) = world.project("NCP24-11", &[SOUTH, WEST]).await;
    world.agree(space).await;
    let invited = world.invite("london-thames");
    world.stop_hub(WEST).await;
    let first = world.coordinator().operations().node().id();
    for turn in 0..2 {
        let (next, succession) = next_identity(&world, &safe);
        let operations = world.coordinator().operations();
        let replaced = operations.replace_identity(&next, &succession);
        assert!(replaced.expect("replaced"));
        make(operations.node(), space, &format!("Turn {turn}, before"));
        operations.node().reopening().await;
        world.stop_coordinator().await;
        world.start_coordinator().await;
        let operations = world.coordinator().operations();
        assert_eq!(operations.node().id(), succession.successor);
        let again = operations.replace_identity(&next, &succession);
        assert!(!again.expect("nothing is left to do"));
        assert!(is_ended(&world, succession.former));
        make(operations.node(), space, &format!("Turn {turn}, after"));
        let network = world.coordinator().network();
        let next = NextIdentity::prepare(&safe, network).expect("the same");
        assert_eq!(*next.succession(), succession);
        next.adopt().expect("it is in the safe");
        world.agree(space).await;
        assert_eq!(titles(world.hub(SOUTH)).len(), 2 * (turn + 1));
    }
    let last = world.coordinator().operations().node().id();
    until("south has pinned it", || {
        pinned(&world, SOUTH).contains(&last.to_string())
    })
    .await;

    // West was away through both, and trusts the first key still.
    assert!(pinned(&world, WEST).contains(&first.to_string()));
    world.start_hub(WEST);
    world.agree(space).await;
    until("west has pinned it", || {
        pinned(&world, WEST).contains(&last.to_string())
    })
    .await;
    make(world.hub(WEST), space, "West goes on");
    world.agree(space).await;

    // And so does an invitation that names it.
    let path = world.path("london-thames");
    std::fs::create_dir_all(&path).expect("a folder");
    let node = Node::create(&path).expect("a node");
    world.connect(&node, &invited).await;
    drop(node);
    world.start_hub("london-thames");
    world.hub("london-thames").in_sync(1).await;
    assert!(pinned(&world, "london-thames").contains(&last.to_string()));

    // The disk is lost: what the safe holds leads also who was away from the first key to the last.
    let keys = SavedKeys::read(&safe).expect("the safe");
    assert_eq!(keys.identity.public().node(), last);
    world.stop_hub(WEST).await;
    let text = pinned(&world, WEST).replace(&last.to_string(), &first.to_string());
    std::fs::write(world.path(WEST).join("membership.toml"), text).expect("as from a backup");
    world.use_keys(keys);
    world.lose_coordinator().await;
    world.start_hub(WEST);
    world.agree(space).await;
    assert_eq!(titles(world.hub(WEST)).len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_former_key_that_was_stolen_leads_no_hub_away_for_good() {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    world.hub(SOUTH).in_sync(1).await;
    let before = pinned(&world, SOUTH);
    world.stop_coordinator().await;
    // Who has the coordinator's keys but that of the record of access names one of their own as its
    // successor, and answers in its place.
    let folder = world.path("thief");
    let stolen = world.keys();
    let identity = SecretKey::from_seed(&[7; 32]);
    let network = stolen.root.public().network();
    let succession = Succession::sign(network, &stolen.identity, identity.public().node());
    let keys = SavedKeys {
        root: stolen.root.clone(),
        identity,
        successions: vec![succession],
        hub: stolen.hub,
        authority: stolen.authority.clone(),
    };
    let data = world.settings_for("thief");
    assert_eq!(data, folder);
    let thief = Coordinator::set_up_again(&data, &keys).expect("set up");
    let serving = thief.serve().await.expect("it serves");
    let south = world.hub(SOUTH).identity().public().node();
    until("the hub follows", || {
        thief.operations().node().peers_connected().contains(&south)
    })
    .await;
    serving.stop(std::time::Duration::ZERO).await;
    drop(thief);
    assert_eq!(
        pinned(&world, SOUTH),
        before,
        "nothing is pinned on that word alone"
    );
    world.start_coordinator().await;
    world.hub(SOUTH).in_sync(1).await;
    assert_eq!(pinned(&world, SOUTH), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_take_a_keys_place_is_refused_in_a_sentence_and_changes_nothing() {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    world.add_hub(WEST).await;
    world.hub(SOUTH).in_sync(1).await;
    let operations = world.coordinator().operations();
    let network = world.coordinator().network();
    let log = || operations.node().authority().length();
    let length = log();
    let [south, west] = [SOUTH, WEST].map(|hub| world.hub(hub).identity().clone());
    let stranger = SecretKey::from_seed(&[8; 32]);
    let node = |key: &SecretKey| key.public().node();
    let own = &world.keys().identity;
    let refused = [
        (&stranger, node(&south), "has no access"),
        (&south, node(&west), "used before"),
        (own, node(&stranger), "replaced at the coordinator"),
    ];
    for (former, successor, says) in refused {
        let succession = Succession::sign(network, former, successor);
        let error = operations.succeed(&succession).expect_err("refused");
        assert!(error.to_string().contains(says), "{error}");
    }
    for (former, successor) in [(&west, &stranger), (&west, &south), (&stranger, &south)] {
        let succession = Succession::sign(network, former, node(successor));
        let error = operations.end_former(&succession).expect_err("refused");
        assert!(error.to_string().contains("has no access"), "{error}");
    }
    assert_eq!(log(), length);

    // A hub that takes key after key is stopped before the record of access grows without end.
    let mut keys = vec![south.clone()];
    keys.extend((20..25).map(|seed| SecretKey::from_seed(&[seed; 32])));
    let taken = keys.windows(2).map(|pair| {
        let succession = Succession::sign(network, &pair[0], node(&pair[1]));
        operations
            .succeed(&succession)
            .map_err(|error| error.to_string())
    });
    let taken = taken.collect::<Vec<_>>();
    assert!(taken[..4].iter().all(Result::is_ok), "{taken:?}");
    assert!(
        taken[4].as_ref().is_err_and(|it| it.contains("tomorrow")),
        "{taken:?}"
    );
    let of_west = Succession::sign(network, &west, node(&stranger));
    operations
        .succeed(&of_west)
        .expect("others are not held up");

    // The coordinator's own.
    let next = SecretKey::from_seed(&[9; 32]);
    let of = |former: &SecretKey| Succession::sign(network, former, node(&next));
    let error = operations
        .replace_identity(&next, &of(&stranger))
        .expect_err("refused");
    assert!(error.to_string().contains("newest copy"), "{error}");
    let elsewhere = Succession::sign(node_feed::NetworkId::from_bytes([1; 16]), own, node(&next));
    let error = operations
        .replace_identity(&next, &elsewhere)
        .expect_err("refused");
    assert!(error.to_string().contains("not of this network"), "{error}");
    let waits = world.invite_to_wait("east-anglia");
    let asks = world.new_node("east-anglia");
    let connecting = asks
        .connect(&waits.to_toml().expect("text"))
        .expect("it asks");
    until("it waits", || {
        !operations.waiting().expect("listed").is_empty()
    })
    .await;
    let error = operations
        .replace_identity(&next, &of(own))
        .expect_err("refused");
    assert!(error.to_string().contains("check numbers"), "{error}");
    assert_eq!(operations.node().succession().expect("it is read"), None);
    drop(connecting);
}

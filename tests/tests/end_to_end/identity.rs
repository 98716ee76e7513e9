//! Identity keys that are replaced: nobody enrols again, and nothing that was written is lost.

use std::path::Path;

use coordinator::Coordinator;
use coordinator::saved_keys::{NextIdentity, SavedKeys};
use node::Node;
use node::identity::IdentityError;
use node_feed::{Access, Hash, NodeId, SecretKey, SpaceId, Succession};
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

/// Has the coordinator take the next identity key of a safe, and opens it again.
async fn take_next(world: &mut World, safe: &Path) -> Succession {
    let (next, succession) = next_identity(world, safe);
    let operations = world.coordinator().operations();
    operations
        .replace_identity(&next, &succession)
        .expect("replaced");
    operations.node().reopening().await;
    world.stop_coordinator().await;
    world.start_coordinator().await;
    succession
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
        until("the former has no access", || {
            is_ended(&world, succession.former)
        })
        .await;
        until("that is known", || {
            let operations = world.coordinator().operations();
            operations
                .node()
                .succession()
                .expect("it is read")
                .is_none()
        })
        .await;
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
    until("it has pinned the last", || {
        pinned(&world, "london-thames").contains(&last.to_string())
    })
    .await;

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
        (
            &stranger,
            node(&SecretKey::from_seed(&[9; 32])),
            "has no access",
        ),
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
        let mark = operations.node().ends_mark(node(former), world.keys().hub);
        let error = operations.end_former(&succession, mark.expect("a mark"));
        let error = error.expect_err("refused").to_string();
        assert!(error.contains("has no access"), "{error}");
    }
    assert_eq!(log(), length);

    // The coordinator's own.
    let next = SecretKey::from_seed(&[9; 32]);
    let of = |former: &SecretKey| Succession::sign(network, former, node(&next));
    let error = operations.replace_identity(&next, &of(&stranger));
    let error = error.expect_err("refused").to_string();
    assert!(error.contains("newest copy"), "{error}");
    let elsewhere = Succession::sign(node_feed::NetworkId::from_bytes([1; 16]), own, node(&next));
    let error = operations.replace_identity(&next, &elsewhere);
    let error = error.expect_err("refused").to_string();
    assert!(error.contains("not of this network"), "{error}");
    let waits = world.invite_to_wait("east-anglia");
    let asks = world.new_node("east-anglia");
    let connecting = asks.connect(&waits.to_toml().expect("text"));
    let connecting = connecting.expect("it asks");
    until("it waits", || {
        !operations.waiting().expect("listed").is_empty()
    })
    .await;
    let error = operations.replace_identity(&next, &of(own));
    let error = error.expect_err("refused").to_string();
    assert!(error.contains("check numbers"), "{error}");
    assert_eq!(operations.node().succession().expect("it is read"), None);
    drop(connecting);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_key_brings_in_no_second_one_and_ends_nobody_who_still_works() {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    world.hub(SOUTH).in_sync(1).await;
    let operations = world.coordinator().operations();
    let network = world.coordinator().network();
    let (south, owner) = (world.hub(SOUTH).identity().clone(), world.hub(SOUTH).id());
    let keys = (20..26).map(|seed| SecretKey::from_seed(&[seed; 32]));
    let keys = keys.collect::<Vec<_>>();
    let node = |key: &SecretKey| key.public().node();
    let says = |former: &SecretKey, successor| Succession::sign(network, former, successor);

    // The thief is first, and would shut the owner out, who is at work: that is refused.
    let first = says(&south, node(&keys[0]));
    operations.succeed(&first).expect("nobody can tell yet");
    let mark = |of| operations.node().ends_mark(of, world.keys().hub);
    let ended = operations.end_former(&first, mark(owner).expect("a mark"));
    let ended = ended.expect_err("refused").to_string();
    assert!(ended.contains("still has a session"), "{ended}");
    // The hub is told of a computer that it does not know, and that its own key cannot be replaced.
    until("the hub is told", || {
        let status = world.hub(SOUTH).status().expect("how it stands");
        status["unknown_nodes"]
            .to_string()
            .contains("telephone NCETM")
    })
    .await;
    let refused = world
        .hub(SOUTH)
        .replace_identity()
        .await
        .expect_err("refused");
    assert!(
        refused.to_string().contains("the key was stolen"),
        "{refused}"
    );
    // Once NCETM has ended that one, the owner's key can be replaced.
    let thief = node(&keys[0]).to_string();
    operations
        .revoke_node(&thief, SOUTH, "it was stolen", &[])
        .expect("it is ended");
    world.hub(SOUTH).replace_identity().await.expect("replaced");
    let refused = operations.succeed(&says(&south, node(&keys[1])));
    let refused = refused.expect_err("one is enough").to_string();
    assert!(refused.contains("the key was stolen"), "{refused}");

    // And nobody takes key after key: each waits until the one before it has ended.
    reopen(&mut world, SOUTH).await;
    until("the first key has no access", || is_ended(&world, owner)).await;
    let mut last = world.hub(SOUTH).identity().clone();
    world.stop_hub(SOUTH).await;
    let operations = world.coordinator().operations();
    let mut taken = 1;
    for (at, next) in keys[2..].iter().enumerate() {
        let succession = Succession::sign(network, &last, node(next));
        match operations.succeed(&succession) {
            Ok(()) => taken += 1,
            Err(error) => {
                assert!(error.to_string().contains("tomorrow"), "{error}");
                assert_eq!(taken, 4, "{at}");
                return;
            }
        }
        let twice = Succession::sign(network, next, node(&SecretKey::from_seed(&[40; 32])));
        let error = operations
            .succeed(&twice)
            .expect_err("the one before is not ended");
        assert!(error.to_string().contains("still has access"), "{error}");
        let mark = operations.node().ends_mark(node(&last), world.keys().hub);
        let wrong = operations.end_former(&succession, Hash::ZERO);
        let wrong = wrong.expect_err("not what is held").to_string();
        assert!(wrong.contains("not all"), "{wrong}");
        until("its session has ended", || {
            !operations.node().peers_connected().contains(&node(&last))
        })
        .await;
        operations
            .end_former(&succession, mark.expect("a mark"))
            .expect("it is ended");
        last = next.clone();
    }
    panic!("{taken} keys in one day");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_former_key_wrote_is_not_cut_before_all_of_it_has_arrived() {
    let mut world = World::new().await;
    let safe = world.path("safe");
    world.keys().write(&safe).expect("saved");
    world.add_hub(WEST).await;
    let south = world.new_node(SOUTH);
    let invited = world.invite(SOUTH);
    world.connect(&south, &invited).await;
    drop(south);
    world.start_hub(SOUTH);
    let (space, _) = world.project("NCP24-11", &[SOUTH, WEST]).await;
    world.agree(space).await;
    let old = world.hub(SOUTH).id();
    world.hub(SOUTH).replace_identity().await.expect("replaced");
    // Written under the first key, and the network fails before any of it leaves.
    world.hub(SOUTH).pause(true);
    for number in 0..20 {
        make(world.hub(SOUTH), space, &format!("No. {number:02}"));
    }
    world.hub(SOUTH).reopening().await;
    world.stop_hub(SOUTH).await;
    // Meanwhile the coordinator takes another key, so that the hub has to follow first.
    take_next(&mut world, &safe).await;

    world.start_hub(SOUTH);
    let status = world.hub(SOUTH).status().expect("how it stands");
    assert!(status["not_sent"].as_u64() >= Some(20), "{status}");
    make(world.hub(SOUTH), space, "No. 20");
    world.agree(space).await;
    until("the first key has no access", || is_ended(&world, old)).await;
    world.agree(space).await;
    for hub in [SOUTH, WEST] {
        assert_eq!(titles(world.hub(hub)).len(), 21, "{hub}");
    }
    let listed = world.hub(SOUTH).status().expect("how it stands");
    assert_eq!(listed["not_sent"], 0);
    assert_eq!(listed["unknown_nodes"], json!(null), "it is the hub's own");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_from_before_shows_the_same_check_number_after_the_coordinator_took_a_key() {
    let mut world = World::new().await;
    let safe = world.path("safe");
    world.keys().write(&safe).expect("saved");
    let invited = world.invite_to_wait(SOUTH);
    let succession = take_next(&mut world, &safe).await;
    let node = world.new_node(SOUTH);
    let connecting = node.connect(&invited.to_toml().expect("text"));
    let connecting = connecting.expect("it asks");
    let operations = world.coordinator().operations();
    let number = || {
        let waiting = operations.waiting().expect("listed");
        let shown = waiting.first().map(|it| it.check_number.clone());
        shown.filter(|number| !number.is_empty())
    };
    until("both show one", || {
        number().is_some() && connecting.check_number().is_some()
    })
    .await;
    let here = connecting.check_number().map(|number| number.to_string());
    assert_eq!(here, number());
    // The key that was pinned is the invitation's until the record of access names the other.
    operations.admit_waiting(SOUTH, "").expect("admitted");
    connecting.outcome().await;
    let first = succession.former.to_string();
    assert!(pinned(&world, SOUTH).contains(&first));
    assert_eq!(operations.nodes()[0].check_number, here.unwrap_or_default());
    drop((connecting, node));
    world.start_hub(SOUTH);
    world.hub(SOUTH).in_sync(1).await;
    until("it has pinned the other", || {
        pinned(&world, SOUTH).contains(&succession.successor.to_string())
    })
    .await;
    // Connected once more, and admitted at once, it shows the number that was compared.
    let compared = |world: &World| world.hub(SOUTH).check_number();
    let before = compared(&world);
    assert!(before.is_some());
    let again = world.invite(SOUTH).to_toml().expect("text");
    let connecting = world.hub(SOUTH).connect(&again).expect("it asks");
    connecting.outcome().await;
    assert_eq!(compared(&world), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_safe_whose_next_key_was_never_put_in_its_place_still_makes_the_coordinator_again() {
    let mut world = World::new().await;
    let safe = world.path("safe");
    world.keys().write(&safe).expect("saved");
    for hub in [SOUTH, WEST] {
        world.add_hub(hub).await;
    }
    let (space, _) = world.project("NCP24-11", &[SOUTH, WEST]).await;
    world.agree(space).await;
    world.stop_hub(WEST).await;
    let (next, succession) = next_identity(&world, &safe);
    let operations = world.coordinator().operations();
    operations
        .replace_identity(&next, &succession)
        .expect("replaced");
    // Another copy of the safe knows nothing of it.
    let another = world.path("another-safe");
    world.keys().write(&another).expect("saved");
    let (other, word) = next_identity(&world, &another);
    let error = operations.replace_identity(&other, &word);
    let error = error.expect_err("one at a time").to_string();
    assert!(error.contains("newest copy"), "{error}");
    world.stop_coordinator().await;
    world.start_coordinator().await;
    until("south has pinned it", || {
        pinned(&world, SOUTH).contains(&succession.successor.to_string())
    })
    .await;
    // The disk is lost before the safe's folder was told that it is done.
    let keys = SavedKeys::read(&safe).expect("the safe");
    assert_eq!(keys.identity.public().node(), succession.successor);
    world.use_keys(keys);
    world.lose_coordinator().await;
    world.start_hub(WEST);
    make(world.hub(WEST), space, "West follows");
    world.agree(space).await;
}

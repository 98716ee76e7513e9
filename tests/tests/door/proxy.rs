//! Networks that have to be left through a proxy.

use node::Node;
use node::enrolment::ConnectingState;

use crate::middle::{FILTER, HOST, Inspector, Manner, Middle};
use crate::program::{by_name, checks, command, folder, named_world, run, written};

const CREDENTIALS: &str = "hub:p@ss word";
const WRITTEN: &str = "hub:p%40ss%20word";

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_connects_shares_and_gets_a_new_certificate_through_a_proxy_with_a_password() {
    let mut world = named_world().await;
    let middle = Middle::start(world.coordinator_address(), Manner::Wanting(CREDENTIALS)).await;
    let setting = format!("proxy = \"http://{WRITTEN}@{}\"", middle.address());
    let path = folder(&world, "south", &setting);
    let invitation = by_name(&world, world.invite("south"));

    // Nobody knows the coordinator's name here: whatever reaches it came through the proxy.
    let node = Node::create(&path).expect("a node");
    let connecting = node.connect(&invitation.to_toml().expect("text"));
    let outcome = connecting.expect("it asks").outcome().await;
    assert_eq!(outcome, ConnectingState::Admitted);
    let after_connecting = middle.passed();
    assert!(after_connecting > 0);
    drop(node);
    world.start_hub("south");
    world.hub("south").in_sync(1).await;
    let after_session = middle.passed();
    assert!(after_session > after_connecting);

    // As after a restore: there is no certificate, and a new one is asked for.
    world.stop_hub("south").await;
    let credentials = path.join("credentials.pem");
    std::fs::remove_file(&credentials).expect("deleted");
    world.start_hub("south");
    world.hub("south").in_sync(1).await;
    assert!(credentials.exists());
    assert!(middle.passed() > after_session + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_names_the_proxy_and_what_needs_none() {
    let world = named_world().await;
    let middle = Middle::start(world.coordinator_address(), Manner::Wanting(CREDENTIALS)).await;
    let invitation = by_name(&world, world.invite_to_wait("south"));
    let file = written(&world, "south.toml", &invitation);
    let file = file.to_str().expect("plain text");
    let proxy = format!("http://{WRITTEN}@{}", middle.address());

    for (name, exempt, code) in [
        ("HTTPS_PROXY", "", 0),
        ("https_proxy", "somewhere.else", 0),
        ("HTTPS_PROXY", HOST, 69),
        ("HTTP_PROXY", "", 69),
    ] {
        let path = folder(&world, &format!("{name}-{exempt}-{code}"), "");
        assert_eq!(run(command(&path, &["init"])).await.code, Some(0));
        let mut connect = command(&path, &["connect", file, "--no-wait"]);
        connect.env(name, &proxy).env("NO_PROXY", exempt);
        let said = run(connect).await;
        // A code is bound to the first node that uses it, and only one of these reaches anybody.
        let reached = said.code != Some(69);
        assert_eq!(reached, code == 0, "{name} {exempt}: {}", said.error);
        assert!(
            !said.error.contains("p%40ss") && !said.error.contains("p@ss"),
            "{}",
            said.error
        );
    }
    assert!(middle.passed() > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_proxy_refuses_reaches_whoever_connects_and_the_doctor_alike() {
    let world = named_world().await;
    let invitation = by_name(&world, world.invite_to_wait("south"));
    let file = written(&world, "south.toml", &invitation);
    let file = file.to_str().expect("plain text");
    let cases = [
        (
            Manner::Wanting("somebody:else"),
            "does not accept the name and password",
        ),
        (Manner::Refusing(403), "does not let this computer through"),
        (Manner::Refusing(504), "cannot reach causeway.test"),
        (Manner::Refusing(302), "sign in on a page first"),
    ];
    for (at, (manner, says)) in cases.into_iter().enumerate() {
        let middle = Middle::start(world.coordinator_address(), manner).await;
        let proxy = format!("proxy = \"http://{WRITTEN}@{}\"", middle.address());
        let path = folder(&world, &format!("hub-{at}"), &proxy);
        assert_eq!(run(command(&path, &["init"])).await.code, Some(0));
        let said = run(command(&path, &["connect", file])).await;
        assert_eq!(said.code, Some(69), "{}", said.error);
        assert!(said.error.contains(says), "{}", said.error);
        assert!(
            said.error.contains(&middle.address().to_string()),
            "{}",
            said.error
        );
        assert!(
            !said.error.contains("p%40ss") && !said.error.contains("p@ss"),
            "{}",
            said.error
        );

        let doctor = run(command(&path, &["--json", "doctor", file])).await;
        assert_eq!(doctor.code, Some(2), "{}", doctor.error);
        let found = checks(&doctor);
        let of = |name: &str| {
            found
                .iter()
                .find(|it| it["check"] == name)
                .expect("a check")
        };
        let proxy = of("proxy");
        assert_eq!(proxy["verdict"], "fault", "{proxy}");
        let sentence = format!("{}; {}", proxy["says"], proxy["advice"]).replace('"', "");
        assert!(sentence.contains(says), "{sentence}");
        assert_eq!(of("filter")["verdict"], "not checked");
        assert!(
            !doctor.out.contains("p%40ss") && !doctor.out.contains("p@ss"),
            "{}",
            doctor.out
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_inspects_is_named_and_gets_no_code() {
    let world = named_world().await;
    let authority = world.keys().authority.certificate_pem();
    let inspector = Inspector::new(&authority, &[b"h2"]);
    let middle = Middle::start(world.coordinator_address(), Manner::Inspecting(inspector)).await;
    let setting = format!("proxy = \"http://{}\"", middle.address());
    let path = folder(&world, "south", &setting);
    let invitation = by_name(&world, world.invite_to_wait("south"));
    let file = written(&world, "south.toml", &invitation);
    assert_eq!(run(command(&path, &["init"])).await.code, Some(0));
    let said = run(command(&path, &["connect", file.to_str().expect("text")])).await;
    assert_ne!(said.code, Some(0));
    assert!(said.error.contains(FILTER), "{}", said.error);
    assert!(said.error.contains("exclusion list"), "{}", said.error);
    let waiting = world.coordinator().operations().waiting();
    assert!(waiting.expect("a list").is_empty(), "the code was sent");
}

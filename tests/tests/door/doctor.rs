//! Each fault is real, and the doctor names it.

use std::path::Path;
use std::process::{Command, Stdio};

use node::clock::now_ms;
use node::doctor::{Examination, Finding, Verdict, examine};
use node::enrolment::Invitation;
use tests::world::{World, until};
use tokio::net::TcpListener;

use crate::middle::{FILTER, HOST, Inspector, Manner, Middle};
use crate::program::{by_name, checks, command, folder, named_world, run, written};

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

async fn examined(data: &Path, invitation: Option<&Invitation>, now_ms: u64) -> Vec<Finding> {
    examine(Examination {
        data,
        invitation,
        now_ms,
    })
    .await
}

fn of<'a>(findings: &'a [Finding], check: &str) -> &'a Finding {
    let found = findings.iter().find(|it| it.check() == check);
    found.unwrap_or_else(|| panic!("{check} was not checked"))
}

fn assert_fault(findings: &[Finding], check: &str, says: &str, advice: &str) {
    let finding = of(findings, check);
    assert_eq!(finding.verdict(), Verdict::Fault, "{finding:?}");
    assert!(finding.says().contains(says), "{finding:?}");
    assert!(finding.advice().contains(advice), "{finding:?}");
}

fn assert_verdicts(findings: &[Finding], checks: &[&str], verdict: Verdict) {
    for check in checks {
        let finding = of(findings, check);
        assert_eq!(finding.verdict(), verdict, "{finding:?}");
    }
}

/// What rests on the coordinator's having answered.
const BEYOND: [&str; 4] = ["clock", "coordinator", "access", "version"];

async fn connected() -> (World, std::path::PathBuf) {
    let mut world = World::new().await;
    world.add_hub("south").await;
    world.hub("south").in_sync(1).await;
    let path = world.path("south");
    (world, path)
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_found_where_nothing_is_wrong_while_the_node_runs_and_while_it_does_not() {
    let (mut world, path) = connected().await;
    let here = [
        "settings",
        "data folder",
        "disk speed",
        "database",
        "connection",
        "name",
        "port",
        "proxy",
        "filter",
        "clock",
        "coordinator",
        "certificate",
        "access",
        "version",
    ];
    assert_verdicts(&examined(&path, None, now_ms()).await, &here, Verdict::Ok);
    world.stop_hub("south").await;
    assert_verdicts(&examined(&path, None, now_ms()).await, &here, Verdict::Ok);
    // Nothing that it looked at was changed.
    world.start_hub("south");
    world.hub("south").in_sync(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_that_does_not_run_is_a_fault_of_its_port() {
    let (mut world, path) = connected().await;
    let address = world.coordinator_address().to_string();
    world.stop_coordinator().await;
    let findings = examined(&path, None, now_ms()).await;
    assert_fault(
        &findings,
        "port",
        &format!("{address} cannot be reached"),
        "check the network",
    );
    assert_verdicts(
        &findings,
        &["filter", "clock", "access", "version"],
        Verdict::NotChecked,
    );
    assert_verdicts(&findings, &["certificate", "database"], Verdict::Ok);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_without_an_address_is_a_fault_of_its_own() {
    let world = World::new().await;
    let mut invitation = world.invite("south");
    invitation.address = "causeway.invalid:7443".parse().expect("an address");
    // Before anything is set up: the way can be looked at with the invitation alone.
    let nowhere = world.path("nowhere");
    let findings = examined(&nowhere, Some(&invitation), now_ms()).await;
    assert_fault(
        &findings,
        "name",
        "causeway.invalid has no address",
        "name server",
    );
    assert_verdicts(
        &findings,
        &["port", "filter", "clock", "version"],
        Verdict::NotChecked,
    );
    assert!(!nowhere.exists());
    let findings = examined(&nowhere, Some(&world.invite("south")), now_ms()).await;
    assert!(
        !findings.iter().any(Finding::found_something),
        "{findings:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_that_inspects_is_named_by_its_issuer_whatever_it_speaks() {
    let world = named_world().await;
    let invitation = by_name(&world, world.invite("south"));
    let authority = world.keys().authority.certificate_pem();
    for (at, protocols) in [&[b"h2" as &[u8]][..], &[b"http/1.1"], &[]]
        .into_iter()
        .enumerate()
    {
        let inspector = Manner::Inspecting(Inspector::new(&authority, protocols));
        let middle = Middle::start(world.coordinator_address(), inspector).await;
        let setting = format!("proxy = \"http://{}\"", middle.address());
        let path = folder(&world, &format!("hub-{at}"), &setting);
        let findings = examined(&path, Some(&invitation), now_ms()).await;
        assert_verdicts(&findings, &["name", "port", "proxy"], Verdict::Ok);
        assert_fault(&findings, "filter", FILTER, "exclusion list");
        assert!(of(&findings, "filter").says().contains(HOST));
        assert_verdicts(&findings, &BEYOND, Verdict::NotChecked);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_a_connection_and_says_nothing_ends_the_check_all_the_same() {
    let world = named_world().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let mut invitation = world.invite("south");
    let address = listener.local_addr().expect("its address").to_string();
    invitation.address = address.parse().expect("an address");
    let silent = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok(accepted) = listener.accept().await {
            held.push(accepted);
        }
    });
    let path = folder(&world, "south", "");
    let findings = examined(&path, Some(&invitation), now_ms()).await;
    assert_verdicts(&findings, &["port"], Verdict::Ok);
    assert_fault(
        &findings,
        "filter",
        "did not complete the handshake in time",
        "",
    );
    silent.abort();

    let middle = Middle::start(world.coordinator_address(), Manner::Silent).await;
    let setting = format!("proxy = \"http://{}\"", middle.address());
    let path = folder(&world, "west", &setting);
    let findings = examined(&path, Some(&invitation), now_ms()).await;
    assert_fault(&findings, "proxy", "did not answer in time", "sync.proxy");
    assert_verdicts(&findings, &["filter"], Verdict::NotChecked);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong_by_400_days_is_told_by_the_coordinators() {
    let (_world, path) = connected().await;
    let findings = examined(&path, None, now_ms() + 400 * DAY_MS).await;
    assert_fault(&findings, "clock", "13 months fast", "set date and time");
    assert_verdicts(&findings, &["filter"], Verdict::Ok);
    let certificate = of(&findings, "certificate");
    assert!(certificate.says().contains("expired on"), "{certificate:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_computer_whose_date_is_really_wrong_hears_of_its_clock_and_not_of_certificates() {
    if Command::new("faketime").arg("--version").output().is_err() {
        println!("skipped: faketime is not installed (Debian: apt-get install faketime)");
        return;
    }
    let (mut world, path) = connected().await;
    world.stop_hub("south").await;
    for (shift, says) in [("+400d", "13 months fast"), ("-400d", "13 months slow")] {
        let doctor = command(&path, &["--json", "doctor"]);
        let mut faked = Command::new("faketime");
        faked
            .stdin(Stdio::null())
            .args(["-f", shift])
            .arg(doctor.get_program())
            .args(doctor.get_args());
        let said = run(faked).await;
        assert_eq!(said.code, Some(2), "{}", said.error);
        let found = checks(&said);
        let of = |name: &str| {
            found
                .iter()
                .find(|it| it["check"] == name)
                .expect("a check")
        };
        assert_eq!(of("filter")["verdict"], "ok", "{}", said.out);
        assert_eq!(of("clock")["verdict"], "fault", "{}", said.out);
        assert!(
            of("clock")["says"].as_str().expect("text").contains(says),
            "{}",
            said.out
        );
        assert_eq!(
            of("coordinator")["says"],
            "this computer's clock is wrong",
            "{}",
            said.out
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_is_suspended_or_whose_access_has_ended_hears_why() {
    let (world, path) = connected().await;
    let operations = world.coordinator().operations();
    operations
        .suspend("south", "the summer")
        .expect("suspended");
    let findings = examined(&path, None, now_ms()).await;
    assert_fault(&findings, "access", "has suspended this hub", "ask NCETM");
    assert!(of(&findings, "access").says().contains("the summer"));
    operations.resume("south").expect("let in again");
    assert_verdicts(
        &examined(&path, None, now_ms()).await,
        &["access"],
        Verdict::Ok,
    );
    operations
        .revoke("south", "it moved away")
        .expect("revoked");
    let findings = examined(&path, None, now_ms()).await;
    assert_fault(&findings, "access", "this node has no access", "ask NCETM");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_waits_is_told_whether_the_node_runs_or_not() {
    let world = World::new().await;
    let path = folder(&world, "south", "");
    let invitation = world.invite_to_wait("south");
    let file = written(&world, "south.toml", &invitation);
    assert_eq!(run(command(&path, &["init"])).await.code, Some(0));
    let file = file.to_str().expect("plain text");
    let said = run(command(&path, &["connect", file, "--no-wait"])).await;
    assert_eq!(said.code, Some(0), "{}", said.error);
    let findings = examined(&path, None, now_ms()).await;
    let connection = of(&findings, "connection");
    assert_eq!(connection.verdict(), Verdict::Warning);
    let number = world.coordinator().operations().waiting().expect("a list")[0]
        .check_number
        .to_string();
    assert!(
        connection.says().contains(&number),
        "{connection:?} {number}"
    );
    assert!(
        connection.advice().contains("go on with it"),
        "{connection:?}"
    );
    assert_verdicts(&findings, &["filter", "clock", "version"], Verdict::Ok);

    let refused = world.coordinator().operations();
    refused
        .refuse_waiting("south", "Not our number", "a test")
        .expect("refused");
    let mut serve = command(&path, &["serve"]);
    let mut serve = serve
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    until("it has heard", || !path.join("connecting.toml").exists()).await;
    serve.kill().expect("it is killed");
    serve.wait().expect("it has ended");
    let findings = examined(&path, None, now_ms()).await;
    let connection = of(&findings, "connection");
    assert!(
        connection.says().contains("Not our number"),
        "{connection:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_on_which_no_more_may_be_written_is_told() {
    let world = World::new().await;
    let path = folder(&world, "south", "");
    assert_eq!(run(command(&path, &["init"])).await.code, Some(0));
    // A real limit of the system: no file may grow beyond 8 KiB, and writing more fails.
    let doctor = command(&path, &["--json", "doctor"]);
    let mut limited = Command::new("sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 16; exec \"$@\"", "sh"]);
    limited.arg(doctor.get_program()).args(doctor.get_args());
    let said = run(limited).await;
    assert_eq!(said.code, Some(2), "{}", said.error);
    let found = checks(&said);
    let speed = found
        .iter()
        .find(|it| it["check"] == "disk speed")
        .expect("a check");
    assert_eq!(speed["verdict"], "fault", "{speed}");
    assert!(
        speed["says"]
            .as_str()
            .expect("text")
            .contains("is full, or as much"),
        "{speed}"
    );
    assert_eq!(speed["advice"], "make room");
    assert!(!path.join("doctor.trial").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coordinator_is_examined_as_well() {
    let mut world = World::new().await;
    let data = world.path("coordinator");
    let findings = coordinator::doctor::examine(&data, now_ms()).await;
    let here = ["settings", "data folder", "database", "register", "keys"];
    assert_verdicts(&findings, &here, Verdict::Ok);
    world.stop_coordinator().await;
    let mut register = std::fs::read(data.join("registry.db")).expect("the register");
    for page in register.chunks_mut(4096).skip(1) {
        page[0] ^= 0x55;
    }
    std::fs::write(data.join("registry.db"), register).expect("written");
    let findings = coordinator::doctor::examine(&data, now_ms()).await;
    assert_fault(&findings, "register", "damaged", "restore it from a backup");
    node::folder::write_seed(&data.join("root.key"), &[1; 32]).expect("written");
    let findings = coordinator::doctor::examine(&data, now_ms()).await;
    assert_verdicts(&findings, &["keys"], Verdict::Warning);
    assert!(of(&findings, "keys").advice().contains("in a safe"));
    std::fs::remove_file(data.join("root.key")).expect("deleted");
    let later = now_ms() + 21 * 365 * DAY_MS;
    let findings = coordinator::doctor::examine(&data, later).await;
    assert_fault(&findings, "keys", "expired on", "check the date");
}

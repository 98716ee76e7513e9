//! Certificates that change while hubs stay connected: one that the whole internet trusts, and another
//! authority of the network's own.

use std::path::Path;

use bytes::Bytes;
use node::Node;
use node::clock::now_ms;
use node::tls::CertificateAuthority;
use node_feed::Fact;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use serde_json::Value;
use tests::process::Process;
use tests::trusting;
use tests::world::{World, until};

use crate::middle::{HOST, Manner, Middle};
use crate::program::{PATIENCE, by_name, checks, command, coordinator, folder, named_world, run};

const CREDENTIALS: &str = "hub:word";

/// A public authority, and its certificate as PEM.
fn public_authority() -> (Issuer<'static, KeyPair>, String) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = params.self_signed(&key).expect("an authority").pem();
    (Issuer::new(params, key), pem)
}

/// Writes a certificate of that authority for `name`, and its key, as certbot would.
fn certify(folder: &Path, issuer: &Issuer<'static, KeyPair>, name: &str) {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    let own = params.signed_by(&key, issuer).expect("a certificate");
    std::fs::write(folder.join("privkey.pem"), key.serialize_pem()).expect("a key file");
    std::fs::write(folder.join("fullchain.pem"), own.pem()).expect("a certificate file");
}

/// Has the coordinator show the certificate in those files.
async fn show_public(world: &mut World, files: &Path) {
    world.stop_coordinator().await;
    let path = world.path("coordinator").join("causeway.toml");
    let (address, port) = (
        world.coordinator_address(),
        world.coordinator_address().port(),
    );
    let settings = format!(
        "[listen]\naddress = \"{address}\"\npublic = \"{HOST}:{port}\"\nnames = [\"127.0.0.1\"]\n\
         certificate = \"{0}/fullchain.pem\"\nkey = \"{0}/privkey.pem\"\n",
        files.display()
    );
    std::fs::write(path, settings).expect("settings");
    world.start_coordinator().await;
}

/// Whether whoever trusts `authority_pem` alone trusts the coordinator when it is dialled as `name`.
async fn is_trusted(world: &World, name: &str, authority_pem: &str) -> bool {
    let address = world.coordinator_address();
    trusting::connect(address, authority_pem, name, &[b"h2"])
        .await
        .is_ok()
}

fn authority_pem(world: &World) -> String {
    std::fs::read_to_string(world.path("coordinator").join("authority.pem")).expect("it is there")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_the_whole_internet_trusts_is_shown_beside_the_networks_own() {
    let mut world = named_world().await;
    let middle = Middle::start(world.coordinator_address(), Manner::Wanting(CREDENTIALS)).await;
    let setting = format!("proxy = \"http://{CREDENTIALS}@{}\"", middle.address());
    let path = folder(&world, "south", &setting);
    let invitation = by_name(&world, world.invite("south"));
    let own = authority_pem(&world);
    let (issuer, public) = public_authority();
    let files = world.path("letsencrypt");
    std::fs::create_dir(&files).expect("a folder");
    certify(&files, &issuer, HOST);
    show_public(&mut world, &files).await;
    assert!(is_trusted(&world, HOST, &public).await);
    assert!(is_trusted(&world, "127.0.0.1", &own).await);

    // The hub was invited when there was none, and no authority vouches for it here: it is the
    // coordinator's own key that does.
    let node = Node::create(&path).expect("a node");
    let connecting = node.connect(&invitation.to_toml().expect("text"));
    connecting.expect("it asks").outcome().await;
    drop(node);
    world.start_hub("south");
    world.hub("south").in_sync(1).await;
    let doctor = run(command(&path, &["--json", "doctor"])).await;
    let checks = checks(&doctor);
    let said = checks.iter().find(|check| check["check"] == "coordinator");
    let said = said.expect("it is checked");
    assert_eq!(said["verdict"], "ok", "{said}");
    assert!(
        said["says"].to_string().contains("proven who it is"),
        "{said}"
    );

    // It is renewed in its place, with another key, while the hub is connected.
    let (other, renewed) = public_authority();
    certify(&files, &other, HOST);
    tokio::time::timeout(PATIENCE, async {
        while !is_trusted(&world, HOST, &renewed).await {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    })
    .await
    .expect("the new one is shown");
    world.stop_hub("south").await;
    world.start_hub("south");
    world.hub("south").in_sync(1).await;
    // What cannot be used leaves the one before in place.
    certify(&files, &other, "elsewhere.example");
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    assert!(is_trusted(&world, HOST, &renewed).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_authority_signs_certificates_while_hubs_stay_connected_and_one_is_away() {
    let mut world = World::new().await;
    for hub in ["south", "north"] {
        world.add_hub(hub).await;
        world.hub(hub).in_sync(1).await;
    }
    world.stop_hub("north").await;
    let before = authority_pem(&world);
    let network = world.coordinator().network();
    let another = || CertificateAuthority::generate(network, now_ms()).expect("an authority");
    let next = another();
    let operations = world.coordinator().operations();
    operations
        .replace_authority(next.clone())
        .expect("replaced");
    operations
        .replace_authority(next.clone())
        .expect("the same again");
    let third = operations.replace_authority(another());
    assert!(
        third
            .expect_err("one is enough")
            .to_string()
            .contains("retire")
    );
    assert!(is_trusted(&world, "127.0.0.1", &next.certificate_pem()).await);
    assert!(!is_trusted(&world, "127.0.0.1", &before).await);

    // South knows from the record of access, and comes back with a certificate of the new one.
    world.hub("south").in_sync(1).await;
    world.stop_hub("south").await;
    let kept = world.path("south").join("credentials.pem");
    let old = std::fs::read_to_string(&kept).expect("a certificate");
    world.start_hub("south");
    world.hub("south").in_sync(1).await;
    assert_ne!(std::fs::read_to_string(&kept).expect("a certificate"), old);

    // North was away through all of it, and what it has and trusts is no longer accepted.
    let operations = world.coordinator().operations();
    assert!(operations.retire_authority().expect("retired"));
    assert!(!operations.retire_authority().expect("there is none"));
    world.start_hub("north");
    world.hub("north").in_sync(1).await;
    // And all this is so after the coordinator's next start.
    world.stop_coordinator().await;
    world.start_coordinator().await;
    assert!(is_trusted(&world, "127.0.0.1", &next.certificate_pem()).await);
    world.hub("north").in_sync(1).await;
    world.hub("south").in_sync(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_record_of_access_says_of_certificates_keeps_nobody_out_and_busies_nobody() {
    let mut world = World::new().await;
    let south = world.new_node("south");
    let invitation = world.invite("south");
    world.connect(&south, &invitation).await;
    drop(south);
    world.start_hub("south");
    world.hub("south").in_sync(1).await;
    let operations = world.coordinator().operations();
    let issued = || {
        let issued = operations.registry().certificates(invitation.hub);
        issued.expect("the register is read").len()
    };
    let before = issued();
    let network = world.coordinator().network();
    let another = CertificateAuthority::generate(network, now_ms()).expect("an authority");
    // As where a coordinator was rebuilt from older keys: it signs with another authority than is named.
    // Or somebody with the authority key wrote what is no certificate at all.
    for (named, at_most) in [
        (Bytes::copy_from_slice(another.certificate()), before + 1),
        (Bytes::from_static(b"no certificate"), before + 1),
    ] {
        let fact = Fact::Certificates { authority: named };
        operations.authority().write(&[fact]).expect("written");
        for _ in 0..4 {
            let hub = world.hub("south");
            hub.pause(true);
            until("it has gone", || !is_connected(hub)).await;
            hub.pause(false);
            until("it is back", || is_connected(hub)).await;
        }
        assert!(
            issued() <= at_most,
            "{} were issued, {before} before",
            issued()
        );
    }
}

fn is_connected(hub: &Node) -> bool {
    let status = hub.status().expect("how it stands");
    status["connected_to"] == serde_json::json!(["coordinator"])
}

#[tokio::test(flavor = "multi_thread")]
async fn the_authority_is_rotated_by_command_and_the_safe_has_the_new_one_first() {
    let folder = tempfile::TempDir::new().expect("a folder");
    let (data, safe) = (folder.path().join("data"), folder.path().join("safe"));
    let said = async |words: &[&str]| run(coordinator(&data, words)).await;
    let keys = safe.to_str().expect("plain text");
    let init = said(&["init", "--new-keys", keys]).await;
    assert_eq!(init.code, Some(0), "{}", init.error);
    let settings = "[listen]\naddress = \"127.0.0.1:0\"\n[web]\nlisten = \"\"\n";
    std::fs::write(data.join("causeway.toml"), settings).expect("settings");
    let rotate = ["certificates", "rotate", "--saved-keys", keys, "--confirm"];
    let serve = coordinator(&data, &["serve"]);
    let serving = Process::start(serve.into(), &folder.path().join("log")).expect("it starts");
    until("it serves", || {
        data.join("coordinator.sock").exists() || data.join("node.sock").exists()
    })
    .await;
    let before = std::fs::read(safe.join("authority.pem")).expect("the authority");
    let shown = said(&["certificates", "rotate", "--saved-keys", keys]).await;
    assert!(
        shown.out.contains("nothing was changed"),
        "{}{}",
        shown.out,
        shown.error
    );
    let elsewhere = folder.path().join("empty");
    let wrong = [
        "certificates",
        "rotate",
        "--saved-keys",
        elsewhere.to_str().expect("text"),
        "--confirm",
    ];
    let wrong = said(&wrong).await;
    assert_eq!(wrong.code, Some(1), "{}", wrong.error);
    assert!(!elsewhere.exists());

    let rotated = said(&rotate).await;
    assert_eq!(rotated.code, Some(0), "{}", rotated.error);
    let in_safe = std::fs::read(safe.join("authority.pem")).expect("the authority");
    let in_data = std::fs::read(data.join("authority.pem")).expect("the authority");
    assert!(in_safe == in_data && in_safe != before);
    assert!(!safe.join("authority-next.pem").exists());
    let again = said(&rotate).await;
    assert!(
        again.error.contains("certificates retire"),
        "{}",
        again.error
    );
    // It waits in the safe until it can take its place.
    assert!(safe.join("authority-next.pem").exists());
    let shown = said(&["--json", "certificates", "show"]).await;
    let shown: Value = serde_json::from_str(&shown.out).expect("JSON");
    assert!(shown["former_ends_ms"].as_u64() > Some(0), "{shown}");
    let retired = said(&["certificates", "retire", "--confirm"]).await;
    assert_eq!(retired.code, Some(0), "{}", retired.error);
    assert_eq!(
        said(&["certificates", "retire", "--confirm"]).await.code,
        Some(1)
    );
    let listed = said(&["audit", "list"]).await;
    for line in [
        "certificate authority replaced",
        "certificate authority retired",
    ] {
        assert!(listed.out.contains(line), "{}{}", listed.out, listed.error);
    }
    serving.kill().await.expect("it is killed");
    // The saved keys make a coordinator again whose authority is the one that was retired to.
    let again = folder.path().join("again");
    let init = run(coordinator(&again, &["init", "--saved-keys", keys])).await;
    assert_eq!(init.code, Some(0), "{}", init.error);
    let found = std::fs::read(again.join("authority.pem")).expect("the authority");
    assert_eq!(found, in_safe);
}

//! What every hub does: the first hour, checking, backing up, restoring, and looking what is wrong.

use tests::world::until;

use crate::machine::filled;
use crate::manual::Procedure;
use crate::network::{Network, SOUTH, SOUTH_NAME, record};

#[tokio::test(flavor = "multi_thread")]
async fn the_first_hour() {
    let network = Network::begin().await;
    let mut manual = Procedure::of("The first hour");
    let ncetm = &network.coordinator;
    let mut south = network.computer("south");
    let invite = format!(
        "causeway-coordinator invite {SOUTH} --name '{SOUTH_NAME}' --out {}",
        south.path("invitation.toml").display()
    );
    ncetm.run(&invite).await;

    // Nothing of it is there yet, and looking makes nothing.
    let later = south.path("settings");
    std::fs::rename(south.data(), &later).expect("it is put aside");
    let before = south.run(&manual.next("causeway-node doctor")).await;
    assert_nothing_wrong(&before);
    assert!(!south.data().exists());
    std::fs::rename(&later, south.data()).expect("it is put back");
    // Wherever the manual puts the data, here it is below this computer's own folder.
    let setup = manual.next("causeway-node");
    let data = south.data().display().to_string();
    south.start(&setup.replace("/var/lib/causeway", &data));
    south.says("/set-up/").await;
    let number = south.says("check number").await;
    let waiting = ncetm
        .until_said("causeway-coordinator waiting", SOUTH)
        .await;
    let six = number.split_whitespace().rev().take(2).collect::<Vec<_>>();
    let six = format!("{} {}", six[1], six[0]);
    assert!(waiting.contains(&six), "{number} and {waiting}");
    ncetm
        .run(&format!("causeway-coordinator admit {SOUTH}"))
        .await;
    let connected = south.says("connected as").await;
    assert!(connected.contains(SOUTH_NAME), "{connected}");
    south.stop().await;
    manual.done();
}

#[tokio::test(flavor = "multi_thread")]
async fn is_the_store_whole() {
    let network = Network::begin().await;
    let mut manual = Procedure::of("Is the store whole?");
    let mut south = network.hub(SOUTH, SOUTH_NAME).await;
    record(&south, "person", "--set name='Quillon Testerton'").await;
    let verify = manual.next("causeway-node verify");
    let said = south.run(&verify).await;
    assert!(said.contains("all is in order"), "{said}");
    south.stop().await;
    south.run("causeway-node rebuild").await;
    let said = south.run(&verify).await;
    assert!(said.contains("all is in order"), "{said}");
    let said = network.coordinator.run("causeway-coordinator verify").await;
    assert!(said.contains("all is in order"), "{said}");
    manual.done();
}

#[tokio::test(flavor = "multi_thread")]
async fn backing_up_and_restoring() {
    let network = Network::begin().await;
    let mut south = network.hub(SOUTH, SOUTH_NAME).await;
    let (space, _) = network.project(&[SOUTH]).await;
    let of_space = |title: &str| format!("--space {space} --set title='{title}'");
    south
        .until_said("causeway-node space list", "A project")
        .await;
    record(&south, "practice", &of_space("Before the backup")).await;
    let kept = record(&south, "person", "--set name='Quillon Testerton'").await;

    let mut manual = Procedure::of("Backups");
    let key = south.run(&manual.next("causeway-node backup-key")).await;
    let key = key.lines().next().expect("the public key");
    let folder = south.path("backups");
    std::fs::create_dir(&folder).expect("a folder");
    let place = folder.display().to_string();
    let settings = filled(
        &manual.settings(),
        &[("/srv/backups", &place), ("age1…", key)],
    );
    manual.done();
    south.stop().await;
    south.set(&settings);
    south.serve("causeway-node serve").await;
    let made = || {
        let files = std::fs::read_dir(&folder).expect("a folder");
        let files = files.filter_map(|file| Some(file.ok()?.path()));
        files
            .into_iter()
            .find(|file| file.to_string_lossy().ends_with(".db.age"))
    };
    until("a backup is made by itself", || made().is_some()).await;
    let backup = made().expect("a backup").display().to_string();
    south.until_said("causeway-node status", "backup").await;

    record(&south, "practice", &of_space("After the backup")).await;
    let lost = record(&south, "person", "--set name='Vesper Example'").await;
    south.in_sync().await;
    south.stop().await;
    let mut manual = Procedure::of("Restoring");
    let restore = manual.next("causeway-node restore");
    let named = restore.split(' ').nth(2).expect("a backup's name");
    let restore = filled(&restore, &[(named, &backup)]);
    let said = south.run(&restore).await;
    assert!(said.contains("nothing was changed"), "{said}");
    south.run(&format!("{restore} --confirm")).await;
    assert!(south.data().join("store.db.replaced").exists());
    south.serve(&manual.next("causeway-node serve")).await;
    south
        .until_said(
            "causeway-node record list --kind practice",
            "After the backup",
        )
        .await;
    let restored = manual.next("causeway-node restored");
    let said = south.until_said(&restored, "A project").await;
    assert!(said.contains("Vesper") || said.contains("person"), "{said}");
    south
        .run(&format!("causeway-node record show {kept}"))
        .await;
    let gone = south
        .end(&format!("causeway-node record show {lost}"))
        .await;
    assert_ne!(gone.code, Some(0), "{}", gone.said);
    manual.done();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_log() {
    let network = Network::begin().await;
    let south = network.hub(SOUTH, SOUTH_NAME).await;
    let mut manual = Procedure::of("Audit");
    let said = south.run(&manual.next("causeway-node audit list")).await;
    assert!(said.contains("started"), "{said}");
    let verify = manual.next("causeway-node audit verify");
    south.run(&verify).await;
    network
        .coordinator
        .run("causeway-coordinator audit verify")
        .await;
    manual.done();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor() {
    let network = Network::begin().await;
    let mut manual = Procedure::of("When something is wrong: doctor");
    let mut south = network.hub(SOUTH, SOUTH_NAME).await;
    south.in_sync().await;
    let doctor = manual.next("causeway-node doctor");
    assert_nothing_wrong(&south.end(&doctor).await.said);
    let said = network.coordinator.end("causeway-coordinator doctor").await;
    assert!(said.said.contains("register"), "{}", said.said);
    south.stop().await;
    std::fs::remove_file(south.data().join("store.db")).expect("it is deleted");
    let ended = south.end(&doctor).await;
    assert_eq!(ended.code, Some(2), "{}", ended.said);
    assert!(ended.said.contains("fault"), "{}", ended.said);
    manual.done();
}

/// What a disk is like is this machine's; all else is as it should be.
fn assert_nothing_wrong(said: &str) {
    let wrong = said
        .lines()
        .filter(|line| line.contains("fault") && !line.contains("disk"));
    assert_eq!(wrong.count(), 0, "{said}");
    assert!(said.contains("port"), "{said}");
}

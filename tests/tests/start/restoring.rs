//! A8: the node's disk died. A new one takes its place, from a backup and the words in the safe.

use std::path::{Path, PathBuf};
use std::time::Duration;

use node::Node;
use node::backup::BackupKey;
use node::folder::DataFolder;
use node::web::Reopener;

use tests::world::{World, until};
use tokio::sync::mpsc::Receiver;

use crate::asking::{PASSWORD, Site};

const SOUTH: &str = "south-yorkshire";
const GRACE: Duration = Duration::from_secs(5);

/// The words of a node's sheet, as its page shows them.
async fn words(site: &Site) -> String {
    let shown = site.post("/start/recovery-sheet/show", &[]).await;
    let list = shown
        .body
        .split("<ol class=\"recovery-words\">")
        .nth(1)
        .expect("a list");
    let list = list.split("</ol>").next().unwrap_or_default();
    let words = list.replace("<li>", " ").replace("</li>", " ");
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A backup of a hub with a group, and its words.
async fn backed_up(world: &World) -> (PathBuf, String, String) {
    let node = world.hub(SOUTH);
    let site = Site::of(node).await;
    let group = node.create_record("work-group", "", "{\"title\": \"Before\"}");
    let group = group.expect("a group").id.to_string();
    let words = words(&site).await;
    let backup = world.path("backup.db");
    node.backup(&backup, &[]).expect("a backup");
    site.pages.stop(GRACE).await;
    (backup, words, group)
}

/// A new node, where somebody is about to restore.
async fn new_node(world: &World, name: &str) -> (Site, Receiver<node::web::Closed>, Node) {
    let node = world.new_node(name);
    let (reopener, asked) = Reopener::new();
    (Site::with(&node, Some(reopener)).await, asked, node)
}

async fn restore(site: &Site, words: &str, path: &str) -> crate::asking::Answer {
    site.send(
        "/start/restore",
        &[("words", words), ("path", path), ("password", PASSWORD)],
        &[("backup", "", b"")],
    )
    .await
}

/// Closes everything of a node, does what was asked for, and says what came of it.
async fn close_and_do(
    (site, mut asked, node): (Site, Receiver<node::web::Closed>, Node),
    data: &Path,
) -> String {
    let work = asked.try_recv().expect("it was asked for");
    let Site {
        pages, node: other, ..
    } = site;
    pages.stop(GRACE).await;
    drop((node, other));
    let data = data.to_owned();
    until("the folder is free", || DataFolder::open(&data).is_ok()).await;
    tokio::task::spawn_blocking(move || work(&data))
        .await
        .expect("it is done")
}

#[tokio::test(flavor = "multi_thread")]
async fn a8_words_and_a_backup_make_a_new_computer_the_one_that_died() {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    let (space, record) = world.project("CP27", &[SOUTH]).await;
    let (backup, words, group) = backed_up(&world).await;
    let id = world.hub(SOUTH).id();
    // After the backup: something shared, which comes back, and something of its own, which does not.
    let shared = world.hub(SOUTH).create_record(
        "practice",
        &space.to_string(),
        "{\"title\": \"Shared after\"}",
    );
    let shared = shared.expect("a practice").id.to_string();
    let own = world
        .hub(SOUTH)
        .create_record("work-group", "", "{\"title\": \"Own after\"}");
    let own = own.expect("a group").id.to_string();
    let coordinator = world.coordinator().operations().node().clone();
    until("the coordinator has it", || {
        coordinator.show_record(&shared).is_ok()
    })
    .await;
    world.stop_hub(SOUTH).await;

    let (site, asked, node) = new_node(&world, "new computer").await;
    let data = node.folder().to_owned();
    let answer = restore(&site, &words, &backup.display().to_string()).await;
    assert!(
        answer.has("data-wait=\"/settings/restored\""),
        "{}",
        answer.body
    );
    let told = close_and_do((site, asked, node), &data).await;
    assert_eq!(told, "The backup was restored.");

    let node = Node::open(&data).expect("it opens");
    assert_eq!(node.id(), id, "it is the same node");
    assert!(node.show_record(&group).is_ok());
    let running = node.start();
    // It needs no invitation: it gets itself a certificate, and the others give back what was shared.
    until("what was shared comes back", || {
        node.show_record(&shared).is_ok()
    })
    .await;
    assert!(node.show_record(&record).is_ok());
    assert!(
        node.show_record(&own).is_err(),
        "what was its own alone is lost"
    );
    node.accounts()
        .end_account(
            node::accounts::By::CommandLine,
            node.accounts()
                .find_by_email("ama@hub.example")
                .expect("her account came back")
                .id,
        )
        .expect("she left");
    running.stop(GRACE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_words_it_is_restored_and_has_to_be_connected_again() {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    let (backup, _words, group) = backed_up(&world).await;
    world.stop_hub(SOUTH).await;
    let (site, asked, node) = new_node(&world, "new computer").await;
    let data = node.folder().to_owned();
    let bytes = std::fs::read(&backup).expect("a backup");
    // This time the file itself is sent.
    let files: &[(&str, &str, &[u8])] = &[("backup", "tuesday.db", &bytes)];
    let answer = site
        .send("/start/restore", &[("password", PASSWORD)], files)
        .await;
    assert!(answer.has("data-wait"), "{}", answer.body);
    let told = close_and_do((site, asked, node), &data).await;
    assert!(told.contains("new invitation"), "{told}");
    let node = Node::open(&data).expect("it opens");
    assert!(node.hub().is_none(), "it has to be connected again");
    let invitation = world.invite(SOUTH);
    world.connect(&node, &invitation).await;
    let running = node.start();
    until("its records are here", || node.show_record(&group).is_ok()).await;
    assert!(node.lost().expect("an answer").is_some());
    running.stop(GRACE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sealed_backup_asks_for_its_key_and_opens_with_it_alone() {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    let (_, words, group) = backed_up(&world).await;
    let key = BackupKey::generate();
    let sealed = world.path("sealed.db.age");
    let made = world.hub(SOUTH).backup(&sealed, &[key.recipient()]);
    made.expect("a backup");
    let secret = |key: &BackupKey, name: &str| {
        let file = world.path(name);
        key.write(&file).expect("a key");
        std::fs::read_to_string(file).expect("it is read")
    };
    let (right, other) = (
        secret(&key, "hub.key"),
        secret(&BackupKey::generate(), "other.key"),
    );
    let cut = world.path("cut.db.age");
    let bytes = std::fs::read(&sealed).expect("a backup");
    std::fs::write(&cut, &bytes[..bytes.len() - 1]).expect("a file");
    world.stop_hub(SOUTH).await;
    let (site, asked, node) = new_node(&world, "new computer").await;
    let data = node.folder().to_owned();
    let ask = async |key: &str, path: &Path| {
        let path = path.display().to_string();
        let form = [
            ("words", words.as_str()),
            ("key", key),
            ("path", &path),
            ("password", PASSWORD),
        ];
        let files: &[(&str, &str, &[u8])] = &[("backup", "", b"")];
        site.send("/start/restore", &form, files).await
    };
    for (key, path, sentence) in [
        ("", &sealed, "This backup is sealed"),
        ("AGE-SECRET-KEY-1QQQ", &sealed, "no key of backups"),
        (other.as_str(), &sealed, "it is another&#39;s"),
        (right.as_str(), &cut, "damaged or half-written"),
    ] {
        let answer = ask(key, path).await;
        let said = answer.body.replace("'", "&#39;");
        assert!(said.contains(sentence), "{sentence}: {}", answer.body);
        let secret = key.lines().last().filter(|line| !line.is_empty());
        let is_sent_back = secret.is_some_and(|secret| answer.has(secret));
        assert!(!is_sent_back, "the key is not sent back");
    }
    let answer = ask(&right, &sealed).await;
    assert!(answer.has("data-wait"), "{}", answer.body);
    let told = close_and_do((site, asked, node), &data).await;
    assert_eq!(told, "The backup was restored.");
    let node = Node::open(&data).expect("it opens");
    assert!(node.show_record(&group).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_restored_is_said_and_nothing_is_changed() {
    let mut world = World::new().await;
    world.add_hub(SOUTH).await;
    world.add_hub("west-yorkshire").await;
    let (backup, words, _group) = backed_up(&world).await;
    let others = Site::of(world.hub("west-yorkshire")).await;
    let others = self::words(&others).await;
    let (site, mut asked, node) = new_node(&world, "new computer").await;
    let path = backup.display().to_string();
    let bytes = std::fs::read(&backup).expect("a backup");
    let damaged = world.path("damaged.db");
    let mut broken = bytes.clone();
    broken.truncate(bytes.len() / 2);
    std::fs::write(&damaged, &broken).expect("a damaged backup");
    let damaged = damaged.display().to_string();
    let twisted = words.split(' ').rev().collect::<Vec<_>>().join(" ");
    let short = words.split(' ').skip(1).collect::<Vec<_>>().join(" ");
    let plain = site.get("/start/restore").await.body;
    for (words, path, sentence) in [
        (
            short.as_str(),
            path.as_str(),
            "There are 24 words on the sheet, and 23 were typed",
        ),
        (twisted.as_str(), path.as_str(), "words"),
        (
            others.as_str(),
            path.as_str(),
            "not those of the node that made this backup",
        ),
        ("", damaged.as_str(), "no whole backup"),
        ("", "/nowhere/at/all.db", "cannot be read"),
        ("", "", "Choose the backup"),
    ] {
        let answer = restore(&site, words, path).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(
            answer.has("There is a problem"),
            "{sentence}: {}",
            answer.body
        );
        assert!(answer.has(sentence), "{sentence}: {}", answer.body);
        let strange =
            |word: &&str| !word.is_empty() && !plain.contains(word) && !sentence.contains(word);
        for word in words.split(' ').filter(strange) {
            let word = &format!(" {word} ");
            assert!(!answer.has(word), "the words are not sent back");
        }
        assert!(
            asked.try_recv().is_err(),
            "{sentence}: nothing was asked for"
        );
    }
    let fields = [
        ("words", ""),
        ("path", path.as_str()),
        ("password", "wrong"),
    ];
    let answer = site.send("/start/restore", &fields, &[]).await;
    assert!(answer.has("is not your password"), "{}", answer.body);
    assert!(asked.try_recv().is_err(), "nothing was asked for");
    assert!(node.hub().is_none());
}

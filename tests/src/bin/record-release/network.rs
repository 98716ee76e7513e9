//! A small network with something of everything in it, whose data folders are kept.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use coordinator::Coordinator;
use node::Node;
use node::clock::now_ms;
use node::enrolment::{EnrolError, enrol};
use node::tls::TlsKey;
use node_document::{Document, Edit, EditError, Value};
use node_domain::sample::{Nation, Scale};
use node_domain::{Form, KINDS};
use node_feed::{
    Access, Card, CardId, Changes, DocumentId, Entry, Fact, Kind, Nonce, SecretKey, SpaceId,
    SpaceKind, Subject, Writers,
};
use node_store::AuditLog;
use rusqlite::Connection;
use serde_json::json;
use tests::folders::{copy, put_back};
use tests::release::{Account, Holds, Manifest, Release, pack};
use tests::world::{World, until};

const SOUTH: &str = "south-yorkshire";
const WEST: &str = "west-yorkshire";
const WAITING: &str = "north-yorkshire";
const COORDINATOR: &str = "coordinator";
/// The folder of the saved keys.
const KEYS: &str = "keys";
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// Makes the network and keeps its folders and what they hold.
pub(crate) async fn record(release: &Release) -> Result<()> {
    let mut world = World::new().await;
    for hub in [SOUTH, WEST] {
        world.add_hub(hub).await;
    }
    nation(&world)?;
    world.hub(SOUTH).sample(1, true)?;
    let (project, _) = world.project("NCP24-11", &[SOUTH, WEST]).await;
    let (ended, _) = world.project("NCP24-12", &[SOUTH, WEST]).await;
    let record = archived(&world, project).await?;
    in_two_versions(&world, project, &record).await?;
    one_of_each_kind(&world, project)?;
    let erased = erased(&world)?;
    set_aside(&world, project)?;
    cut(&world, ended).await?;
    forked(&mut world, project).await?;
    waiting(&world).await?;
    let people = [
        (SOUTH, world.person(SOUTH, "hub lead", "")),
        (COORDINATOR, world.person(COORDINATOR, "operator", "")),
    ];
    for hub in [WEST, SOUTH] {
        world.stop_hub(hub).await;
    }
    world.stop_coordinator().await;
    // Each has written what it writes when it stops; now that reaches the other.
    world.start_coordinator().await;
    world.start_hub(SOUTH);
    equal(&world).await?;
    let address = world.coordinator_address().to_string();
    world.stop_hub(SOUTH).await;
    world.stop_coordinator().await;
    let mut nodes = BTreeMap::new();
    let hub = world.open(&world.path(SOUTH));
    nodes.insert(SOUTH.to_owned(), Holds::of(&hub)?);
    drop(hub);
    let coordinator = Coordinator::open(&world.path(COORDINATOR))?;
    let holds = Holds::of(coordinator.operations().node())?;
    nodes.insert(COORDINATOR.to_owned(), holds);
    drop(coordinator);
    run_out(&world)?;
    for (name, person) in people {
        let holds = nodes.get_mut(name).context("a node")?;
        holds.accounts.push(Account {
            name: person.name,
            email: person.email,
        });
    }
    for (name, holds) in &mut nodes {
        complete(holds, name, &world.path(name))?;
    }
    let manifest = Manifest {
        address,
        project: project.to_string(),
        record,
        erased,
        waiting: WAITING.to_owned(),
        nodes,
    };
    keep(release, &world, &manifest)
}

/// The small sample of a nation, without its thousands of schools, and a forum that the hub reads.
fn nation(world: &World) -> Result<()> {
    let operations = world.coordinator().operations();
    let forum = operations.create_space(SpaceKind::Forum, "National forum")?;
    operations.grant(forum, SOUTH, Access::Write)?;
    let node = operations.node();
    let spaces = node.spaces()?;
    let network = spaces.iter().find(|it| it.kind == SpaceKind::Network);
    let network = network.context("a space of every hub")?.id;
    let records = Nation::generate(1, Scale::Small).records().into_iter();
    let records = records.filter(|record| record.kind != "organisation");
    let records = records.collect::<Vec<_>>();
    let made = node.keep_sample(&records, |record| {
        Ok(if record.kind == "forum-thread" {
            forum
        } else {
            network
        })
    })?;
    ensure!(made.len() > 3, "the sample has few kinds: {made:?}");
    Ok(())
}

/// Waits until hub and coordinator hold the same, and know it.
async fn equal(world: &World) -> Result<()> {
    let spaces = world.hub(SOUTH).spaces()?.into_iter();
    for space in spaces.filter(|space| space.kind != SpaceKind::Hub) {
        world.agree(space.id).await;
    }
    until("both know that they are equal", || {
        let status = world.hub(SOUTH).status().unwrap_or_default();
        status["in_sync"] == true
    })
    .await;
    Ok(())
}

pub(crate) fn practice(node: &Node, space: SpaceId, title: &str) -> Result<String> {
    let fields = json!({ "title": title, "body": "Ten minutes a day." }).to_string();
    let made = node.create_record("practice", &space.to_string(), &fields)?;
    Ok(made.id.to_string())
}

pub(crate) fn edit(node: &Node, id: &str, fields: &serde_json::Value) -> Result<()> {
    node.edit_record(id, "", &fields.to_string())?;
    Ok(())
}

/// Practices with a checkpoint that speaks for them and archives that hold their changes, and some after
/// it. One of them is returned.
async fn archived(world: &World, space: SpaceId) -> Result<String> {
    let south = world.hub(SOUTH);
    let made = (0..4).map(|number| practice(south, space, &format!("Practice {number}")));
    let ids = made.collect::<Result<Vec<_>>>()?;
    for round in 0..20 {
        for id in &ids {
            edit(
                south,
                id,
                &json!({ "body": format!("We met {round} times. It helps.") }),
            )?;
        }
    }
    let checkpoint = south.write_checkpoint(space)?;
    ensure!(checkpoint.is_some(), "no checkpoint was due");
    world.agree(space).await;
    for node in [south, world.coordinator().operations().node()] {
        let archived = node.archive_before(u64::MAX, || false)?;
        ensure!(archived > 0, "nothing was archived");
    }
    edit(south, &ids[0], &json!({ "body": "After the checkpoint." }))?;
    world.agree(space).await;
    Ok(ids[0].clone())
}

/// Two hubs edit one field apart.
async fn in_two_versions(world: &World, space: SpaceId, id: &str) -> Result<()> {
    let (south, west) = (world.hub(SOUTH), world.hub(WEST));
    for hub in [south, west] {
        hub.pause(true);
    }
    edit(south, id, &json!({ "title": "Bar models" }))?;
    edit(west, id, &json!({ "title": "Number talks" }))?;
    for hub in [south, west] {
        hub.pause(false);
    }
    world.agree(space).await;
    Ok(())
}

/// Writes a record of each kind of which the samples have none, by its title alone.
fn one_of_each_kind(world: &World, project: SpaceId) -> Result<()> {
    let coordinator = world.coordinator().operations().node();
    for kind in KINDS {
        let south = world.hub(SOUTH);
        let is_here = |node: &Node| node.list_records(kind.name, "");
        if !is_here(south)?.is_empty() || !is_here(coordinator)?.is_empty() {
            continue;
        }
        let place = *kind.spaces.iter().max().context("it stands somewhere")?;
        let writer = if kind.coordinators && place == SpaceKind::Network {
            coordinator
        } else {
            south
        };
        let spaces = writer.spaces()?;
        let space = if place == SpaceKind::Project {
            project
        } else {
            let space = spaces.iter().find(|space| space.kind == place);
            space.context("a space of its kind")?.id
        };
        let title = format!("A {}", kind.title);
        if kind.form == Form::Card {
            let body = json!({ "kind_of_record": kind.name, kind.title_field: title });
            let card = Card {
                random: Nonce(node::random()),
                replaces: Vec::new(),
                body: body.to_string().into(),
            };
            let hub = writer.author(space)?.hub;
            let id = CardId::new(hub, Writers::Owner, node::random());
            writer.write(space, entry(Kind::CARD, id.subject(), card.encode()?))?;
        } else {
            write_document(writer, space, kind.writers, false, |edit| {
                edit.put(&["@kind"], &Value::from(kind.name))?;
                edit.put(&[kind.title_field], &Value::from(title.as_str()))
            })?;
        }
    }
    Ok(())
}

fn entry(kind: Kind, subject: Subject, payload: impl Into<Bytes>) -> Entry {
    Entry {
        time_ms: now_ms(),
        kind,
        subject,
        payload: payload.into(),
    }
}

/// Writes a document without a look at any declaration; packed as no version packs it if `later`.
fn write_document(
    node: &Node,
    space: SpaceId,
    writers: Writers,
    later: bool,
    write: impl FnOnce(&mut Edit<'_>) -> Result<(), EditError>,
) -> Result<()> {
    let author = node.author(space)?;
    let id = DocumentId::new(author.hub, writers, node::random());
    let edited = Document::new(id).edit(None, &author, now_ms(), write)?;
    let mut changes = edited.changes(Nonce(node::random()));
    if later {
        let chunk = [
            b"\x85\x6f\x4a\x83\x01\x02\x03\x04\x09\x05".as_slice(),
            b"later",
        ]
        .concat();
        changes = Changes {
            chunks: vec![chunk.into()],
            ..changes
        };
    }
    node.write(space, entry(Kind::CHANGES, id.subject(), changes.encode()))?;
    Ok(())
}

/// A person who is erased for good.
fn erased(world: &World) -> Result<String> {
    let south = world.hub(SOUTH);
    let own = south.spaces()?;
    let own = own.iter().find(|space| space.kind == SpaceKind::Hub);
    let own = own.context("a space of its own")?.id.to_string();
    let fields = json!({ "name": "Robin Erasedley", "email": "robin@school.example" });
    let person = south.create_record("person", &own, &fields.to_string())?;
    let person = person.id.to_string();
    south.erase(&[&person])?;
    Ok(person)
}

/// What only a newer version understands, of each sort.
fn set_aside(world: &World, project: SpaceId) -> Result<()> {
    let west = world.hub(WEST);
    let payload = || [[9; 16].as_slice(), b"of a later version"].concat();
    for kind in [Kind(77), Kind::FILE] {
        west.write(project, entry(kind, Subject::NONE, payload()))?;
    }
    write_document(west, project, Writers::Members, true, |edit| {
        edit.put(&["title"], &Value::from("x"))
    })?;
    write_document(west, project, Writers::Members, false, |edit| {
        edit.put(&["@kind"], &Value::from("timetable"))?;
        edit.put(&["title"], &Value::from("A timetable of 2031"))
    })?;
    let authority = world.coordinator().operations().authority();
    authority.write(&[Fact::Unknown(99)])?;
    Ok(())
}

/// Access to a space ends while a hub has written there what nobody saw.
async fn cut(world: &World, space: SpaceId) -> Result<()> {
    let south = world.hub(SOUTH);
    practice(south, space, "Before the cut")?;
    world.agree(space).await;
    south.pause(true);
    practice(south, space, "After the cut")?;
    let operations = world.coordinator().operations();
    operations.withdraw(space, SOUTH, "the year is over")?;
    south.pause(false);
    let evidence = || south.status().ok()?["no_longer_counting"].as_u64();
    until("what was written after it no longer counts", || {
        evidence().is_some_and(|count| count > 0)
    })
    .await;
    Ok(())
}

/// A hub goes on from an older copy of its folder, so that its feed has two branches.
async fn forked(world: &mut World, space: SpaceId) -> Result<()> {
    let (folder, aside) = (world.path(WEST), world.path("west-aside"));
    world.stop_hub(WEST).await;
    copy(&folder, &aside)?;
    world.start_hub(WEST);
    practice(world.hub(WEST), space, "On one branch")?;
    world.agree(space).await;
    world.stop_hub(WEST).await;
    put_back(&aside, &folder)?;
    let apart = world.open(&folder);
    practice(&apart, space, "On the other branch")?;
    drop(apart);
    world.start_hub(WEST);
    world.agree(space).await;
    let store = Connection::open(world.path(COORDINATOR).join("store.db"))?;
    let branches = "SELECT count(*) FROM feeds WHERE parent IS NOT NULL AND tip IS NOT NULL";
    let branches: i64 = store.query_row(branches, [], |row| row.get(0))?;
    ensure!(branches >= 2, "the feed did not fork");
    Ok(())
}

/// A hub that asks to connect, and waits.
async fn waiting(world: &World) -> Result<()> {
    let invitation = world.invite_to_wait(WAITING);
    let identity = SecretKey::from_seed(&node::random::<32>());
    let asked = enrol(&invitation, &identity, now_ms()).await;
    ensure!(
        matches!(asked, Err(EnrolError::Waiting)),
        "it does not wait"
    );
    Ok(())
}

/// Gives the hub a certificate that ran out a month ago.
fn run_out(world: &World) -> Result<()> {
    let path = world.path(SOUTH).join("credentials.pem");
    // Its file holds the certificate first.
    let text = fs::read_to_string(&path)?;
    let key = text.find("-----BEGIN PRIVATE KEY").context("a key")?;
    let key = TlsKey::from_pem(&text[key..])?;
    let keys = world.keys();
    let node = node::folder::read_seed(&world.path(SOUTH).join("identity.key"))?;
    let node = SecretKey::from_seed(&node).public().node();
    let network = keys.root.public().network();
    let then = now_ms() - 120 * DAY_MS;
    let issued = keys
        .authority
        .issue_client(&key.request()?, network, node, then)?;
    ensure!(issued.not_after_ms < now_ms(), "it has run out");
    let credentials = node::tls::Credentials::new(vec![issued.certificate], &key)?;
    let text = format!("{}\n{}", credentials.chain_pem(), *credentials.key_pem());
    fs::write(path, text)?;
    Ok(())
}

/// What is known once the node stands still.
fn complete(holds: &mut Holds, name: &str, folder: &Path) -> Result<()> {
    let verified = AuditLog::look(&folder.join("audit.db"))?;
    holds.audit_lines = verified.head()?.number;
    let kinds = holds.records.len();
    println!(
        "{name}: {} spaces, {} entries, {} records of {kinds} kinds, {} set aside",
        holds.spaces.len(),
        holds.spaces.values().map(|it| it.entries).sum::<u64>(),
        holds.titles.len(),
        holds.set_aside.len()
    );
    Ok(())
}

fn keep(release: &Release, world: &World, manifest: &Manifest) -> Result<()> {
    let missing = KINDS.iter().filter(|kind| {
        let mut nodes = manifest.nodes.values();
        !nodes.any(|holds| holds.records.contains_key(kind.name))
    });
    let missing = missing.map(|kind| kind.name).collect::<Vec<_>>();
    ensure!(missing.is_empty(), "no record of these kinds: {missing:?}");
    let folder = tempfile::tempdir()?;
    for name in manifest.nodes.keys() {
        copy(&world.path(name), &folder.path().join(name))?;
    }
    world.keys().write(&folder.path().join(KEYS))?;
    let notice = "The keys in here were made for a test and are public. They protect nothing.\n";
    fs::write(folder.path().join("README"), notice)?;
    pack(folder.path(), &release.stores())?;
    let text = serde_json::to_string_pretty(manifest)? + "\n";
    fs::write(release.manifest(), text)?;
    Ok(())
}

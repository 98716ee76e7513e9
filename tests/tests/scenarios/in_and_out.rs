//! What goes in and out: the national register, a hub's complete export, lists and calendars.

#[path = "../../../node/domain/tests/register/made_up.rs"]
mod made_up;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use node::Node;
use node::records::Find;
use node_domain::Sheet;
use serde_json::{Value, json};
use tempfile::TempDir;
use tests::world::{World, until};

use crate::acting::{SOUTH, WEST, all, fields, ncetm, network, settled};

const ROWS: usize = 50_000;

fn of_kind(kind: &str) -> Find {
    Find {
        kind: kind.to_owned(),
        ..Find::default()
    }
}

fn school(node: &Node, urn: &str) -> Value {
    let find = Find {
        filters: vec![format!("urn is {urn}")],
        ..of_kind("organisation")
    };
    let found = node.find_records(&find).expect("a list").records;
    assert_eq!(found.len(), 1, "{urn} stands there once");
    fields(node, &found[0].id.to_string())
}

fn schools(node: &Node) -> u64 {
    let find = Find {
        limit: 1,
        ..of_kind("organisation")
    };
    node.find_records(&find).expect("a list").total
}

fn file(folder: &TempDir, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, content).expect("written");
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn the_national_register_reaches_every_hub() {
    let folder = TempDir::new().expect("a folder");
    let world = network(&[SOUTH]).await;
    let coordinator = ncetm(&world);
    let made_up = made_up::register(5, ROWS);
    let path = file(&folder, "register.csv", &made_up.schools);
    let links = file(&folder, "links.csv", &made_up.links);
    let import = |path: &Path, dry_run: bool| {
        let begun = Instant::now();
        let done = coordinator.import_register(path, Some(&links), &[], dry_run);
        let done = done.expect("the register");
        println!(
            "{ROWS} rows of the register took {:?}: {done}",
            begun.elapsed()
        );
        done
    };
    let tried = import(&path, true);
    assert_eq!((&tried["new"], &tried["wrong"]), (&json!(ROWS), &json!(0)));
    assert_eq!(schools(coordinator), 0, "a dry run adds nothing");
    assert_eq!(import(&path, false)["new"], ROWS);
    assert_eq!(schools(coordinator), ROWS as u64);
    let again = import(&path, false);
    assert_eq!(
        (&again["new"], &again["changed"], &again["same"]),
        (&json!(0), &json!(0), &json!(ROWS)),
        "the same file twice adds nothing"
    );
    let begun = Instant::now();
    let south = world.hub(SOUTH);
    until("all schools arrive", || schools(south) == ROWS as u64).await;
    println!("they arrived at a hub after {:?}", begun.elapsed());
    let (old, new) = &made_up.successions[0];
    let closed = school(south, old);
    assert_eq!(
        (&closed["status"], &closed["successor"]),
        (&json!("closed"), &json!(new))
    );
    assert_eq!(school(south, new)["predecessor"], json!(old));
    let shown = closed.to_string();
    assert!(
        !shown.contains("Invented"),
        "head teachers are never loaded: {shown}"
    );

    // A newer file changes what changed.
    let row = &made_up.rows[1];
    let name = &row["EstablishmentName"];
    let (text, _, _) = encoding_rs::WINDOWS_1252.decode(&made_up.schools);
    let urn = &row["URN"];
    let lines = text.lines().map(|line| {
        let own = line.starts_with(&format!("{urn},"));
        if own {
            line.replacen(name.as_str(), "Renamed School", 1)
        } else {
            line.to_owned()
        }
    });
    let newer = lines.collect::<Vec<_>>().join("\n");
    let (newer, _, _) = encoding_rs::WINDOWS_1252.encode(&newer);
    let newer = file(&folder, "newer.csv", &newer);
    let done = import(&newer, false);
    assert_eq!((&done["new"], &done["changed"]), (&json!(0), &json!(1)));
    until("the newer name arrives", || {
        school(south, urn)["name"] == "Renamed School"
    })
    .await;
    assert_eq!(schools(south), ROWS as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn real_rows_of_the_register_are_imported_where_they_are_at_hand() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/schools_sample.csv");
    if !path.exists() {
        println!("{} is not there: nothing to do", path.display());
        return;
    }
    let world = network(&[]).await;
    let done = ncetm(&world)
        .import_register(&path, None, &[], false)
        .expect("the register");
    println!("{done}");
    assert_eq!(done["wrong"], 0);
    let new = done["new"].as_u64().expect("a number");
    assert!(new > 3_000);
    assert_eq!(schools(ncetm(&world)), new);
    let again = ncetm(&world)
        .import_register(&path, None, &[], false)
        .expect("the register");
    assert_eq!(
        (&again["new"], &again["changed"], &again["same"]),
        (&json!(0), &json!(0), &json!(new))
    );
}

/// Everything of a hub's own by kind, without ids: those that stand for records are replaced by
/// the titles of what they name, since they are drawn anew.
fn without_ids(folder: &Path) -> BTreeMap<String, Vec<String>> {
    let mut lines = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|end| end == "jsonl") {
            let text = std::fs::read_to_string(&path).expect("read");
            let read = |line| serde_json::from_str::<Value>(line).expect("JSON")["record"].clone();
            lines.extend(text.lines().map(read));
        }
    }
    lines.retain(|line| line["space_kind"] == "hub");
    let names = lines.iter().map(|line| {
        let title = line["fields"]
            .get("title")
            .or_else(|| line["fields"].get("name"));
        let email = &line["fields"]["email"];
        let id = line["id"].as_str().expect("an id").to_owned();
        (
            id,
            format!("{} {} {email}", line["kind"], title.unwrap_or(&Value::Null)),
        )
    });
    let names = names.collect::<BTreeMap<_, _>>();
    let mut all = BTreeMap::<String, Vec<String>>::new();
    for line in &lines {
        let kind = line["kind"].as_str().expect("a kind").to_owned();
        let mut fields = line["fields"].clone();
        name(&mut fields, &names);
        all.entry(kind).or_default().push(format!("{fields:#}"));
    }
    all.values_mut().for_each(|lines| lines.sort());
    all
}

fn name(value: &mut Value, names: &BTreeMap<String, String>) {
    match value {
        Value::String(text) => {
            if let Some(name) = names.get(text) {
                *text = name.clone();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| name(item, names)),
        Value::Object(fields) => {
            // Places are held by the hub that took them over.
            if let Some(Value::Object(held)) = fields.get_mut("held") {
                let held = held.values().filter_map(Value::as_i64).sum::<i64>();
                fields.insert("held".to_owned(), json!(held));
            }
            fields.values_mut().for_each(|field| name(field, names));
            fields.sort_keys();
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complete_export_comes_back_equal_in_another_network() {
    let folder = TempDir::new().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    let world = network(&[SOUTH]).await;
    let node = world.hub(SOUTH);
    node.sample(11, true).expect("a year");
    let manifest = node.export_hub(&path("first")).expect("exported");
    assert_eq!(manifest["hub"], SOUTH, "{manifest}");
    assert!(
        node.export_hub(&path("first")).is_err(),
        "a folder that is there is left alone"
    );

    // The same hub in another network: who wrote an item is who brings it back.
    let mut other = World::new().await;
    other.add_hub(SOUTH).await;
    let fresh = other.hub(SOUTH);
    settled(fresh).await;
    let done = fresh.import_hub(&path("first")).expect("imported");
    let first = without_ids(&path("first"));
    let count = first.values().map(Vec::len).sum::<usize>();
    assert_eq!(done["made"], count, "{done}");
    assert!(
        fresh.import_hub(&path("first")).is_err(),
        "a second time it would stand there twice"
    );
    fresh.export_hub(&path("second")).expect("exported");
    let second = without_ids(&path("second"));
    assert_eq!(
        first.keys().collect::<Vec<_>>(),
        second.keys().collect::<Vec<_>>()
    );
    for (kind, lines) in &first {
        assert_eq!(lines.len(), second[kind].len(), "{kind}");
        for (one, other) in lines.iter().zip(&second[kind]) {
            assert_eq!(one, other, "{kind}");
        }
    }

    // A damaged export is told, and nothing of it is imported.
    let manifest = path("second").join("work-group.jsonl");
    let mut text = std::fs::read_to_string(&manifest).expect("read");
    text.truncate(text.len() / 2);
    std::fs::write(&manifest, text).expect("written");
    other.add_hub(WEST).await;
    settled(other.hub(WEST)).await;
    let refused = other
        .hub(WEST)
        .import_hub(&path("second"))
        .expect_err("damaged");
    assert!(
        refused.to_string().contains("work-group.jsonl"),
        "{refused}"
    );
    assert_eq!(all(other.hub(WEST), "work-group"), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_calendars_can_be_read_back() {
    let world = network(&[SOUTH]).await;
    let node = world.hub(SOUTH);
    node.sample(13, true).expect("a year");
    let groups = all(node, "work-group");
    for format in ["csv", "xlsx"] {
        for kind in [
            "work-group",
            "person",
            "commission",
            "plan",
            "leader",
            "practice",
        ] {
            let sheet = node
                .export_list(&of_kind(kind), "", format)
                .expect("exported");
            let sheet = Sheet::read(&sheet, &format!("list.{format}")).expect("read back");
            let ids = all(node, kind);
            assert_eq!(sheet.rows.len(), ids.len(), "{kind} as {format}");
            let text = format!("{:?}", sheet.rows);
            for id in ids {
                let shown = fields(node, &id);
                let title = shown
                    .get("title")
                    .or_else(|| shown.get("name"))
                    .and_then(Value::as_str);
                assert!(
                    text.contains(title.expect("a title")),
                    "{kind} as {format}: {title:?}"
                );
            }
        }
        let members = node
            .export_list(&of_kind("work-group"), "members", format)
            .expect("exported");
        let members = Sheet::read(&members, &format!("members.{format}")).expect("read back");
        let expected = groups
            .iter()
            .map(|id| fields(node, id)["members"].as_array().map_or(0, Vec::len));
        assert_eq!(members.rows.len(), expected.sum::<usize>());
    }
    let refused = node
        .export_list(&of_kind("work-group"), "sheep", "csv")
        .expect_err("no such list");
    assert!(refused.to_string().contains("sheep"), "{refused}");

    let sessions = |id: &str| {
        fields(node, id)["sessions"]
            .as_array()
            .cloned()
            .unwrap_or_default()
    };
    let count = |text: &str, what: &str| text.lines().filter(|line| *line == what).count();
    for id in groups.iter().take(3) {
        let calendar = node.export_calendar(id).expect("a calendar");
        let calendar = parsed(&calendar);
        let sessions = sessions(id);
        assert_eq!(count(&calendar, "BEGIN:VEVENT"), sessions.len());
        let cancelled = sessions
            .iter()
            .filter(|session| session["state"] == "cancelled")
            .count();
        assert_eq!(count(&calendar, "STATUS:CANCELLED"), cancelled);
        for session in sessions {
            let day = session["date"].as_str().expect("a day").replace('-', "");
            assert!(calendar.contains(&day), "{day}");
        }
    }
    let meetings = all(node, "strategic-group");
    let meetings = meetings
        .iter()
        .map(|id| fields(node, id)["meetings"].as_array().map_or(0, Vec::len));
    let expected =
        groups.iter().map(|id| sessions(id).len()).sum::<usize>() + meetings.sum::<usize>();
    let everything = parsed(&node.export_calendar("").expect("a calendar"));
    assert_eq!(count(&everything, "BEGIN:VEVENT"), expected);
}

/// A calendar's lines, each whole, after a look at its form.
fn parsed(calendar: &[u8]) -> String {
    let text = std::str::from_utf8(calendar).expect("UTF-8");
    assert!(text.starts_with("BEGIN:VCALENDAR\r\n") && text.ends_with("END:VCALENDAR\r\n"));
    assert!(
        text.split("\r\n")
            .all(|line| line.len() <= 75 && !line.contains('\n'))
    );
    let whole = text.replace("\r\n ", "");
    let mut open = Vec::new();
    for line in whole.lines() {
        let (name, value) = line.split_once(':').expect("a name and a value");
        match name {
            "BEGIN" => open.push(value.to_owned()),
            "END" => assert_eq!(open.pop().as_deref(), Some(value)),
            _ => {}
        }
    }
    assert!(open.is_empty());
    whole.replace('\r', "")
}

//! Nothing that a released version promised in its protocol files, formats and names is gone.

use std::collections::BTreeSet;
use std::fs;

use tests::contract::{Protocol, gone, words};
use tests::release::{Release, VERSION, root};

const SYNC: &str = "causeway/sync/v1/sync.proto";
const HUB: &str = "causeway/hub/v1/hub.proto";

fn released() -> Vec<Release> {
    let all = Release::all().expect("tests/fixtures is read");
    assert!(!all.is_empty(), "no released version is kept");
    all
}

#[test]
fn no_protocol_file_breaks_with_a_released_version() {
    let now = Protocol::decode(proto::FILE_DESCRIPTORS).expect("this tree's descriptors");
    for release in released() {
        let was = fs::read(release.protocol()).expect("the release's descriptors");
        let was = Protocol::decode(&was).expect("descriptors");
        assert!(was.len() > 100, "{} is kept whole", release.version());
        let broken = was.broken_by(&now);
        assert!(
            broken.is_empty(),
            "programs of version {} cannot talk to this one:\n{}",
            release.version(),
            broken.join("\n")
        );
    }
}

#[test]
fn no_name_or_number_that_a_released_version_promised_is_gone() {
    let now = words(&root()).expect("this tree's words");
    for release in released() {
        let was = fs::read_to_string(release.words()).expect("the release's words");
        assert!(
            was.lines().count() > 500,
            "{} is kept whole",
            release.version()
        );
        let gone = gone(&was, &now);
        assert!(
            gone.is_empty(),
            "version {} had these, and people, scripts and stores rely on them:\n{}",
            release.version(),
            gone.join("\n")
        );
    }
}

/// The version in Cargo.toml is kept only once it is released, so the one that is kept may be older.
#[test]
fn no_version_is_kept_that_is_newer_than_this_one() {
    let number = |version: &str| {
        let parts = version.split('.').map(str::parse::<u64>);
        parts.collect::<Result<Vec<_>, _>>().expect("a version")
    };
    for release in released() {
        assert!(number(&release.version()) <= number(VERSION));
    }
}

/// The protocol of this tree's two largest files, with one text in the place of another.
fn changed(file: &str, from: &str, to: &str) -> Protocol {
    let folder = tempfile::tempdir().expect("a folder");
    for name in [SYNC, HUB] {
        let text = fs::read_to_string(root().join("proto").join(name)).expect("a protocol file");
        let text = if name == file {
            assert!(text.contains(from), "{name} holds {from}");
            text.replacen(from, to, 1)
        } else {
            text
        };
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("folders");
        fs::write(path, text).expect("written");
    }
    let compiled = protox::compile([SYNC, HUB], [folder.path()]);
    Protocol::of(&compiled.unwrap_or_else(|error| panic!("{to}: {error}")))
}

fn unchanged() -> Protocol {
    changed(SYNC, "package", "package")
}

#[test]
fn each_change_that_breaks_a_protocol_is_found_and_named() {
    let changes = [
        ("bool agreed = 5;\n", "", "field 5, \"agreed\", is gone"),
        (
            "bool agreed = 5;\n",
            "reserved 5;\n",
            "field 5, \"agreed\", is gone",
        ),
        (
            "bool agreed = 5;\n",
            "reserved \"agreed\";\n",
            "field 5, \"agreed\", is gone",
        ),
        (
            "bool agreed = 5;",
            "bool agreed = 15;",
            "field 5, \"agreed\", is gone",
        ),
        (
            "bool agreed = 5;",
            "bool settled = 5;",
            "the name of field 5 was agreed and is settled",
        ),
        (
            "bool agreed = 5;",
            "bool agreed = 5 [json_name = \"ok\"];",
            "the JSON name of field 5 was agreed and is ok",
        ),
        (
            "bool agreed = 5;",
            "uint32 agreed = 5;",
            "the type of field 5 was TYPE_BOOL and is TYPE_UINT32",
        ),
        (
            "bool agreed = 5;",
            "repeated bool agreed = 5;",
            "the label of field 5 was single and is repeated",
        ),
        (
            "bool agreed = 5;",
            "optional bool agreed = 5;",
            "the label of field 5 was single and is optional",
        ),
        (
            "bool agreed = 5;",
            "oneof answer { bool agreed = 5; }",
            "the oneof of field 5 was none and is answer",
        ),
        (
            "CopyHeld copy = 7;",
            "Height copy = 7;",
            "the type of field 7 was causeway.sync.v1.CopyHeld and is causeway.sync.v1.Height",
        ),
        (
            "    // A frame that this protocol does not allow.\n    REASON_MALFORMED = 7;\n",
            "",
            "value 7, REASON_MALFORMED, is gone",
        ),
        (
            "REASON_MALFORMED = 7;",
            "REASON_UNREADABLE = 7;",
            "value 7 was REASON_MALFORMED and is REASON_UNREADABLE",
        ),
        (
            "REASON_MALFORMED = 7;",
            "REASON_MALFORMED = 17;",
            "value 7, REASON_MALFORMED, is gone",
        ),
        (
            "    reserved 5;\n",
            "",
            "Goodbye.Reason: number 5 is not reserved any more",
        ),
        (
            "rpc Session(",
            "rpc Talk(",
            "causeway.sync.v1.Sync: the call Session is gone",
        ),
        (
            "rpc Session(stream Frame)",
            "rpc Session(Frame)",
            "the request of Session was a stream of causeway.sync.v1.Frame and is",
        ),
        (
            "returns (stream Frame)",
            "returns (Frame)",
            "the response of Session was a stream",
        ),
        (
            "rpc Session(stream Frame)",
            "rpc Session(stream Hello)",
            "the request of Session was a stream of causeway.sync.v1.Frame and is a stream of",
        ),
        (
            "service Sync {",
            "service Syncing {",
            "causeway.sync.v1.Sync: the service is gone",
        ),
        (
            "package causeway.sync.v1;",
            "package causeway.sync.v2;",
            "causeway.sync.v1: the package is gone",
        ),
    ];
    let was = unchanged();
    assert_eq!(was.broken_by(&unchanged()), [""; 0]);
    for (from, to, says) in changes {
        let broken = was.broken_by(&changed(SYNC, from, to)).join("\n");
        assert!(broken.contains(says), "{from} -> {to}\n{broken}");
    }
    let renamed = |text: String| text.replace("SpaceDigest", "SpaceSum");
    let text = fs::read_to_string(root().join("proto").join(SYNC)).expect("a protocol file");
    let broken = was.broken_by(&changed(SYNC, &text.clone(), &renamed(text)));
    assert!(
        broken.contains(&"causeway.sync.v1.SpaceDigest: the message is gone".to_owned()),
        "{broken:?}"
    );
}

#[test]
fn what_is_added_or_goes_as_it_should_breaks_nothing() {
    let was = unchanged();
    for (from, to) in [
        ("bool agreed = 5;", "bool agreed = 5; bool later = 99;"),
        ("bool agreed = 5;\n", "reserved 5; reserved \"agreed\";\n"),
        (
            "REASON_MALFORMED = 7;",
            "REASON_MALFORMED = 7; REASON_LATER = 99;",
        ),
        (
            "    // A frame that this protocol does not allow.\n    REASON_MALFORMED = 7;\n",
            "    reserved 7; reserved \"REASON_MALFORMED\";\n",
        ),
        ("message Hello {", "message Later {}\nmessage Hello {"),
        (
            "service Sync {",
            "service Later {}\nservice Sync { rpc Later(Frame) returns (Frame);",
        ),
        (
            "CopyOffer copy_offer = 13;",
            "CopyOffer copy_offer = 13; Hello later = 99;",
        ),
    ] {
        assert_eq!(was.broken_by(&changed(SYNC, from, to)), [""; 0], "{to}");
    }
    // What was added is then promised.
    let later = changed(
        SYNC,
        "bool agreed = 5;",
        "bool agreed = 5; bool later = 99;",
    );
    assert_eq!(later.broken_by(&was).len(), 1);
}

#[test]
fn a_name_that_goes_is_found() {
    let mut now = words(&root()).expect("this tree's words");
    let was = now.iter().map(|word| format!("{word}\n"));
    let was = was.collect::<String>();
    now.insert("metric causeway_later_total: counter, by ".to_owned());
    assert_eq!(gone(&was, &now), [""; 0], "what is added is no break");
    for word in [
        "kind of entry 6: checkpoint",
        "kind of space 3: project",
        "fact 5: cut",
        "kind of record work-group: document",
        "setting of node: sync.reconnect_ms_max",
        "setting of coordinator: listen.public",
        "command causeway-node record list",
        "command causeway-coordinator invite: --admit-at-once",
        "metric causeway_ready: gauge, by ",
        "end of commands 77: NotAllowed",
    ] {
        let mut less = now.clone();
        assert!(
            less.remove(word),
            "{word} is one of these:\n{}",
            of(&now, word)
        );
        assert_eq!(gone(&was, &less), [word]);
    }
    let field = now
        .iter()
        .find(|word| word.starts_with("field practice/title:"));
    assert!(field.is_some(), "fields of records are among them");
    for begins in ["code of ", "state of ", "role ", "access "] {
        assert!(now.iter().any(|word| word.starts_with(begins)), "{begins}");
    }
}

/// The words that begin as this one does.
fn of(words: &BTreeSet<String>, word: &str) -> String {
    let begins = word.split(' ').next().unwrap_or_default();
    let alike = words.iter().filter(|it| it.starts_with(begins));
    alike.cloned().collect::<Vec<_>>().join("\n")
}

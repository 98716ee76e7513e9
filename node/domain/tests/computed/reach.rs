//! Whom a hub has reached.

use node_domain::{Alliance, AreaSchool, Connection, reach};

fn school(urn: &str, name: &str, open: bool, successor: &str) -> AreaSchool {
    AreaSchool {
        urn: urn.to_owned(),
        name: name.to_owned(),
        phase: "primary".to_owned(),
        open,
        successor: successor.to_owned(),
        local_authority: "Sheffield".to_owned(),
    }
}

fn area() -> Vec<AreaSchool> {
    vec![
        school("1", "Hill School", true, ""),
        school("1", "Hill School", true, ""),
        school("2", "Old Vale", false, "3"),
        school("3", "Vale Academy", true, ""),
        school("4", "St Mary's", true, ""),
        school("5", "St Mary's", true, ""),
        school("6", "St Anne's & Dale", true, ""),
        school("7", "Gone", false, ""),
        school("8", "Round", false, "9"),
        school("9", "Round", false, "8"),
    ]
}

fn connected(urn: &str, name: &str, title: &str, status: &str) -> Connection {
    Connection {
        urn: Some(urn.to_owned()).filter(|urn| !urn.is_empty()),
        name: name.to_owned(),
        record: title.to_owned(),
        title: title.to_owned(),
        status: status.to_owned(),
    }
}

#[test]
fn every_open_school_is_reached_or_not_and_counts_once_however_it_is_connected() {
    let connections = [
        connected("1", "Hill", "Ratio", "accepted"),
        connected("", "HILL school", "Fractions", "completed"),
        connected("1", "Hill", "Ratio", "started"),
        connected("2", "Old Vale", "Ratio", "completed"),
        connected("3", "Vale", "Fractions", "started"),
        connected("4", "St Mary's", "Ratio", "applied"),
        connected("4", "St Mary's", "Ratio", "withdrawn"),
        connected("", "Saint Annes and Dale", "Bars", "started"),
    ];
    let reach = reach(area(), connections, &[]);
    let reached = reach.reached.iter();
    let reached = reached.map(|one| (one.school.urn.as_str(), one.by.join(", ")));
    assert_eq!(
        reached.collect::<Vec<_>>(),
        [
            ("1", "Fractions, Ratio".to_owned()),
            ("3", "Fractions, Ratio".to_owned()),
            ("6", "Bars".to_owned())
        ]
    );
    let silent = reach.not_reached.iter().map(|school| school.urn.as_str());
    assert_eq!(
        silent.collect::<Vec<_>>(),
        ["4", "5"],
        "a sign-up reaches nobody yet"
    );
    assert_eq!(reach.area, 5);
    assert_eq!(reach.reached.len() + reach.not_reached.len(), reach.area);
    assert!(reach.unmatched.is_empty() && reach.elsewhere.is_empty());
}

#[test]
fn names_that_belong_to_no_school_or_to_several_are_listed_and_not_guessed() {
    let connections = [
        connected("", "st marys", "Ratio", "started"),
        connected("", "Nowhere School", "Ratio", "started"),
        connected("999", "Far School", "Ratio", "started"),
        connected("7", "Gone", "Ratio", "started"),
        connected("8", "Round", "Ratio", "started"),
    ];
    let reach = reach(area(), connections, &[]);
    assert_eq!(reach.unmatched, ["Nowhere School", "st marys"]);
    assert_eq!(reach.elsewhere, ["Far School", "Gone", "Round"]);
    assert!(reach.reached.is_empty());
}

#[test]
fn an_alliance_reaches_its_schools_once() {
    let alliance = Alliance {
        urn: None,
        name: "Peak Alliance".to_owned(),
        members: ["1", "2", "999"].map(str::to_owned).into(),
    };
    let connections = [
        connected("", "PEAK alliance", "Leading", "started"),
        connected("1", "Hill", "Ratio", "started"),
    ];
    let reach = reach(area(), connections, &[alliance]);
    let reached = reach.reached.iter();
    let reached = reached.map(|one| (one.school.urn.as_str(), one.by.len()));
    assert_eq!(reached.collect::<Vec<_>>(), [("1", 2), ("3", 1)]);
}

//! Reading the register's files.

use std::time::Instant;

use node_domain::{Register, RegisterError};

use crate::made_up::{headings, register, write};

/// A file of the real shape whose rows fill only these columns.
fn file(rows: &[&[(&str, &str)]]) -> Vec<u8> {
    let headings = headings();
    let rows = rows.iter().map(|row| {
        let cells = headings.iter().map(|heading| {
            let cell = row.iter().find(|(name, _)| name == heading);
            cell.map_or("", |(_, text)| text).to_owned()
        });
        cells.collect()
    });
    write(&headings, rows)
}

fn reasons(register: &Register) -> Vec<(usize, &str)> {
    let problems = register.problems().iter();
    problems
        .map(|problem| (problem.row, problem.reason.as_str()))
        .collect()
}

#[test]
fn a_school_is_read_whole_and_becomes_an_organisations_fields() {
    let schools = file(&[&[
        ("URN", "106001"),
        ("EstablishmentName", " St Mary’s École – Primary "),
        ("TypeOfEstablishment (name)", "Academy converter"),
        ("EstablishmentTypeGroup (name)", "Academies"),
        ("EstablishmentStatus (name)", "Open, but proposed to close"),
        ("PhaseOfEducation (name)", "Primary"),
        ("OpenDate", "01-09-2012"),
        ("LA (code)", "372"),
        ("LA (name)", "Rotherham"),
        ("Town", "Rotherham"),
        ("Postcode", "S66 1AA"),
        ("GOR (name)", "Yorkshire and the Humber"),
        ("Trusts (name)", "An Invented Trust"),
        ("Easting", "450000"),
        ("Northing", "390000"),
    ]]);
    let register = Register::read(&schools).expect("the register");
    assert_eq!(reasons(&register), []);
    let school = register.get("106001").expect("the school");
    assert_eq!(
        (school.easting, school.northing),
        (Some(450_000), Some(390_000))
    );
    assert_eq!(school.local_authority_code, "372");
    let fields = serde_json::to_value(school.fields()).expect("JSON");
    assert_eq!(
        fields,
        serde_json::json!({
            "name": "St Mary’s École – Primary",
            "urn": "106001",
            "kind": "school",
            "phase": "primary",
            "type": "Academy converter",
            "status": "proposed to close",
            "opened": "2012-09-01",
            "local_authority": "Rotherham",
            "place": "Rotherham",
            "postcode": "S66 1AA",
            "trust": "An Invented Trust",
            "region": "Yorkshire and the Humber",
        })
    );
}

#[test]
fn colleges_and_universities_are_told_from_schools() {
    let row = |urn, group| {
        [
            ("URN", urn),
            ("EstablishmentName", "N"),
            ("EstablishmentTypeGroup (name)", group),
        ]
    };
    let rows = [
        row("100001", "Colleges"),
        row("100002", "Universities"),
        row("100003", "Free Schools"),
        row("100004", ""),
    ];
    let rows = rows.iter().map(|row| &row[..]).collect::<Vec<_>>();
    let register = Register::read(&file(&rows)).expect("the register");
    let kinds = register.schools().map(|school| school.kind);
    assert_eq!(
        kinds.collect::<Vec<_>>(),
        ["college", "university", "school", "school"]
    );
}

#[test]
fn a_bad_row_is_reported_with_its_number_and_blocks_no_other() {
    let mut schools = file(&[
        &[("URN", "100001"), ("EstablishmentName", "Good")],
        &[("URN", "10000x"), ("EstablishmentName", "No number")],
        &[("URN", "100002")],
        &[("URN", "100001"), ("EstablishmentName", "Twice")],
        &[
            ("URN", "100003"),
            ("EstablishmentName", "Odd"),
            ("EstablishmentStatus (name)", "Lost"),
        ],
        &[
            ("URN", "100004"),
            ("EstablishmentName", "Kept"),
            ("OpenDate", "31-02-2001"),
        ],
    ]);
    schools.extend(b"100005,only,three\r\n");
    schools.extend(
        file(&[&[("URN", "100006"), ("EstablishmentName", "Last")]])
            .split_inclusive(|byte| *byte == b'\n')
            .nth(1)
            .expect("a row"),
    );
    let register = Register::read(&schools).expect("the register");
    let urns = register.schools().map(|school| school.urn.as_str());
    assert_eq!(urns.collect::<Vec<_>>(), ["100001", "100004", "100006"]);
    assert_eq!(register.get("100004").expect("kept").opened, "");
    assert_eq!(
        reasons(&register),
        [
            (3, "URN '10000x' has not six digits; the row is left out"),
            (4, "URN 100002 has no name; the row is left out"),
            (
                5,
                "URN 100001 stands in an earlier row too; the row is left out"
            ),
            (6, "URN 100003 has the status 'Lost'; the row is left out"),
            (
                7,
                "URN 100004 has '31-02-2001' as its OpenDate, which is left out"
            ),
            (
                8,
                "the row has 3 columns and the headings 139; the row is left out"
            ),
        ]
    );
}

#[test]
fn links_tell_successors_and_predecessors_at_both_ends() {
    let schools = file(&[
        &[("URN", "100001"), ("EstablishmentName", "Infants")],
        &[("URN", "100002"), ("EstablishmentName", "Juniors")],
        &[("URN", "100003"), ("EstablishmentName", "Primary")],
    ]);
    let links = |rows: &[[&str; 3]]| {
        let rows = rows.iter().map(|[urn, other, what]| {
            [*urn, other, "Name, with comma", what, ""]
                .map(str::to_owned)
                .to_vec()
        });
        write(
            &[
                "URN",
                "LinkURN",
                "LinkName",
                "LinkType",
                "LinkEstablishedDate",
            ],
            rows,
        )
    };
    let mut register = Register::read(&schools).expect("the register");
    register
        .add_links(&links(&[
            ["100001", "100003", "Successor - amalgamated"],
            ["100003", "100001", "Predecessor - amalgamated"],
            ["100003", "100002", "Predecessor - amalgamated"],
            ["100001", "100002", "Sixth Form Centre School"],
            ["100001", "999999", "Successor"],
            ["100001", "100001", "Successor"],
            ["10000", "100001", "Successor"],
        ]))
        .expect("the links");
    let primary = register.get("100003").expect("the school");
    assert_eq!(primary.predecessors, ["100001", "100002"]);
    assert_eq!(primary.fields()["predecessor"], "100001 100002");
    assert_eq!(
        register.get("100002").expect("the school").successors,
        ["100003"]
    );
    assert_eq!(
        register.get("100001").expect("the school").fields()["successor"],
        "100003"
    );
    assert_eq!(
        reasons(&register),
        [
            (
                6,
                "URN 999999 is not among the schools; the row is left out"
            ),
            (7, "URN 100001 is linked to itself; the row is left out"),
            (8, "URN '10000' has not six digits; the row is left out"),
        ]
    );
}

#[test]
fn another_file_is_refused_with_the_column_that_it_lacks() {
    let missing = |bytes: &[u8]| Register::read(bytes).expect_err("another file").to_string();
    assert!(missing(b"Name,Town\nA,B\n").contains("no column 'URN'"));
    assert!(missing(b"URN,Town\n100001,B\n").contains("no column 'EstablishmentName'"));
    assert!(missing(b"").contains("no column 'URN'"));
    assert!(missing(&[0xFF; 100]).contains("no column 'URN'"));
    let mut register = Register::read(&file(&[])).expect("an empty register");
    let error = register.add_links(&file(&[])).expect_err("not the links");
    assert!(matches!(
        error,
        RegisterError::MissingColumn {
            column: "LinkURN",
            ..
        }
    ));
}

#[test]
fn columns_are_found_in_any_order_and_in_utf_8_too() {
    let text = "\u{FEFF}EstablishmentName,urn ,Town\nÉcole – Élise,100001,Thurcroft\n";
    let register = Register::read(text.as_bytes()).expect("the register");
    assert_eq!(
        register.get("100001").expect("the school").name,
        "École – Élise"
    );
}

#[test]
fn head_teachers_are_never_loaded() {
    let made_up = register(1, 300);
    let text = encoding_rs::WINDOWS_1252.decode(&made_up.schools).0;
    assert!(text.contains("Inventedlast100000") && text.contains("Inventedfirst"));
    let register = Register::read(&made_up.schools).expect("the register");
    let loaded = format!("{register:?}");
    assert!(loaded.contains("100000"), "the schools are there");
    assert!(
        !loaded.contains("Invented"),
        "nothing of their head teachers is"
    );
    for school in register.schools() {
        let fields = serde_json::to_string(&school.fields()).expect("JSON");
        assert!(!fields.contains("Invented"), "{fields}");
    }
}

#[test]
fn a_file_cut_short_or_changed_anywhere_gives_what_can_be_read() {
    let made_up = register(2, 20);
    for length in (0..made_up.schools.len()).step_by(7) {
        if let Ok(register) = Register::read(&made_up.schools[..length]) {
            assert!(register.schools().len() <= 20);
        }
    }
    for at in (0..made_up.schools.len()).step_by(5) {
        let mut bytes = made_up.schools.clone();
        bytes[at] = b'"';
        if let Ok(register) = Register::read(&bytes) {
            assert!(register.schools().len() <= 20);
        }
    }
}

#[test]
fn the_whole_country_is_read_with_its_closures_and_successors() {
    let made_up = register(3, 50_000);
    let began = Instant::now();
    let mut register = Register::read(&made_up.schools).expect("the register");
    register.add_links(&made_up.links).expect("the links");
    println!(
        "{} schools of {} MiB and {} links were read in {:?}",
        register.schools().len(),
        made_up.schools.len() >> 20,
        made_up.successions.len(),
        began.elapsed()
    );
    assert_eq!(reasons(&register), []);
    assert_eq!(register.schools().len(), 50_000);
    for row in &made_up.rows {
        let school = register.get(&row["URN"]).expect("each school is there");
        assert_eq!(school.name, row["EstablishmentName"]);
        assert_eq!(school.postcode, row["Postcode"]);
        let closed = row["EstablishmentStatus (name)"] == "Closed";
        assert_eq!(school.status, if closed { "closed" } else { "open" });
        assert_eq!(school.closed, if closed { "2019-08-31" } else { "" });
    }
    for (earlier, later) in &made_up.successions {
        let earlier_school = register.get(earlier).expect("the closed school");
        assert_eq!(&earlier_school.successors, std::slice::from_ref(later));
        let later_school = register.get(later).expect("the open school");
        assert_eq!(&later_school.predecessors, std::slice::from_ref(earlier));
    }
}

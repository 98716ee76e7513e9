//! Typed names: found, asked, or honestly unknown; never silently another school.

use std::time::Instant;

use node_domain::{KnownSchool, Register, SchoolMatch, SchoolMatcher, TypedSchool};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

use crate::made_up::register;
use crate::slips::typed;

fn school(urn: &str, name: &str, place: &str) -> KnownSchool {
    KnownSchool {
        id: format!("id{urn}"),
        urn: urn.to_owned(),
        name: name.to_owned(),
        place: place.to_owned(),
        open: true,
        ..KnownSchool::default()
    }
}

fn closed(urn: &str, name: &str, successor: Option<&str>) -> KnownSchool {
    KnownSchool {
        open: false,
        successor: successor.map(str::to_owned),
        ..school(urn, name, "Rotherham")
    }
}

fn area() -> SchoolMatcher {
    let mut schools = vec![
        school("100001", "Anston Brook Primary School", "Sheffield"),
        school("100002", "Anston Hillcrest Primary School", "Sheffield"),
        school("100003", "St Mary's Catholic Primary School", "Rotherham"),
        school("100004", "St Mary's Catholic Primary School", "Barnsley"),
        school(
            "100005",
            "St Mary’s Church of England Primary School",
            "Doncaster",
        ),
        school("100006", "Thurcroft Infant School", "Rotherham"),
        school("100007", "Thurcroft Junior Academy", "Rotherham"),
        school("100008", "Thornhill Primary School", "Rotherham"),
        school(
            "100009",
            "Wickersley School and Sports College",
            "Rotherham",
        ),
        school("100010", "Kiveton Park Meadows Junior School", "Sheffield"),
        closed("100011", "Dinnington Comprehensive School", Some("100012")),
        closed("100012", "Dinnington Academy of Invention", Some("100013")),
        school("100013", "Dinnington High School", "Sheffield"),
        closed("100014", "Maltby Craggs Infants", Some("100015")),
        closed("100015", "Maltby Craggs Juniors", Some("100014")),
        closed("100016", "Rawmarsh Monkwood School", None),
        school("100017", "The Free School", "Rotherham"),
    ];
    schools[2].postcode = "S60 1AA".to_owned();
    schools[3].postcode = "S70 2BB".to_owned();
    SchoolMatcher::new(schools.into_iter())
}

fn find(name: &str) -> SchoolMatch {
    area().find(&TypedSchool {
        name: name.to_owned(),
        ..TypedSchool::default()
    })
}

fn sure(found: &SchoolMatch) -> &str {
    match found {
        SchoolMatch::Sure { school, .. } => &school.school.urn,
        SchoolMatch::Unsure { .. } | SchoolMatch::None => panic!("not sure: {found:?}"),
    }
}

fn asked(found: &SchoolMatch) -> Vec<&str> {
    match found {
        SchoolMatch::Unsure { candidates } => candidates
            .iter()
            .map(|(school, _)| school.school.urn.as_str())
            .collect(),
        SchoolMatch::Sure { .. } | SchoolMatch::None => panic!("not asked: {found:?}"),
    }
}

#[test]
fn the_usual_abbreviations_and_slips_are_seen_through() {
    for (name, urn) in [
        ("Anston Brook Primary School", "100001"),
        ("anston brook pri", "100001"),
        ("Anston Brok Primary Sch.", "100001"),
        ("Anston Brook Primary, Sheffield", "100001"),
        ("Thurcroft Jnr Acad", "100007"),
        ("Thurcroft Infants", "100006"),
        ("Thorn Hill Primary", "100008"),
        ("WICKERSLEY SCHOOL & SPORTS COLLEGE", "100009"),
        ("Kivton Park Meadows Jun School", "100010"),
        ("St Marys C of E Primary", "100005"),
        ("The Free School", "100017"),
    ] {
        assert_eq!(sure(&find(name)), urn, "{name}");
    }
}

#[test]
fn schools_of_one_name_are_asked_about_unless_the_place_decides() {
    let name = "St Mary's RC Primary";
    let found = find(name);
    let mut offered = asked(&found);
    offered.truncate(2);
    offered.sort_unstable();
    assert_eq!(offered, ["100003", "100004"]);
    // Who leaves out the church may mean any of the three.
    assert_eq!(asked(&find("St Mary's Primary School")).len(), 3);
    let by = |change: &dyn Fn(&mut TypedSchool)| {
        let mut typed = TypedSchool {
            name: name.to_owned(),
            ..TypedSchool::default()
        };
        change(&mut typed);
        sure(&area().find(&typed)).to_owned()
    };
    assert_eq!(
        by(&|typed| typed.place = Some("barnsley".to_owned())),
        "100004"
    );
    assert_eq!(
        by(&|typed| typed.place = Some("Rotheram".to_owned())),
        "100003"
    );
    assert_eq!(
        by(&|typed| typed.postcode = Some("s702bb".to_owned())),
        "100004"
    );
    assert_eq!(by(&|typed| typed.name.push_str(", Barnsley")), "100004");
}

#[test]
fn half_a_name_is_a_question() {
    let found = find("Anston Primary");
    let mut offered = asked(&found);
    offered.truncate(2);
    offered.sort_unstable();
    assert_eq!(offered, ["100001", "100002"]);
    assert_eq!(asked(&find("Thurcroft")).len(), 2);
}

#[test]
fn a_name_that_is_none_of_them_is_none() {
    for name in [
        "Penzance Harbour Academy",
        "",
        "???",
        "Primary School",
        "xyz",
    ] {
        let found = find(name);
        assert!(
            !matches!(found, SchoolMatch::Sure { .. }),
            "{name}: {found:?}"
        );
    }
    assert_eq!(find("Penzance Harbour Academy"), SchoolMatch::None);
    assert_eq!(find(""), SchoolMatch::None);
    let nobody = SchoolMatcher::new(std::iter::empty());
    let typed = TypedSchool {
        name: "Anston Brook".to_owned(),
        ..TypedSchool::default()
    };
    assert_eq!(nobody.find(&typed), SchoolMatch::None);
}

#[test]
fn a_number_wins_unless_the_name_beside_it_is_another() {
    let by = |urn: &str, name: &str| {
        area().find(&TypedSchool {
            name: name.to_owned(),
            urn: Some(urn.to_owned()),
            ..TypedSchool::default()
        })
    };
    assert_eq!(sure(&by("100004", "St Mary's Primary")), "100004");
    assert_eq!(sure(&by(" 100001 ", "")), "100001");
    assert_eq!(
        asked(&by("100001", "Thornhill Primary School"))[..2],
        ["100001", "100008"]
    );
    // A number that nobody knows is a question too, however good the name.
    assert_eq!(
        asked(&by("999999", "Thornhill Primary School"))[0],
        "100008"
    );
    assert_eq!(by("999999", ""), SchoolMatch::None);
    assert_eq!(sure(&find("Anston Brook Primary (100001)")), "100001");
}

#[test]
fn closed_schools_point_to_those_that_came_after_them() {
    let SchoolMatch::Sure { school, .. } = find("Dinnington Comprehensive") else {
        panic!("not sure");
    };
    assert!(school.closed);
    assert_eq!(school.school.urn, "100011");
    assert_eq!(school.successor.as_ref().expect("one").urn, "100013");
    assert_eq!(school.today().id, "id100013");
    let SchoolMatch::Sure { school, .. } = find("Rawmarsh Monkwood") else {
        panic!("not sure");
    };
    assert!(school.closed && school.successor.is_none());
    assert_eq!(school.today().urn, "100016");
}

#[test]
fn successors_in_a_circle_are_no_successors() {
    let SchoolMatch::Sure { school, .. } = find("Maltby Craggs Infants") else {
        panic!("not sure");
    };
    assert!(school.closed && school.successor.is_none());
}

#[test]
fn a_school_that_became_an_academy_of_its_name_is_the_academy() {
    let mut schools = [
        closed("100001", "Greenhill Primary School", Some("100002")),
        school("100002", "Greenhill Primary Academy", "Rotherham"),
        closed("100003", "Aston Fence School", None),
        school("100004", "Aston Fence School", "Sheffield"),
    ];
    schools[2].postcode = "S13 9ZZ".to_owned();
    schools[3].postcode = "s13 9zz".to_owned();
    let matcher = SchoolMatcher::new(schools.into_iter());
    for (name, urn) in [
        ("Greenhill Primary School", "100002"),
        ("Aston Fence", "100004"),
    ] {
        let typed = TypedSchool {
            name: name.to_owned(),
            ..TypedSchool::default()
        };
        assert_eq!(sure(&matcher.find(&typed)), urn, "{name}");
    }
}

#[test]
fn slips_and_abbreviations_are_found_or_asked_and_never_silently_another_school() {
    let seed = 7;
    println!("seed {seed}");
    // Five hundred schools, about as many as a hub's area has.
    let schools = Register::read(&register(seed, 500).schools).expect("the register");
    let matcher = SchoolMatcher::new(schools.schools().map(KnownSchool::from));
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut right, mut asked, mut unknown, mut wrong) = (0, 0, 0, Vec::new());
    for school in (0..4).flat_map(|_| schools.schools()) {
        let name = typed(&mut random, &school.name);
        let found = matcher.find(&TypedSchool {
            name: name.clone(),
            place: Some(school.place.clone()),
            ..TypedSchool::default()
        });
        match found {
            SchoolMatch::Sure { school: found, .. } if found.school.urn == school.urn => right += 1,
            SchoolMatch::Sure {
                school: found,
                confidence,
            } => {
                wrong.push((name, school.name.clone(), found.school.name, confidence));
            }
            SchoolMatch::Unsure { .. } => asked += 1,
            SchoolMatch::None => unknown += 1,
        }
    }
    println!(
        "right {right}, asked {asked}, unknown {unknown}, wrong {}",
        wrong.len()
    );
    for wrong in &wrong {
        println!("{wrong:?}");
    }
    assert!(wrong.is_empty());
    assert!(unknown < 40, "a name with two slips is hardly ever unknown");
}

#[test]
fn the_whole_country_is_matched_at_hundreds_a_second() {
    let schools = Register::read(&register(3, 50_000).schools).expect("the register");
    let began = Instant::now();
    let matcher = SchoolMatcher::new(schools.schools().map(KnownSchool::from));
    println!(
        "a matcher of 50,000 schools was built in {:?}",
        began.elapsed()
    );
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let began = Instant::now();
    let count = 500;
    for school in schools.schools().step_by(100) {
        let found = matcher.find(&TypedSchool {
            name: typed(&mut random, &school.name),
            postcode: Some(school.postcode.clone()),
            ..TypedSchool::default()
        });
        assert_ne!(found, SchoolMatch::None);
    }
    println!("{count} names were matched in {:?}", began.elapsed());
}

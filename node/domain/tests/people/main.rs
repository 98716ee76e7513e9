//! People who may stand in the hub twice.

use node_domain::{CardRecord, Likely, Object, PERSON, duplicates, merged};
use serde_json::{Value as Json, json};

fn object(json: Json) -> Object {
    json.as_object().expect("an object").clone()
}

fn found(people: &[Json]) -> Vec<Likely> {
    let named = people.iter().cloned().map(object).enumerate();
    let people = named
        .map(|(at, person)| (format!("p{at}"), person))
        .collect::<Vec<_>>();
    duplicates(&people)
}

fn at(name: &str, organisation: &str) -> Json {
    json!({"name": name, "organisation": organisation})
}

#[track_caller]
fn check(one: Json, other: Json, expected: Option<&[&str]>) {
    let pairs = [[one.clone(), other.clone()], [other, one]].map(|people| {
        let likely = found(&people).pop();
        likely.map(|likely| (likely.why, likely.confidence))
    });
    assert_eq!(pairs[0], pairs[1], "whichever comes first");
    let why = pairs[0].as_ref().map(|(why, _)| why.as_slice());
    assert_eq!(why, expected);
}

#[test]
fn one_person_is_recognised_in_two_cards() {
    let hill = "same organisation";
    let pairs = [
        ("Jane Doe", "jane  DOE", "same name"),
        ("Zoë O'Brien", "Zoe OBrien", "same name"),
        ("Jane Smith", "Jane Smyth", "similar name"),
        ("Elizabeth Doe", "Liz Doe", "short form of the first name"),
        ("J. Doe", "Jane Doe", "initial and last name"),
        ("Doe Jane", "Jane Doe", "first and last name swapped"),
        ("Mrs Jane Doe", "Doe, Jane", "same name"),
    ];
    for (one, other, why) in pairs {
        check(
            at(one, "Hill School"),
            at(other, "hill  school"),
            Some(&[why, hill]),
        );
        check(at(one, "Hill School"), at(other, "Vale"), None);
    }
    let mut married = at("Jane Roe", "Hill");
    married["former_names"] = json!("Doe");
    check(
        married,
        at("Jane Doe", "Hill"),
        Some(&["former name", hill]),
    );
    check(
        json!({"name": "Jane Doe", "urn": "106001", "organisation": "Hill"}),
        json!({"name": "Jane Doe", "urn": "106001", "organisation": "Hill School"}),
        Some(&["same name", hill]),
    );
    check(
        at("Jane Doe", "Hill"),
        json!({"name": "Jane Doe"}),
        Some(&["same name"]),
    );
    check(at("John Doe", "Hill"), at("Joan Doe", "Hill"), None);
    check(at("Jane Doe", "Hill"), at("Jane Roe", "Hill"), None);
}

#[test]
fn addresses_and_telephone_numbers_tell_people_apart_unless_an_office_shares_them() {
    let person = |name: &str, email: &str, phone: &str| json!({"name": name, "email": email, "phone": phone});
    let (email, phone) = ("same e-mail", "same phone");
    check(
        person("Jane Doe", "J@hill.sch.uk", "01234 567890"),
        person("J Doe", "j@hill.sch.uk", "+44 (0)1234 567890"),
        Some(&[email, phone, "initial and last name"]),
    );
    check(
        person("Jane Doe", "j@h.uk", ""),
        person("Al Roe", "j@h.uk", ""),
        Some(&[email]),
    );
    let shared = person("Jane Doe", "", "01234567890");
    check(
        shared.clone(),
        person("Al Roe", "", "01234 567 890"),
        Some(&[phone]),
    );
    let office = ["Jane Doe", "Al Roe", "Bo Poe", "Jayne Doe"];
    let office = office.map(|name| person(name, "office@h.uk", "01234 567890"));
    let likely = found(&office);
    assert_eq!(
        likely.len(),
        1,
        "only those whose names are alike: {likely:?}"
    );
    assert_eq!((likely[0].a.as_str(), likely[0].b.as_str()), ("p0", "p3"));
}

#[test]
fn the_likeliest_pairs_come_first_and_many_cards_take_no_square_of_their_number() {
    let mut people = (0..3_000)
        .map(|at| {
            let name = format!("N{}ab Surname{}", at % 60, at * 7_919 % 3_001);
            json!({"name": name, "organisation": format!("School {}", at % 300)})
        })
        .collect::<Vec<_>>();
    people.push(json!({"name": "Jane Doe", "organisation": "School 1", "email": "j@h.uk"}));
    people.push(json!({"name": "Jane Doe", "organisation": "School 1"}));
    people.push(json!({"name": "Jane M. Doe", "email": "j@h.uk"}));
    let likely = found(&people);
    assert_eq!(likely[0].confidence, 99);
    assert!(
        likely
            .windows(2)
            .all(|pair| pair[0].confidence >= pair[1].confidence)
    );
}

#[test]
fn two_cards_become_one_and_no_name_is_lost() {
    let keep = object(json!({
        "name": "Jane Roe", "former_names": "Poe", "email": "", "organisation": "Hill",
        "contact_wishes": "any",
    }));
    let other = object(json!({
        "name": "Jane Doe", "former_names": "Poe, Loe", "email": "j@hill.sch.uk",
        "organisation": "Vale", "contact_wishes": "none", "newer_field": 1,
    }));
    let one = merged(&keep, &other);
    assert_eq!(
        Json::Object(one.clone()),
        json!({
            "name": "Jane Roe", "former_names": "Poe, Jane Doe, Loe", "email": "j@hill.sch.uk",
            "organisation": "Hill", "contact_wishes": "none", "newer_field": 1,
        })
    );
    assert_eq!(merged(&one, &other), one, "merged twice is merged once");
    let mut known = one;
    known.remove("newer_field");
    assert!(CardRecord::new(&PERSON, &known, false).is_ok());
    let same = merged(&keep, &object(json!({"name": "JANE ROE"})));
    assert_eq!(same["former_names"], "Poe");
    let long = object(json!({"name": "N".repeat(199)}));
    let kept = CardRecord::new(&PERSON, &merged(&keep, &long), false).expect("within its limit");
    assert_eq!(kept.fields["former_names"], "Poe");
}

//! Real schools, where they are at hand beside the project; without them these tests pass.

use std::fs;
use std::path::Path;

use node_domain::{KnownSchool, Register, SchoolMatch, SchoolMatcher, TypedSchool};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

use crate::slips::typed;

fn sample() -> Option<Register> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/schools_sample.csv");
    let Ok(bytes) = fs::read(&path) else {
        println!("{} is not there: nothing to do", path.display());
        return None;
    };
    Some(Register::read(&bytes).expect("the register"))
}

#[test]
fn real_rows_under_some_of_the_columns_are_read() {
    let Some(register) = sample() else { return };
    println!(
        "{} schools, problems {:?}",
        register.schools().len(),
        register.problems()
    );
    assert!(register.schools().len() > 3_000);
    assert!(register.problems().is_empty());
    assert!(register.schools().all(|school| school.kind == "school"));
    let primary = register
        .schools()
        .filter(|school| school.phase == "primary");
    assert!(primary.count() > 1_000);
}

#[test]
fn real_names_typed_with_slips_are_hardly_ever_taken_for_another_school() {
    let Some(register) = sample() else { return };
    let matcher = SchoolMatcher::new(register.schools().map(KnownSchool::from));
    for (story, with_slips, with_place) in [
        ("as they stand, name alone", false, false),
        ("as they stand, with the place", false, true),
        ("with slips, name alone", true, false),
        ("with slips, with the place", true, true),
    ] {
        let mut random = ChaCha8Rng::seed_from_u64(11);
        let (mut right, mut asked, mut missed, mut unknown) = (0, 0, 0, 0);
        let mut wrong = Vec::new();
        for school in register.schools() {
            let name = match with_slips {
                true => typed(&mut random, &school.name),
                false => school.name.clone(),
            };
            let place = with_place.then(|| school.place.clone());
            let found = matcher.find(&TypedSchool {
                name: name.clone(),
                place,
                ..TypedSchool::default()
            });
            match found {
                SchoolMatch::Sure { school: found, .. } if found.school.urn == school.urn => {
                    right += 1;
                }
                SchoolMatch::Sure { school: found, .. } => {
                    wrong.push((name, school.name.clone(), found.school.name));
                }
                SchoolMatch::Unsure { candidates } => {
                    asked += 1;
                    let offered = candidates
                        .iter()
                        .any(|(found, _)| found.school.urn == school.urn);
                    missed += usize::from(!offered);
                }
                SchoolMatch::None => unknown += 1,
            }
        }
        let count = register.schools().len();
        println!(
            "{story}: of {count}, right {right}, asked {asked} ({missed} without the right one), \
             unknown {unknown}, silently wrong {}",
            wrong.len()
        );
        for (typed, meant, taken) in wrong.iter().take(12) {
            println!("    {typed:?}, meant {meant:?}, taken for {taken:?}");
        }
        assert!(wrong.len() * 100 < count, "silently wrong: {}", wrong.len());
    }
}

#[test]
fn real_schools_that_are_not_known_are_hardly_ever_taken_for_others() {
    let Some(register) = sample() else { return };
    let (known, others) = register
        .schools()
        .enumerate()
        .partition::<Vec<_>, _>(|(index, _)| index % 10 != 0);
    let matcher = SchoolMatcher::new(known.iter().map(|(_, school)| KnownSchool::from(*school)));
    let mut taken = Vec::new();
    let mut same_name = 0;
    for (_, school) in &others {
        let found = matcher.find(&TypedSchool {
            name: school.name.clone(),
            ..TypedSchool::default()
        });
        if let SchoolMatch::Sure { school: found, .. } = found {
            same_name += usize::from(found.school.name == school.name);
            taken.push((school.name.clone(), found.school.name));
        }
    }
    println!(
        "of {} unknown schools {} were taken for another, {same_name} of them of the very name",
        others.len(),
        taken.len()
    );
    for (meant, found) in &taken {
        println!("    {meant:?} for {found:?}");
    }
    assert!((taken.len() - same_name) * 20 < others.len());
}

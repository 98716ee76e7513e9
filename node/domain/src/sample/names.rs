//! Names of people who do not exist and sound like it.

use crate::sample::chance::Chance;

const GIVEN: &[&str] = &[
    "Testa",
    "Testo",
    "Demo",
    "Demona",
    "Sampla",
    "Samplo",
    "Exempla",
    "Exemplo",
    "Mocka",
    "Mocko",
    "Dummia",
    "Placeholda",
    "Fixtura",
    "Fixto",
    "Pretenda",
    "Pretendo",
    "Inventa",
    "Invento",
    "Fictia",
    "Ficto",
    "Trialla",
    "Trialo",
    "Drafta",
    "Drafto",
    "Stubba",
    "Stubbo",
    "Loremia",
    "Ipsumo",
    "Dolora-Sit",
    "Ametta",
    "Foobara",
    "Quuxley",
    "Nonesa",
    "Nulla",
    "Nullo",
    "Voida",
    "Blanka",
    "Blanko",
    "Specima",
    "Specimo",
    "Patterna",
    "Modela",
    "Prototypa",
    "Protto",
    "Alphabeta",
    "Betatest",
];

const FAMILY: &[&str] = &[
    "Sampleton",
    "McExample",
    "Testworth",
    "Demoby",
    "Mockham",
    "Dummyshaw",
    "Placeholderson",
    "Fixtureford",
    "O'Fiction",
    "Madeupley",
    "Pretendwick",
    "Inventby",
    "Specimenfield",
    "Trialton",
    "Draftley",
    "Stubfield",
    "Loremsum",
    "Foobarton",
    "Quuxworth",
    "Nonsuchby",
    "MacSample",
    "Exampleton",
    "Testerley",
    "Demonstrable",
    "Mockingford",
    "Dummyson",
    "Fictionby",
    "Madeupton",
    "Pretendham",
    "Inventford",
    "Patternley",
    "Modelworth",
    "Nullby",
    "Blankshire",
    "Voidley",
    "Sampleshaw",
    "Testaway",
    "Fakenamely",
    "Imaginer-Smith",
    "Unrealby",
    "Notarealperson",
    "Hypotheticalby",
    "Supposeworth",
    "Exemplarford",
    "Figmentley",
    "Facsimileby",
];

const JOBS: &[&str] = &[
    "class teacher",
    "maths lead",
    "deputy head",
    "head of department",
    "second in department",
    "teaching assistant",
    "year leader",
    "early career teacher",
    "Class Teacher (Y3)",
    "KS2 lead",
];

/// Draws names, each once.
#[derive(Debug, Clone)]
pub(crate) struct Names {
    order: Vec<usize>,
}

impl Names {
    pub(crate) fn new(chance: &mut Chance) -> Self {
        Self {
            order: chance.order(GIVEN.len() * FAMILY.len()),
        }
    }

    /// A name that was not drawn before: given and family. Beyond the lists' end they are
    /// numbered.
    pub(crate) fn draw(&mut self, number: usize) -> (String, String) {
        let count = self.order.len().max(1);
        let at = self.order.get(number % count).copied().unwrap_or(0);
        let given = GIVEN.get(at % GIVEN.len()).copied().unwrap_or("Testa");
        let family = FAMILY.get(at / GIVEN.len()).copied().unwrap_or("Sampleton");
        let again = number / count;
        let family = if again == 0 {
            family.to_owned()
        } else {
            format!("{family} {}", again + 1)
        };
        (given.to_owned(), family)
    }
}

/// A job at a school, as people write it.
pub(crate) fn job(chance: &mut Chance) -> &'static str {
    chance.pick(JOBS)
}

/// An e-mail address that leads nowhere.
pub(crate) fn email(given: &str, family: &str, domain: &str) -> String {
    let plain = |name: &str| {
        name.chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase()
    };
    format!("{}.{}@{domain}", plain(given), plain(family))
}

/// A telephone number from the range that is kept free for dramas.
pub(crate) fn phone(chance: &mut Chance) -> String {
    format!("01632 960{:03}", chance.below(1_000))
}

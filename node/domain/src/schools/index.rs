//! Which schools a name may mean at all: those that share groups of three letters with it.

use std::collections::HashMap;

use super::name::Name;

/// How many schools are looked at closely, and how many of the right place besides.
const LOOKED_AT: usize = 50;

/// Three letters that follow each other.
type Trigram = [char; 3];

/// For each group of three letters, the schools whose telling words have it.
#[derive(Debug)]
pub(super) struct NameIndex {
    schools: HashMap<Trigram, Vec<u32>>,
    /// The weight of all groups of each school's name.
    totals: Vec<f32>,
}

impl NameIndex {
    pub(super) fn new(names: &[Name]) -> Self {
        let mut schools = HashMap::<_, Vec<u32>>::new();
        for (at, name) in (0..).zip(names) {
            for trigram in trigrams(name) {
                schools.entry(trigram).or_default().push(at);
            }
        }
        let mut index = Self {
            schools,
            totals: vec![0.0; names.len()],
        };
        let mut totals = std::mem::take(&mut index.totals);
        for held in index.schools.values() {
            let weight = index.weight(held, totals.len());
            for at in held {
                if let Some(total) = totals.get_mut(*at as usize) {
                    *total += weight;
                }
            }
        }
        index.totals = totals;
        index
    }

    /// The likeliest schools by their letters, and the likeliest of those at the right place.
    pub(super) fn candidates(
        &self,
        name: &Name,
        is_there: Option<impl Fn(usize) -> bool>,
    ) -> Vec<usize> {
        let count = self.totals.len();
        let mut shared = vec![0.0_f32; count];
        let mut touched = Vec::new();
        let mut total = 0.0;
        for trigram in trigrams(name) {
            let Some(held) = self.schools.get(&trigram) else {
                total += rarest(count);
                continue;
            };
            let weight = self.weight(held, count);
            total += weight;
            for at in held {
                let at = *at as usize;
                let sum = &mut shared[at];
                if *sum == 0.0 {
                    touched.push(at);
                }
                *sum += weight;
            }
        }
        let likeness = |at: &usize| shared[*at] / (total + self.totals[*at]);
        let mut likeliest = touched;
        let others = keep_likeliest(&mut likeliest, &likeness);
        if let Some(is_there) = is_there {
            let there = others.into_iter().filter(|at| is_there(*at));
            let mut there = there.collect::<Vec<_>>();
            keep_likeliest(&mut there, &likeness);
            likeliest.extend(there);
        }
        likeliest
    }

    fn weight(&self, held: &[u32], count: usize) -> f32 {
        (1.0 + count as f32 / held.len() as f32).ln()
    }
}

/// Keeps the likeliest schools, and gives back the others.
fn keep_likeliest(schools: &mut Vec<usize>, likeness: &impl Fn(&usize) -> f32) -> Vec<usize> {
    if schools.len() <= LOOKED_AT {
        return Vec::new();
    }
    schools.select_nth_unstable_by(LOOKED_AT, |one, other| {
        let likelier = likeness(other).total_cmp(&likeness(one));
        likelier.then(one.cmp(other))
    });
    schools.split_off(LOOKED_AT)
}

fn rarest(count: usize) -> f32 {
    (1.0 + count as f32).ln()
}

/// The groups of a name's telling words, each once. Beginnings and ends of words count.
fn trigrams(name: &Name) -> Vec<Trigram> {
    let mut trigrams = Vec::<Trigram>::new();
    for word in name.telling() {
        let spaced = [' '].into_iter().chain(word.chars()).chain([' ']);
        let spaced = spaced.collect::<Vec<_>>();
        let groups = spaced
            .windows(3)
            .filter_map(|group| Trigram::try_from(group).ok());
        trigrams.extend(groups);
    }
    trigrams.sort_unstable();
    trigrams.dedup();
    trigrams
}

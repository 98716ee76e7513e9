//! Where each hub stands on the tile map.

/// Columns of the map.
pub(super) const COLUMNS: usize = 7;

/// A hub's place, and what stands on its tile.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The hub's code.
    pub(super) code: &'static str,
    /// Three letters, for a phone.
    pub(super) letters: &'static str,
    /// A short name, where there is room for two lines of twelve letters.
    pub(super) short: &'static str,
    pub(super) column: usize,
    pub(super) row: usize,
}

const fn place(
    code: &'static str,
    letters: &'static str,
    short: &'static str,
    column: usize,
    row: usize,
) -> Place {
    Place {
        code,
        letters,
        short,
        column,
        row,
    }
}

/// Roughly as on a map of England, so that each hub stands beside its neighbours.
#[rustfmt::skip]
pub(super) const PLACES: &[Place] = &[
    place("great-north", "GNO", "Great North", 2, 0),
    place("archimedes-ne", "ARC", "Archimedes NE", 3, 0),
    place("north-north-west", "NNW", "North North West", 2, 1),
    place("yorkshire-ridings", "YRI", "Yorkshire Ridings", 3, 1),
    place("abacus-nw", "ABA", "Abacus NW", 2, 2),
    place("west-yorkshire", "WYO", "West Yorkshire", 3, 2),
    place("yorkshire-and-the-humber", "YHU", "Yorkshire & Humber", 4, 2),
    place("north-west-three", "NW3", "North West Three", 0, 3),
    place("turing-nw", "TUR", "Turing NW", 1, 3),
    place("north-west-one", "NW1", "North West One", 2, 3),
    place("south-yorkshire", "SYO", "South Yorkshire", 3, 3),
    place("cheshire-and-wirral", "CHW", "Cheshire & Wirral", 1, 4),
    place("north-mids", "NMI", "North Mids", 2, 4),
    place("east-midlands-west", "EMW", "E Midlands West", 3, 4),
    place("shaw", "SHA", "SHaW", 1, 5),
    place("central", "CEN", "Central", 2, 5),
    place("origin", "ORI", "Origin", 3, 5),
    place("east-midlands-south", "EMS", "E Midlands South", 4, 5),
    place("cambridge", "CAM", "Cambridge", 5, 5),
    place("glow", "GLO", "GLOW", 1, 6),
    place("bucks-berks-and-oxon", "BBO", "Bucks, Berks & Oxon", 2, 6),
    place("enigma", "ENI", "Enigma", 3, 6),
    place("matrix", "MAT", "Matrix", 4, 6),
    place("venn-essex", "VEN", "Venn Essex", 5, 6),
    place("boolean", "BOO", "Boolean", 1, 7),
    place("moebius", "MOE", "Mobius", 2, 7),
    place("london-central-and-west", "LCW", "London C&W", 3, 7),
    place("london-central-and-north-west", "LNW", "London C&NW", 4, 7),
    place("london-north-east", "LNE", "London NE", 5, 7),
    place("jurassic", "JUR", "Jurassic", 1, 8),
    place("north-east-hants-and-surrey", "NEH", "NE Hants & Surrey", 2, 8),
    place("london-south-west", "LSW", "London SW", 3, 8),
    place("london-thames", "LTH", "London Thames", 4, 8),
    place("london-south-east-plus", "LSE", "London South East Plus", 5, 8),
    place("kent-and-medway", "KEN", "Kent & Medway", 6, 8),
    place("code", "COD", "CODE", 0, 9),
    place("solent", "SOL", "Solent", 2, 9),
    place("sussex", "SUS", "Sussex", 3, 9),
];

/// The place of a hub that is on the map.
pub(super) fn of(code: &str) -> Option<Place> {
    PLACES.iter().find(|place| place.code == code).copied()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::label::wrap;
    use super::*;

    #[test]
    fn no_two_hubs_stand_on_one_tile() {
        let spots = PLACES.iter().map(|place| (place.column, place.row));
        assert_eq!(spots.collect::<BTreeSet<_>>().len(), PLACES.len());
        let letters = PLACES.iter().map(|place| place.letters);
        assert_eq!(letters.collect::<BTreeSet<_>>().len(), PLACES.len());
        assert!(PLACES.iter().all(|place| place.column < COLUMNS));
        for place in PLACES {
            let lines = wrap(place.short, 12, 3);
            assert!(lines.len() <= 2, "{lines:?}");
        }
    }

    #[test]
    fn the_map_has_every_hub_of_the_sample_data() {
        let hubs = include_str!("../../../../deploy/data/hubs.csv");
        for line in hubs.lines().skip(1) {
            let code = line.split(',').next().expect("a code");
            assert!(of(code).is_some(), "{code} has no place on the map");
        }
    }
}

//! England's hubs as a map of equal tiles, so that a small area counts as much as a large one.

use maud::{Markup, html};

use super::label::{self, LINE};
use super::places::{self, COLUMNS, PLACES};
use super::scale::{float, per_cent};
use super::{Chart, Told, number};
use crate::web::words;

/// A tile's height, with the gap to the next.
const ROW: usize = 64;

/// A hub on the map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// Its code, by which it is placed.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Its value; none if it is missing.
    pub value: Option<u64>,
    /// Who covers the area, if it is vacant.
    pub vacant: Option<String>,
}

impl Tile {
    /// Its value, or why there is none, as in the table.
    fn said(&self) -> String {
        let vacant = self.vacant.as_ref().map(|by| {
            if by.is_empty() {
                "Vacant".to_owned()
            } else {
                format!("Vacant, covered by {by}")
            }
        });
        match (self.value, vacant) {
            (Some(value), None) => words::number(value),
            (Some(value), Some(vacant)) => format!("{} ({vacant})", words::number(value)),
            (None, Some(vacant)) => vacant,
            (None, None) => "No return".to_owned(),
        }
    }

    /// What has room on the tile.
    fn brief(&self) -> String {
        match (self.value, &self.vacant) {
            // A number that is wider than a tile on a phone; the table has the whole of it.
            (Some(value), _) if value >= 1_000_000 => {
                format!("{}m", words::number(value / 1_000_000))
            }
            (Some(value), _) => words::number(value),
            (None, Some(_)) => "vacant".to_owned(),
            (None, None) => "\u{2013}".to_owned(),
        }
    }

    /// Four shades by quarters of the most, and none for no value; the number on the tile says the same.
    fn shade(&self, most: u64) -> u128 {
        self.value.map_or(0, |value| {
            let quarters = (u128::from(value) * 4).div_ceil(u128::from(most.max(1)));
            quarters.clamp(1, 4)
        })
    }
}

/// A hub's tile in its place.
struct Placed<'a> {
    tile: &'a Tile,
    letters: String,
    short: String,
    column: usize,
    top: usize,
}

/// The map, with a list of what each tile stands for.
pub fn tile_map(chart: &Chart, counted: &str, tiles: &[Tile]) -> Markup {
    let placed = put(tiles);
    let most = tiles.iter().filter_map(|tile| tile.value).max();
    let height = placed.iter().map(|it| it.top + ROW).max().unwrap_or(0);
    let height = height.max(
        PLACES
            .iter()
            .map(|it| (it.row + 1) * ROW)
            .max()
            .unwrap_or(0),
    );
    let absent = PLACES
        .iter()
        .filter(|place| !tiles.iter().any(|tile| tile.code == place.code));
    let absent = absent.collect::<Vec<_>>();
    let unknown = placed.iter().find(|it| places::of(&it.tile.code).is_none());
    let marks = html! {
        @for place in &absent {
            rect.chart-ghost x=(per_cent(left(place.column) + 0.3)) y=(place.row * ROW + 2)
                width=(per_cent(wide() - 0.6)) height=(ROW - 4) {}
        }
        @if let Some(first) = unknown {
            text.chart-tick x="0.3%" y=(first.top.saturating_sub(8)) { "Not placed on this map" }
        }
        @for it in &placed { (draw(it, most.unwrap_or(0))) }
    };
    let mut sorted = placed.iter().collect::<Vec<_>>();
    sorted.sort_by(|one, other| one.tile.name.cmp(&other.tile.name));
    let rows = sorted.iter().map(|it| {
        let value = match (it.tile.value, &it.tile.vacant) {
            (Some(value), None) => number(value),
            (Some(_) | None, _) => html! { (it.tile.said()) },
        };
        vec![html! { (it.tile.name) }, html! { (it.letters) }, value]
    });
    chart.figure(&Told {
        picture: chart.picture(
            "England's hubs as equal tiles, roughly as on a map.",
            height,
            &html! { g.chart-tiles { (marks) } },
        ),
        below: below(&sorted, !absent.is_empty()),
        heads: vec![("Hub", false), ("On the map", false), (counted, true)],
        rows: rows.collect(),
    })
}

/// Each tile in its place; a hub that is newer than this map stands in a row of its own below.
fn put(tiles: &[Tile]) -> Vec<Placed<'_>> {
    let below = PLACES.iter().map(|place| place.row + 1).max().unwrap_or(0) * ROW + 34;
    let mut next = 0;
    let placed = tiles.iter().map(|tile| match places::of(&tile.code) {
        Some(place) => Placed {
            tile,
            letters: place.letters.to_owned(),
            short: place.short.to_owned(),
            column: place.column,
            top: place.row * ROW,
        },
        None => {
            let index = next;
            next += 1;
            let name = tile.name.trim().trim_end_matches("Maths Hub").trim_end();
            Placed {
                tile,
                letters: letters(name),
                short: name.to_owned(),
                column: index % COLUMNS,
                top: below + index / COLUMNS * ROW,
            }
        }
    });
    placed.collect()
}

fn draw(it: &Placed<'_>, most: u64) -> Markup {
    let shade = it.tile.shade(most);
    let centre = per_cent(left(it.column) + wide() / 2.0);
    let (x, width) = (per_cent(left(it.column) + 0.3), per_cent(wide() - 0.6));
    let text = match &it.tile.vacant {
        Some(_) => format!("chart-tile-text chart-on-{shade} chart-on-hatch"),
        None => format!("chart-tile-text chart-on-{shade}"),
    };
    let name = label::wrap(&it.short, 12, 2);
    let first = if name.len() > 1 { 18 } else { 26 };
    html! {
        g {
            title { (it.tile.name) ": " (it.tile.said()) }
            rect class=(format!("chart-tile chart-tile-{shade}")) x=(x) y=(it.top + 2) width=(width)
                height=(ROW - 4) {}
            @if it.tile.vacant.is_some() {
                // A picture in the picture, as its edges cut the hatching off.
                svg x=(x) y=(it.top + 2) width=(width) height=(ROW - 4) { path.chart-hatch d=(hatching()) {} }
            }
            g.chart-wide { (label::text(&text, &centre, "middle", it.top + first, &name)) }
            g.chart-narrow { text class=(text) x=(centre) y=(it.top + 27) text-anchor="middle" { (it.letters) } }
            text class={ (text) " chart-tile-value" } x=(centre) y=(it.top + 20 + 2 * LINE) text-anchor="middle" {
                (it.tile.brief())
            }
        }
    }
}

/// Slanting lines over the widest tile there is.
fn hatching() -> String {
    let lines = (0..28).map(|index| format!("M{} 0l-{ROW} {ROW}", index * 9));
    lines.collect()
}

/// What the tiles do not say by themselves.
fn below(sorted: &[&Placed<'_>], ghosts: bool) -> Markup {
    let missing = sorted
        .iter()
        .filter(|it| it.tile.value.is_none() && it.tile.vacant.is_none());
    let missing = missing.map(|it| it.tile.name.clone()).collect::<Vec<_>>();
    let vacant = sorted.iter().filter_map(|it| {
        let by = it.tile.vacant.as_ref()?;
        Some(if by.is_empty() {
            it.tile.name.clone()
        } else {
            format!("{} (covered by {by})", it.tile.name)
        })
    });
    let vacant = vacant.collect::<Vec<_>>();
    html! {
        p.chart-note {
            "The more a tile stands out, the higher its number."
            @if ghosts { " Tiles without words are hubs that are not among these figures." }
        }
        @if !vacant.is_empty() { p { strong { "Vacant, hatched: " } (words::listed(&vacant)) "." } }
        @if !missing.is_empty() { p { strong { "No return: " } (words::listed(&missing)) "." } }
    }
}

/// A tile's width, with the gap to the next, in per cent.
fn wide() -> f64 {
    100.0 / float(COLUMNS)
}

fn left(column: usize) -> f64 {
    wide() * float(column)
}

/// Letters for a hub that the map does not know: the first of its words.
fn letters(name: &str) -> String {
    let first = name
        .split_whitespace()
        .filter_map(|word| word.chars().next());
    first.take(3).flat_map(char::to_uppercase).collect()
}

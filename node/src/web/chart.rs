//! Charts, drawn on the server as SVG.
//!
//! Charting crates place text by measuring fonts, scale it with the picture and write colours and
//! font families into the marks (charts-rs, plotters), or draw along two numeric axes alone (poloto).
//! Here text has to stay text at its size on a phone, and colours have to follow the style sheet into
//! dark mode and print, so the marks are drawn here, in shares of the width.
//!
//! Every chart states its finding, and stands above a table with the same numbers, made from the
//! same values.

mod bars;
mod dots;
mod label;
mod lines;
mod pairs;
mod places;
mod scale;
mod tiles;

use maud::{Markup, html};

use super::{parts, words};

pub use bars::bars;
pub use dots::dots;
pub use lines::{Series, lines};
pub use pairs::{Pair, pairs};
pub use tiles::{Tile, tile_map};

/// What is said around a chart.
#[derive(Debug, Clone)]
pub struct Chart {
    /// What the chart shows, in a sentence: its title.
    pub finding: String,
    /// What is counted, and how.
    pub definition: String,
    /// As at when, in words.
    pub as_at: String,
}

/// What a chart says: the picture, and the table with the same numbers.
struct Told<'a> {
    /// The picture, as [`Chart::picture`] gives it.
    picture: Markup,
    /// What the picture cannot say, in sentences below it.
    below: Markup,
    /// The table's columns, each with whether it holds numbers.
    heads: Vec<(&'a str, bool)>,
    /// The table's rows.
    rows: Vec<Vec<Markup>>,
}

impl Chart {
    /// A figure: finding, marks, definition and the table with the same numbers.
    fn figure(&self, told: &Told<'_>) -> Markup {
        html! {
            figure.chart {
                figcaption { h3 { (self.finding) } }
                @if told.rows.is_empty() {
                    (parts::empty("There are no numbers to show yet."))
                } @else {
                    (told.picture)
                    (told.below)
                }
                p.chart-note {
                    (self.definition)
                    @if !self.as_at.is_empty() { " As at " (self.as_at) "." }
                }
                @if !told.rows.is_empty() {
                    (parts::table("The same numbers as a table", &told.heads, &told.rows))
                }
            }
        }
    }

    /// The picture: as wide as there is room for, with its text at the size of text.
    fn picture(&self, described: &str, height: usize, marks: &Markup) -> Markup {
        html! {
            svg.chart-svg role="img" width="100%" height=(height) {
                title { (self.finding) }
                desc { (described) " The table below has the same numbers." }
                (marks)
            }
        }
    }
}

fn number(value: u64) -> Markup {
    html! { (words::number(value)) }
}

#[cfg(test)]
mod tests;

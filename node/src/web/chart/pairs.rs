//! Planned against done: an outline for what was planned, filled as far as it is done.

use maud::{Markup, html};

use super::label::{self, LINE};
use super::scale::{Scale, per_cent};
use super::{Chart, Told, number};
use crate::web::words;

/// Letters of a label on one line: as many as a phone has room for.
const LETTERS: usize = 44;

/// What was planned, and what is done of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// What people call it.
    pub label: String,
    /// Where what stands behind the numbers is listed, if there is such a place.
    pub href: Option<String>,
    /// How many were planned.
    pub planned: u64,
    /// How many are done.
    pub done: u64,
}

/// A bar for each pair, in the order that was given.
pub fn pairs(chart: &Chart, thing: &str, pairs: &[Pair]) -> Markup {
    let most = pairs.iter().map(|pair| pair.planned.max(pair.done)).max();
    let scale = Scale::to(most.unwrap_or(0));
    let said = |pair: &Pair| {
        let (done, planned) = (words::number(pair.done), words::number(pair.planned));
        format!("{done} of {planned}")
    };
    let values = pairs.iter().map(said).collect::<Vec<_>>();
    let room = label::room(label::longest(values.iter().map(String::as_str)));
    let full = (100.0 - room).max(40.0) / 100.0;
    let width = |value: u64| per_cent(scale.share(value) * full);
    // The first line says what is outlined and what is filled.
    let mut height = 30;
    let marks = pairs.iter().zip(&values).map(|(pair, said)| {
        let lines = label::wrap(&pair.label, LETTERS, 3);
        let bar = height + lines.len() * LINE + 5;
        let mark = html! {
            (label::text("chart-label", "0", "start", height + 14, &lines))
            @if pair.planned > 0 {
                rect.chart-outline x="1" y=(bar + 1) height="18" width=(width(pair.planned)) {}
            }
            line.chart-zero x1="0.5" x2="0.5" y1=(bar - 2) y2=(bar + 22) {}
            rect.chart-1 x="1" y=(bar + 5) height="10" width=(width(pair.done)) {}
            text.chart-value x=(width(pair.planned.max(pair.done))) dx="9" y=(bar + 15) { (said) }
        };
        height = bar + 34;
        mark
    });
    let marks = marks.collect::<Vec<_>>();
    let height = height.saturating_sub(10);
    let picture = html! {
        g.chart-key {
            rect.chart-outline x="1" y="3" height="14" width="26" {}
            text.chart-value x="34" y="15" { "Planned" }
            rect.chart-1 x="112" y="5" height="10" width="26" {}
            text.chart-value x="145" y="15" { "Done" }
        }
        @for mark in &marks { (mark) }
    };
    let described = format!(
        "For each {} an outlined bar for what was planned, and in it a filled one for what is done.",
        thing.to_lowercase()
    );
    let rows = pairs.iter().map(|pair| {
        let label = match &pair.href {
            Some(href) => html! { a href=(href) { (pair.label) } },
            None => html! { (pair.label) },
        };
        vec![label, number(pair.planned), number(pair.done)]
    });
    chart.figure(&Told {
        picture: chart.picture(&described, height, &picture),
        below: html! {},
        heads: vec![(thing, false), ("Planned", true), ("Done", true)],
        rows: rows.collect(),
    })
}

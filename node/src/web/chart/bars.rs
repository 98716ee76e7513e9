//! Sorted horizontal bars: one value for each of several things.

use maud::{Markup, html};

use super::label::{self, LINE};
use super::scale::{Scale, per_cent};
use super::{Chart, Told, number};
use crate::web::words;

/// Letters of a label on one line: as many as a phone has room for.
const LETTERS: usize = 44;

/// Bars from zero, the longest first.
pub fn bars(chart: &Chart, thing: &str, counted: &str, items: &[(String, u64)]) -> Markup {
    let mut items = items.to_vec();
    items.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    let scale = Scale::to(items.first().map_or(0, |(_, value)| *value));
    let values = items.iter().map(|(_, value)| words::number(*value));
    let values = values.collect::<Vec<_>>();
    let room = label::room(label::longest(values.iter().map(String::as_str)));
    let full = (100.0 - room).max(40.0) / 100.0;
    let mut height = 0;
    let marks = items.iter().zip(&values).map(|((label, value), said)| {
        let lines = label::wrap(label, LETTERS, 3);
        let bar = height + lines.len() * LINE + 5;
        let width = per_cent(scale.share(*value) * full);
        let mark = html! {
            (label::text("chart-label", "0", "start", height + 14, &lines))
            rect.chart-1 x="1" y=(bar) height="16" width=(width) {}
            line.chart-zero x1="0.5" x2="0.5" y1=(bar - 3) y2=(bar + 19) {}
            text.chart-value x=(width) dx="8" y=(bar + 13) { (said) }
        };
        height = bar + 30;
        mark
    });
    let marks = marks.collect::<Vec<_>>();
    let height = height.saturating_sub(10);
    let picture = html! {
        @for mark in &marks { (mark) }
    };
    let described = format!("A bar for each {}, longest first.", thing.to_lowercase());
    let rows = items
        .iter()
        .map(|(label, value)| vec![html! { (label) }, number(*value)]);
    chart.figure(&Told {
        picture: chart.picture(&described, height, &picture),
        below: html! {},
        heads: vec![(thing, false), (counted, true)],
        rows: rows.collect(),
    })
}

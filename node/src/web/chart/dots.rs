//! A dot for each hub, with the median, and those missing named.

use maud::{Markup, html};

use super::label::{self, LINE};
use super::scale::{Scale, per_cent};
use super::{Chart, Told, number};
use crate::web::words;

/// Where the names end and the axis begins, in per cent.
const NAMES: f64 = 41.0;
const AXIS: f64 = 44.0;
/// Letters of a name on one line: as many as a phone has room for.
const LETTERS: usize = 20;
/// Above the first name, where the median is named.
const TOP: usize = 26;

/// Dots from zero, the highest first. Who has no value is listed as missing, and never as zero.
pub fn dots(chart: &Chart, thing: &str, counted: &str, items: &[(String, Option<u64>)]) -> Markup {
    let known = items
        .iter()
        .filter_map(|(label, value)| Some((label.as_str(), (*value)?)));
    let mut known = known.collect::<Vec<_>>();
    known.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(other.0)));
    let missing = items.iter().filter(|(_, value)| value.is_none());
    let missing = missing.map(|(label, _)| label.clone()).collect::<Vec<_>>();
    let median = Median::of(&known);
    let described = format!(
        "A dot for each {}, highest first, with a line at the median.",
        thing.to_lowercase()
    );
    let (height, marks) = marks(&known, median);
    let picture = html! {
        @if !known.is_empty() { (chart.picture(&described, height, &marks)) }
    };
    let below = html! {
        @if !missing.is_empty() {
            p { strong { (words::counted(missing.len() as u64, "is", "are")) " missing: " }
                (words::listed(&missing)) "." }
        }
    };
    let rows = known
        .iter()
        .map(|(label, value)| vec![html! { (label) }, number(*value)]);
    let middle = median.map(|median| vec![html! { "Median" }, html! { (median.said()) }]);
    let absent = missing
        .iter()
        .map(|label| vec![html! { (label) }, html! { "No return" }]);
    chart.figure(&Told {
        picture,
        below,
        heads: vec![(thing, false), (counted, true)],
        rows: rows.chain(middle).chain(absent).collect(),
    })
}

/// The picture's height and marks.
fn marks(known: &[(&str, u64)], median: Option<Median>) -> (usize, Markup) {
    let scale = Scale::to(known.first().map_or(0, |(_, value)| *value));
    let values = known.iter().map(|(_, value)| words::number(*value));
    let values = values.collect::<Vec<_>>();
    let room = label::room(label::longest(values.iter().map(String::as_str)));
    let long = (100.0 - AXIS - room).max(20.0);
    let along = |share: f64| AXIS + share * long / 100.0;
    let mut foot = TOP;
    let rows = known.iter().zip(&values).map(|((label, value), said)| {
        let lines = label::wrap(short(label), LETTERS, 2);
        let high = lines.len().max(1) * LINE + 9;
        let middle = foot + high / 2;
        let name = foot + 18;
        let x = per_cent(along(scale.share(*value)));
        foot += high;
        html! {
            (label::text("chart-label", &per_cent(NAMES), "end", name, &lines))
            line.chart-stem x1=(per_cent(AXIS)) x2=(x) y1=(middle) y2=(middle) {}
            circle.chart-1 cx=(x) cy=(middle) r="6" {}
            text.chart-value.chart-halo x=(x) dx="11" y=(middle + 5) { (said) }
        }
    });
    let rows = rows.collect::<Vec<_>>();
    let marks = html! {
        @for tick in scale.ticks() {
            @let x = per_cent(along(scale.share(tick)));
            line class=(if tick == 0 { "chart-zero" } else { "chart-rule" })
                x1=(x) x2=(x) y1=(TOP) y2=(foot) {}
        }
        @for tick in scale.named(22) {
            text.chart-tick x=(per_cent(along(scale.share(tick)))) y=(foot + 18) text-anchor="middle" {
                (words::number(tick))
            }
        }
        @if let Some(median) = median {
            @let share = scale.share(median.lower).midpoint(scale.share(median.upper));
            @let x = per_cent(along(share));
            line.chart-median x1=(x) x2=(x) y1=(TOP - 4) y2=(foot) {}
            text.chart-label x=(x) y="16" text-anchor=(anchor(share)) { "Median " (median.said()) }
        }
        @for row in &rows { (row) }
    };
    (foot + 26, marks)
}

/// A hub's name without what all of them have in common.
fn short(label: &str) -> &str {
    let short = label.trim().trim_end_matches("Maths Hub").trim_end();
    if short.is_empty() { label } else { short }
}

/// So that a text near either end stays in the picture.
fn anchor(share: f64) -> &'static str {
    if share > 70.0 {
        "end"
    } else if share < 20.0 {
        "start"
    } else {
        "middle"
    }
}

/// The middle value; of an even number of values what lies between the middle two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Median {
    lower: u64,
    upper: u64,
}

impl Median {
    fn of(sorted: &[(&str, u64)]) -> Option<Self> {
        let middle = sorted.len() / 2;
        let upper = sorted.get(middle)?.1;
        // The highest stands first, so what stands before the middle is the larger of the two.
        let before = sorted.get(middle.wrapping_sub(1)).map(|it| it.1);
        let (lower, upper) = match before {
            Some(before) if sorted.len().is_multiple_of(2) => (upper, before),
            Some(_) | None => (upper, upper),
        };
        Some(Self { lower, upper })
    }

    /// Its number: a whole one, or a half.
    fn said(self) -> String {
        let whole = words::number(self.lower.midpoint(self.upper));
        if self.lower % 2 == self.upper % 2 {
            whole
        } else {
            format!("{whole}.5")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_lies_between_the_middle_two() {
        let said = |values: &[u64]| {
            let sorted = values.iter().map(|value| ("", *value)).collect::<Vec<_>>();
            Median::of(&sorted).map(Median::said)
        };
        assert_eq!(said(&[]), None);
        assert_eq!(said(&[1_200]).as_deref(), Some("1,200"));
        assert_eq!(said(&[9, 8, 7]).as_deref(), Some("8"));
        assert_eq!(said(&[9, 8, 7, 0]).as_deref(), Some("7.5"));
        assert_eq!(said(&[9, 8, 6, 0]).as_deref(), Some("7"));
        let most = words::number(u64::MAX);
        assert_eq!(said(&[u64::MAX, u64::MAX]), Some(most));
    }
}

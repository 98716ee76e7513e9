//! Lines over time, each named where it ends and told apart by its dashes and marks as well as its colour.

use maud::{Markup, html};

use super::label::{self, LINE};
use super::scale::{Scale, float, per_cent};
use super::{Chart, Told, number};
use crate::web::words;

/// Lines that can be told apart.
const MOST: usize = 4;
/// Where the axis begins and ends from top to bottom.
const TOP: usize = 20;
const HIGH: usize = 220;
/// Where the lines end and their names begin, in per cent.
const END: f64 = 66.0;
const NAMES: f64 = 75.0;
/// Letters of a name on one line: as many as a phone has room for.
const LETTERS: usize = 11;
/// The marks of the four lines: a circle, a square, a triangle and a diamond.
const MARKS: [&str; MOST] = [
    "M-5 0A5 5 0 1 1 5 0A5 5 0 1 1 -5 0Z",
    "M-4.5 -4.5H4.5V4.5H-4.5Z",
    "M0 -6.5L6 5H-6Z",
    "M0 -7L6 0L0 7L-6 0Z",
];

/// Values over time; none where there is none, which is no zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Series {
    /// What people call it.
    pub name: String,
    /// One value for each period.
    pub values: Vec<Option<u64>>,
}

impl Series {
    /// The points there are, each with its period's place.
    fn points(&self, periods: usize) -> Vec<(usize, u64)> {
        let values = self.values.iter().take(periods).enumerate();
        values
            .filter_map(|(index, value)| Some((index, (*value)?)))
            .collect()
    }
}

/// Lines over the periods. The first four are drawn, and all of them stand in the table.
pub fn lines(chart: &Chart, period: &str, periods: &[String], series: &[Series]) -> Markup {
    let drawn = &series[..series.len().min(MOST)];
    let plot = Plot::new(periods, drawn);
    let described = format!(
        "A line for each of {}, from {} to {}.",
        words::listed(&drawn.iter().map(|it| it.name.clone()).collect::<Vec<_>>()),
        periods.first().map_or("", String::as_str),
        periods.last().map_or("", String::as_str),
    );
    let empty = drawn
        .iter()
        .filter(|it| it.points(periods.len()).is_empty());
    let empty = empty.map(|it| it.name.clone()).collect::<Vec<_>>();
    let below = html! {
        @if !empty.is_empty() { p { "No figures yet: " (words::listed(&empty)) "." } }
        @if series.len() > MOST {
            p { "The first four of " (words::number(series.len() as u64)) " are drawn; the table has all." }
        }
    };
    let mut heads = vec![(period, false)];
    heads.extend(series.iter().map(|series| (series.name.as_str(), true)));
    let rows = periods.iter().enumerate().map(|(index, name)| {
        let values = series.iter().map(|series| match series.values.get(index) {
            Some(Some(value)) => number(*value),
            Some(None) | None => html! { "No figure" },
        });
        std::iter::once(html! { (name) }).chain(values).collect()
    });
    chart.figure(&Told {
        picture: chart.picture(&described, plot.height(), &plot.marks()),
        below,
        heads,
        rows: rows.collect(),
    })
}

/// What is drawn, with its scales.
struct Plot<'a> {
    periods: &'a [String],
    series: &'a [Series],
    scale: Scale,
    /// Where the first period stands, in per cent: right of the axis's numbers.
    start: f64,
}

impl<'a> Plot<'a> {
    fn new(periods: &'a [String], series: &'a [Series]) -> Self {
        let points = series
            .iter()
            .flat_map(|it| it.values.iter().take(periods.len()));
        let scale = Scale::to(points.flatten().copied().max().unwrap_or(0));
        let letters = scale
            .ticks()
            .last()
            .map_or(1, |tick| words::number(*tick).len());
        Self {
            periods,
            series,
            scale,
            start: label::room(letters).min(40.0) + 2.0,
        }
    }

    fn height(&self) -> usize {
        let names = self.names();
        let lowest = names
            .iter()
            .map(|name| name.top + name.lines.len() * LINE + 4);
        let axis = TOP + HIGH + 12 + LINE * self.named().1;
        lowest.max().unwrap_or(0).max(axis)
    }

    fn across(&self, index: usize) -> f64 {
        let last = self.periods.len().saturating_sub(1).max(1);
        self.start + float(index) / float(last) * (END - self.start)
    }

    fn down(&self, value: u64) -> f64 {
        let (top, high) = (float(TOP), float(HIGH));
        top + high - self.scale.share(value) / 100.0 * high
    }

    fn marks(&self) -> Markup {
        let down = |value: u64| format!("{:.1}", self.down(value));
        let across = |index: usize| per_cent(self.across(index));
        let (named, _) = self.named();
        html! {
            @for tick in self.scale.ticks() {
                line class=(if tick == 0 { "chart-zero" } else { "chart-rule" })
                    x1="0" x2=(per_cent(END + 1.5)) y1=(down(tick)) y2=(down(tick)) {}
                text.chart-tick x="0" y=(down(tick)) dy="-4" {
                    (words::number(tick))
                }
            }
            @for (index, lines) in &named {
                line.chart-zero x1=(across(*index)) x2=(across(*index)) y1=(TOP + HIGH) y2=(TOP + HIGH + 5) {}
                (label::text("chart-tick", &across(*index), "middle", TOP + HIGH + 21, lines))
            }
            @for name in self.names() {
                @if name.apart {
                    line.chart-leader x1=(per_cent(name.from)) x2=(per_cent(NAMES - 4.5))
                        y1=(format!("{:.1}", name.point)) y2=(name.top + 10) {}
                }
                svg x=(per_cent(NAMES - 2.5)) y=(name.top + 9) width="1" height="1" overflow="visible" {
                    path class=(format!("chart-{} chart-mark", name.place + 1)) d=(MARKS[name.place]) {}
                }
                (label::text("chart-label chart-name", &per_cent(NAMES), "start", name.top + 14, &name.lines))
            }
            @for (place, series) in self.series.iter().enumerate() {
                @let points = series.points(self.periods.len());
                @for pair in points.windows(2) {
                    @if pair[1].0 == pair[0].0 + 1 {
                        line class=(format!("chart-line chart-line-{}", place + 1))
                            x1=(across(pair[0].0)) y1=(down(pair[0].1))
                            x2=(across(pair[1].0)) y2=(down(pair[1].1)) {}
                    }
                }
                @for (index, value) in &points {
                    g {
                        title { (series.name) ", " (self.periods[*index]) ": " (words::number(*value)) }
                        svg x=(across(*index)) y=(down(*value)) width="1" height="1" overflow="visible" {
                            path class=(format!("chart-{} chart-mark", place + 1)) d=(MARKS[place]) {}
                        }
                    }
                }
            }
        }
    }

    /// The periods that are named below the axis, counted from the last, so that there is room for
    /// them on a phone; and how many lines their names have.
    fn named(&self) -> (Vec<(usize, Vec<String>)>, usize) {
        let lines = self.periods.iter().map(|name| label::wrap(name, 9, 3));
        let lines = lines.collect::<Vec<_>>();
        let widest = label::longest(lines.iter().flatten().map(String::as_str));
        let fit = (34 / (widest + 1)).max(2);
        let every = self.periods.len().div_ceil(fit).max(1);
        let most = lines.iter().map(Vec::len).max().unwrap_or(0);
        let last = lines.len().saturating_sub(1);
        let named = lines
            .into_iter()
            .enumerate()
            .filter(|(index, _)| (last - index).is_multiple_of(every));
        (named.collect(), most)
    }

    /// The names of the lines, each beside its last point or as near as the others leave room.
    fn names(&self) -> Vec<Name> {
        let periods = self.periods.len();
        let names = self
            .series
            .iter()
            .enumerate()
            .filter_map(|(place, series)| {
                let (index, value) = *series.points(periods).last()?;
                let mut lines = label::wrap(&series.name, LETTERS, 3);
                lines.push(words::number(value));
                let point = self.down(value);
                Some(Name {
                    place,
                    from: self.across(index) + 2.0,
                    point,
                    // A point is at most TOP + HIGH down.
                    top: (point as usize).saturating_sub(10),
                    apart: index + 1 < periods,
                    lines,
                })
            });
        let mut names = names.collect::<Vec<_>>();
        names.sort_by(|one, other| one.point.total_cmp(&other.point));
        // First upwards from the foot of the picture, then downwards from its head.
        let mut floor = TOP + HIGH + 24;
        for name in names.iter_mut().rev() {
            let high = name.lines.len() * LINE + 6;
            name.put(name.top.min(floor.saturating_sub(high)));
            floor = name.top;
        }
        let mut ceiling = 0;
        for name in &mut names {
            name.put(name.top.max(ceiling));
            ceiling = name.top + name.lines.len() * LINE + 6;
        }
        names
    }
}

/// A line's name beside its end.
struct Name {
    /// The line's place among the lines, which gives its mark.
    place: usize,
    lines: Vec<String>,
    /// Where its last point stands.
    from: f64,
    point: f64,
    /// Where its text begins.
    top: usize,
    /// Whether a thin line has to lead from the point to the name.
    apart: bool,
}

impl Name {
    fn put(&mut self, top: usize) {
        self.apart |= top != self.top;
        self.top = top;
    }
}

//! Bars of several systems as a picture of its own, for documents that show pictures.
//!
//! The charts of the pages take their colours from the pages' style sheet; a picture in a document
//! has to bring its own, for light and dark, and paints its own ground so that it can be read on
//! any. Bars begin at zero and are never cut off, whatever lies between them.

use maud::html;

/// Everything that depends on nothing but the reader's preference.
const STYLE: &str = "\
svg{--ink:#16191d;--soft:#4a5158;--paper:#ffffff;--axis:#6b747c;\
--c1:#12436d;--c2:#28a197;--c3:#801650;font-family:system-ui,sans-serif;font-size:14px}\
@media(prefers-color-scheme:dark){svg{--ink:#eceff2;--soft:#b4bcc4;--paper:#14181c;\
--axis:#8a949d;--c1:#8cc0ee;--c2:#4cc7bc;--c3:#e58bb9}}\
.ground{fill:var(--paper)}text{fill:var(--ink)}.title{font-size:17px;font-weight:700}\
.group{font-weight:600}.missing{fill:var(--soft);font-style:italic}\
.zero{stroke:var(--axis)}.bar-1{fill:var(--c1)}.bar-2{fill:var(--c2)}.bar-3{fill:var(--c3)}";

const WIDTH: u32 = 720;
const MARGIN: u32 = 16;
/// Where bars begin, and how long the longest is: what it says has room beside it.
const ZERO: u32 = 140;
const LONGEST: f64 = 360.0;
/// From one bar to the next.
const ROW: u32 = 24;
/// The least that can be seen.
const LEAST: f64 = 1.5;

/// Bars under one heading.
pub(crate) struct Group {
    pub(crate) heading: String,
    pub(crate) bars: Vec<Bar>,
}

/// One system's bar.
pub(crate) struct Bar {
    pub(crate) name: &'static str,
    /// None where there is no figure.
    pub(crate) value: Option<f64>,
    /// The figure for people, or why there is none.
    pub(crate) said: String,
}

/// A picture as the text of an SVG file. All bars have one scale.
pub(crate) fn picture(title: &str, groups: &[Group]) -> String {
    let bars = groups.iter().flat_map(|group| &group.bars);
    let most = bars.filter_map(|bar| bar.value).fold(0.0, f64::max);
    let mut y = MARGIN + 18;
    let mut marks = Vec::new();
    for group in groups {
        y += 30;
        marks.push(html! { text.group x=(MARGIN) y=(y) { (group.heading) } });
        y += 8;
        for (place, bar) in group.bars.iter().enumerate() {
            let long = bar.value.map(|value| (value / most * LONGEST).max(LEAST));
            let foot = y + 16;
            let said = f64::from(ZERO) + long.unwrap_or(0.0) + 8.0;
            marks.push(html! {
                text x=(MARGIN) y=(foot) { (bar.name) }
                line.zero x1=(ZERO) x2=(ZERO) y1=(y) y2=(y + ROW) {}
                @if let Some(long) = long {
                    rect class=(format!("bar-{}", place + 1)) x=(ZERO) y=(y + 3) height="16"
                        width=(format!("{long:.1}")) {}
                }
                text class=[bar.value.is_none().then_some("missing")]
                    x=(format!("{said:.1}")) y=(foot) { (bar.said) }
            });
            y += ROW;
        }
    }
    let height = y + MARGIN;
    let drawn = html! {
        svg xmlns="http://www.w3.org/2000/svg" role="img" width=(WIDTH) height=(height)
            viewBox=(format!("0 0 {WIDTH} {height}")) {
            title { (title) }
            style { (STYLE) }
            rect.ground width=(WIDTH) height=(height) {}
            text.title x=(MARGIN) y=(MARGIN + 16) { (title) }
            @for mark in &marks { "\n" (mark) }
            "\n"
        }
    };
    format!("{}\n", drawn.into_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_keep_their_ratio_and_what_is_missing_says_why() {
        let bar = |name, value, said: &str| Bar {
            name,
            value,
            said: said.to_owned(),
        };
        let drawn = picture(
            "Time & more",
            &[Group {
                heading: "5,000 documents".to_owned(),
                bars: vec![
                    bar("one", Some(50.0), "50 ms"),
                    bar("two", Some(100.0), "100 ms"),
                    bar("three", None, "not done in 120 s"),
                ],
            }],
        );
        assert!(drawn.contains("Time &amp; more"), "{drawn}");
        assert!(drawn.contains(r#"width="180.0""#), "{drawn}");
        assert!(drawn.contains(r#"width="360.0""#), "{drawn}");
        assert!(!drawn.contains("bar-3\""), "{drawn}");
        assert!(drawn.contains("not done in 120 s"), "{drawn}");
    }
}

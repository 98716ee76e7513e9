//! Text in a picture, which does not wrap by itself.

use maud::{Markup, html};

/// From one line of a label to the next.
pub(super) const LINE: usize = 17;

/// Lines of at most `width` letters, `most` of them at most; what has no room ends in an ellipsis,
/// as the whole of it stands in the table.
pub(super) fn wrap(text: &str, width: usize, most: usize) -> Vec<String> {
    let (width, most) = (width.max(2), most.max(1));
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let letters = word.chars().collect::<Vec<_>>();
        for piece in letters.chunks(width) {
            match lines.last_mut() {
                Some(line) if line.chars().count() + 1 + piece.len() <= width => {
                    line.push(' ');
                    line.extend(piece);
                }
                Some(_) | None => lines.push(piece.iter().collect()),
            }
        }
    }
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            let kept = last.chars().take(width - 1).collect::<String>();
            *last = format!("{}\u{2026}", kept.trim_end());
        }
    }
    lines
}

/// Lines of text below each other, the first with its foot at `y`.
pub(super) fn text(class: &str, x: &str, anchor: &str, y: usize, lines: &[String]) -> Markup {
    html! {
        @for (index, line) in lines.iter().enumerate() {
            text class=(class) x=(x) y=(y + index * LINE) text-anchor=(anchor) { (line) }
        }
    }
}

/// How many letters the longest of some texts has.
pub(super) fn longest<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(|text| text.chars().count()).max().unwrap_or(0)
}

/// The share of the width that so many letters need on a phone, in per cent.
pub(super) fn room(letters: usize) -> f64 {
    let letters = u32::try_from(letters.min(100)).unwrap_or(100);
    f64::from(letters).mul_add(2.1, 3.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_wrap_and_end_in_an_ellipsis() {
        let name = "London Central and North West";
        assert_eq!(wrap(name, 20, 2), ["London Central and", "North West"]);
        assert_eq!(wrap(name, 9, 2), ["London", "Central\u{2026}"]);
        assert_eq!(wrap("Grönlandsstraße", 5, 2), ["Grönl", "ands\u{2026}"]);
        assert!(wrap(" ", 9, 2).is_empty());
    }
}

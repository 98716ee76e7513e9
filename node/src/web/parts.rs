//! The parts that pages are made of.

use maud::{Markup, PreEscaped, html};
use node_domain::Problem;

use super::words;
use crate::marks::RecordMarks;

/// A row of a summary list: what it is, what it says, and where it is changed.
#[derive(Debug, Clone)]
pub struct SummaryRow {
    /// What it is.
    pub label: String,
    /// What it says.
    pub value: Markup,
    /// Where it is changed, with the words for a screen reader.
    pub change: Option<(String, String)>,
}

impl SummaryRow {
    /// A row with a text.
    pub fn text(label: impl Into<String>, value: impl Into<String>) -> Self {
        let value = value.into();
        Self::new(label, html! { (value) })
    }

    /// A row.
    pub fn new(label: impl Into<String>, value: Markup) -> Self {
        Self {
            label: label.into(),
            value,
            change: None,
        }
    }

    /// With a link by which it is changed.
    #[must_use]
    pub fn change(mut self, href: impl Into<String>) -> Self {
        self.change = Some((href.into(), self.label.to_lowercase()));
        self
    }
}

/// What something says, a row for each part of it.
pub fn summary_list(rows: &[SummaryRow]) -> Markup {
    html! {
        dl.summary {
            @for row in rows {
                div {
                    dt { (row.label) }
                    dd { (row.value) }
                    @if let Some((href, what)) = &row.change {
                        dd.summary-change { a href=(href) { "Change" span.hidden { " " (what) } } }
                    }
                }
            }
        }
    }
}

/// How a tag looks; its words say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// Nothing is needed.
    Plain,
    /// Going on.
    Active,
    /// Well done.
    Good,
    /// Somebody should look.
    Look,
    /// Something is wrong.
    Wrong,
}

/// A state in a word or two.
pub fn tag(words: &str, tone: Tone) -> Markup {
    let tone = match tone {
        Tone::Plain => "tag tag-plain",
        Tone::Active => "tag tag-active",
        Tone::Good => "tag tag-good",
        Tone::Look => "tag tag-look",
        Tone::Wrong => "tag tag-wrong",
    };
    html! { strong class=(tone) { (words::capital(words)) } }
}

/// The tone of a state of any record.
pub fn state_tone(state: &str) -> Tone {
    match state {
        "running" | "active" | "submitted" | "started" | "scaling" | "embedding" | "drafting"
        | "recruiting" | "accepted" | "offered" | "tested" => Tone::Active,
        "completed" | "agreed" | "held" | "closed" | "sent" | "answered" | "recommended"
        | "done" | "embedded" => Tone::Good,
        "returned" | "waiting" | "in transfer" | "moved" => Tone::Look,
        "cancelled" | "withdrawn" | "late" | "refused" | "left" => Tone::Wrong,
        _ => Tone::Plain,
    }
}

/// What is wrong with a form, first on the page, each linked to its field.
pub fn error_summary(problems: &[Problem]) -> Markup {
    html! {
        @if !problems.is_empty() {
            div.error-summary role="alert" tabindex="-1" aria-labelledby="error-title" {
                h2 id="error-title" { "There is a problem" }
                ul {
                    @for problem in problems {
                        li {
                            @if problem.field.is_empty() { (problem.message) } @else {
                                a href={ "#" (field_id(&problem.field)) } { (problem.message) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The element id of a form's field.
pub fn field_id(field: &str) -> String {
    let allowed = |letter: char| {
        if letter.is_ascii_alphanumeric() {
            letter
        } else {
            '-'
        }
    };
    let mut id = String::from("field-");
    id.extend(field.chars().map(allowed));
    id
}

/// An input with its label, help and what is wrong with it.
pub fn input(
    name: &str,
    label: &str,
    help: &str,
    problem: Option<&str>,
    control: &Markup,
) -> Markup {
    let id = field_id(name);
    html! {
        div class=(if problem.is_some() { "field field-wrong" } else { "field" }) {
            label for=(id) { (label) }
            @if !help.is_empty() { p.field-help id={ (id) "-help" } { (help) } }
            @if let Some(problem) = problem {
                p.field-problem id={ (id) "-problem" } {
                    span.hidden { "Error: " } (problem)
                }
            }
            (control)
        }
    }
}

/// A line of text to fill in.
pub fn text_input(
    name: &str,
    label: &str,
    help: &str,
    value: &str,
    problem: Option<&str>,
) -> Markup {
    typed_input("text", name, label, help, value, problem)
}

/// The same of another type: `email`, `password`, `date`, `number`, `search`.
pub fn typed_input(
    kind: &str,
    name: &str,
    label: &str,
    help: &str,
    value: &str,
    problem: Option<&str>,
) -> Markup {
    let id = field_id(name);
    let described = described_by(&id, help, problem);
    let control = html! {
        input type=(kind) id=(id) name=(name) value=(value) aria-describedby=[described]
            aria-invalid=[problem.map(|_| "true")];
    };
    input(name, label, help, problem, &control)
}

/// What a control's help and problem are called, for screen readers.
pub fn described_by(id: &str, help: &str, problem: Option<&str>) -> Option<String> {
    let help = (!help.is_empty()).then(|| format!("{id}-help"));
    let problem = problem.map(|_| format!("{id}-problem"));
    let both = help.into_iter().chain(problem).collect::<Vec<_>>();
    (!both.is_empty()).then(|| both.join(" "))
}

/// A choice of one, all shown.
pub fn radios(
    name: &str,
    legend: &str,
    help: &str,
    options: &[(String, String)],
    chosen: &str,
    problem: Option<&str>,
) -> Markup {
    let id = field_id(name);
    html! {
        fieldset class=(if problem.is_some() { "field field-wrong" } else { "field" })
            aria-describedby=[described_by(&id, help, problem)] {
            legend { (legend) }
            @if !help.is_empty() { p.field-help id={ (id) "-help" } { (help) } }
            @if let Some(problem) = problem {
                p.field-problem id={ (id) "-problem" } { span.hidden { "Error: " } (problem) }
            }
            @for (index, (value, label)) in options.iter().enumerate() {
                @let id = if index == 0 { id.clone() } else { format!("{id}-{index}") };
                div.choice {
                    input type="radio" id=(id) name=(name) value=(value) checked[value == chosen];
                    label for=(id) { (label) }
                }
            }
        }
    }
}

/// A choice of one from a list that opens.
pub fn select(
    name: &str,
    label: &str,
    help: &str,
    options: &[(String, String)],
    chosen: &str,
    problem: Option<&str>,
) -> Markup {
    let id = field_id(name);
    let control = html! {
        select id=(id) name=(name) aria-describedby=[described_by(&id, help, problem)] {
            @for (value, label) in options {
                option value=(value) selected[value == chosen] { (label) }
            }
        }
    };
    input(name, label, help, problem, &control)
}

/// A box to tick.
pub fn checkbox(name: &str, value: &str, label: &str, ticked: bool) -> Markup {
    let id = field_id(&format!("{name}-{value}"));
    html! {
        div.choice {
            input type="checkbox" id=(id) name=(name) value=(value) checked[ticked];
            label for=(id) { (label) }
        }
    }
}

/// A longer text to fill in.
pub fn text_area(
    name: &str,
    label: &str,
    help: &str,
    value: &str,
    problem: Option<&str>,
) -> Markup {
    let id = field_id(name);
    let control = html! {
        textarea id=(id) name=(name) rows="6" aria-describedby=[described_by(&id, help, problem)] {
            (value)
        }
    };
    input(name, label, help, problem, &control)
}

/// A file to choose. `accept` names the endings that are offered; all if it is empty.
pub fn file_input(
    name: &str,
    label: &str,
    help: &str,
    accept: &str,
    problem: Option<&str>,
) -> Markup {
    let id = field_id(name);
    let accept = Some(accept).filter(|accept| !accept.is_empty());
    let control = html! {
        input type="file" id=(id) name=(name) accept=[accept]
            aria-describedby=[described_by(&id, help, problem)] aria-invalid=[problem.map(|_| "true")];
    };
    input(name, label, help, problem, &control)
}

/// A form that is sent to this node, with what proves that it is from here.
pub fn form(action: &str, csrf: &str, inner: &Markup) -> Markup {
    html! {
        form method="post" action=(action) {
            input type="hidden" name="csrf" value=(csrf);
            (inner)
        }
    }
}

/// The button that sends a form.
pub fn button(label: &str) -> Markup {
    html! { button.button type="submit" { (label) } }
}

/// Loads another page by itself after some seconds, in browsers where no scripts run; where they do,
/// scripts renew what changes.
pub fn refresh(seconds: u32, address: &str) -> Markup {
    html! { noscript { meta http-equiv="refresh" content={ (seconds) "; url=" (address) }; } }
}

/// A link back, above a page's heading.
pub fn back(href: &str, label: &str) -> Markup {
    html! { a.back href=(href) { (label) } }
}

/// A table with a caption; numbers stand to the right where `numeric` says so. On a phone a table
/// of more than three columns stands as a card for each row.
pub fn table(caption: &str, heads: &[(&str, bool)], rows: &[Vec<Markup>]) -> Markup {
    let class = if heads.len() > 3 { "stack" } else { "plain" };
    html! {
        div.scroll tabindex="0" role="group" aria-label=(caption) {
            table class=(class) role="table" {
                caption { (caption) }
                thead role="rowgroup" { tr role="row" {
                    @for (head, numeric) in heads {
                        th scope="col" role="columnheader" .number[*numeric] { (head) }
                    }
                } }
                tbody role="rowgroup" {
                    @for row in rows {
                        tr role="row" {
                            @for (index, cell) in row.iter().enumerate() {
                                @let (head, numeric) = heads.get(index).copied().unwrap_or_default();
                                @if index == 0 { th scope="row" role="rowheader" { (cell) } }
                                @else { td role="cell" data-label=(head) .number[numeric] { (cell) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Links to the pages of a long list, which keep the rest of the question.
pub fn pagination(path: &str, query: &str, page: u64, pages: u64) -> Markup {
    let href = |page: u64| {
        if query.is_empty() {
            format!("{path}?page={page}")
        } else {
            format!("{path}?{query}&page={page}")
        }
    };
    html! {
        @if pages > 1 {
            nav.pages aria-label="Pages of the list" {
                @if page > 1 { a rel="prev" href=(href(page - 1)) { "Previous" } }
                span { "Page " (words::number(page)) " of " (words::number(pages)) }
                @if page < pages { a rel="next" href=(href(page + 1)) { "Next" } }
            }
        }
    }
}

/// Where this hub's changes of a record are, from acknowledgements and receipts alone.
pub fn marks(marks: &RecordMarks) -> Markup {
    let (words, tone) = marks_in_words(marks);
    html! { span.marks data-marks=(words) { (tag(&words, tone)) } }
}

/// The same as words, with their tone.
pub fn marks_in_words(marks: &RecordMarks) -> (String, Tone) {
    if marks.own == 0 {
        return ("Nothing of ours to send".to_owned(), Tone::Plain);
    }
    if marks.members == 0 && !marks.sent {
        return ("Saved".to_owned(), Tone::Good);
    }
    if marks.unsent > 0 || !marks.sent {
        return ("Saved, not sent yet".to_owned(), Tone::Look);
    }
    if marks.members == 0 || marks.received == 0 {
        return ("Sent".to_owned(), Tone::Good);
    }
    let words = format!("Received by {} of {}", marks.received, marks.members);
    let tone = if marks.received == marks.members {
        Tone::Good
    } else {
        Tone::Active
    };
    (words, tone)
}

/// A text of several paragraphs.
pub fn paragraphs(text: &str) -> Markup {
    html! {
        @for paragraph in text.split("\n\n").filter(|it| !it.trim().is_empty()) {
            p.wrapped { (paragraph) }
        }
    }
}

/// A sentence that stands out.
pub fn inset(inner: &Markup) -> Markup {
    html! { div.inset { (inner) } }
}

/// What is shown where a list is empty: what would stand here, and how it gets there.
pub fn empty(sentence: &str) -> Markup {
    html! { p.empty { (sentence) } }
}

/// An SVG that a crate made, as with codes to be scanned; never from outside.
pub(crate) fn drawn(svg: String) -> Markup {
    PreEscaped(svg)
}

//! Calendars, read back strictly as the format's description says.

use node_domain::{Calendar, CalendarEvent};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use time::macros::{date, datetime, time};

/// A component as it was read: its properties, each with its parameters, and what is within it.
#[derive(Debug, Default)]
struct Component {
    name: String,
    properties: Vec<(String, String, String)>,
    within: Vec<Component>,
}

impl Component {
    /// The one value of a property.
    fn value(&self, name: &str) -> &str {
        let mut found = self
            .properties
            .iter()
            .filter(|(property, ..)| property == name);
        let (_, _, value) = found.next().expect("the property is there");
        assert!(found.next().is_none(), "{name} stands there once");
        value
    }

    fn has(&self, name: &str) -> bool {
        self.properties
            .iter()
            .any(|(property, ..)| property == name)
    }
}

/// Reads a calendar, refusing everything that the format does not allow.
fn read(bytes: &[u8]) -> Component {
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r\n").expect("lines end in CRLF");
        assert!(line.len() <= 75, "at most 75 bytes: {line:?}");
        assert!(!line.contains(&b'\r'), "no other breaks");
        assert!(
            str::from_utf8(line).is_ok(),
            "no character is cut: {line:?}"
        );
    }
    let text = str::from_utf8(bytes).expect("UTF-8").replace("\r\n ", "");
    let mut open = vec![Component::default()];
    for line in text.lines() {
        assert!(!line.starts_with([' ', '\t']) && !line.is_empty());
        assert!(!line.contains(char::is_control), "{line:?}");
        let (head, value) = line.split_once(':').expect("a name and a value");
        let (name, parameters) = head.split_once(';').unwrap_or((head, ""));
        let fits = |char: char| char.is_ascii_uppercase() || char == '-';
        assert!(name.chars().all(fits), "{name}");
        match name {
            "BEGIN" => open.push(Component {
                name: value.to_owned(),
                ..Component::default()
            }),
            "END" => {
                let ended = open.pop().expect("something is open");
                assert_eq!(ended.name, value);
                open.last_mut()
                    .expect("it is within something")
                    .within
                    .push(ended);
            }
            _ => {
                let property = (name.to_owned(), parameters.to_owned(), value.to_owned());
                open.last_mut()
                    .expect("within something")
                    .properties
                    .push(property);
            }
        }
    }
    let mut outermost = open.pop().expect("the outermost");
    assert!(open.is_empty() && outermost.properties.is_empty());
    let calendar = outermost.within.pop().expect("a calendar");
    assert!(outermost.within.is_empty());
    assert_eq!(calendar.name, "VCALENDAR");
    assert_eq!(calendar.value("VERSION"), "2.0");
    calendar
}

/// A text value as it was meant.
fn text(value: &str) -> String {
    let mut meant = String::new();
    let mut chars = value.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some('n' | 'N') => meant.push('\n'),
                Some(escaped @ ('\\' | ',' | ';')) => meant.push(escaped),
                other => panic!("\\{other:?} is no escape"),
            },
            ',' | ';' => panic!("{char} stands bare in {value}"),
            char => meant.push(char),
        }
    }
    meant
}

fn session() -> CalendarEvent {
    CalendarEvent {
        uid: "abc-1@south-yorkshire.causeway".to_owned(),
        title: "Mastery Readiness, session 1; with “quotes”".to_owned(),
        date: date!(2026 - 11 - 24),
        start: Some(time!(16:30)),
        minutes: Some(90),
        venue: "École Élise, 1 High Street\nThurcroft".to_owned(),
        description: "Bring: a task; a \\ pencil".to_owned(),
        tentative: false,
        cancelled: false,
        sequence: 3,
    }
}

fn written(events: &[CalendarEvent]) -> Vec<u8> {
    let mut calendar = Calendar::new("Sessions, autumn");
    for event in events {
        calendar.add(event.clone());
    }
    calendar.write(datetime!(2026-09-01 08:15:30 +1))
}

#[test]
fn a_session_has_its_time_by_the_clock_in_london() {
    let calendar = read(&written(&[session()]));
    assert_eq!(text(calendar.value("NAME")), "Sessions, autumn");
    let [zone, event] = &calendar.within[..] else {
        panic!("a zone and an event");
    };
    assert_eq!(
        (zone.name.as_str(), event.name.as_str()),
        ("VTIMEZONE", "VEVENT")
    );
    assert_eq!(zone.value("TZID"), "Europe/London");
    let halves = zone.within.iter().map(|half| half.name.as_str());
    assert_eq!(halves.collect::<Vec<_>>(), ["DAYLIGHT", "STANDARD"]);
    let at = |name: &str| {
        let found = event
            .properties
            .iter()
            .find(|(property, ..)| property == name);
        let (_, parameters, value) = found.expect("the property is there");
        (parameters.as_str(), value.as_str())
    };
    assert_eq!(at("DTSTART"), ("TZID=Europe/London", "20261124T163000"));
    assert_eq!(at("DTEND"), ("TZID=Europe/London", "20261124T180000"));
    assert_eq!(at("DTSTAMP"), ("", "20260901T071530Z"));
    assert_eq!(text(event.value("UID")), "abc-1@south-yorkshire.causeway");
    assert_eq!(event.value("SEQUENCE"), "3");
    assert_eq!(event.value("STATUS"), "CONFIRMED");
    assert_eq!(text(event.value("SUMMARY")), session().title);
    assert_eq!(text(event.value("LOCATION")), session().venue);
    assert_eq!(text(event.value("DESCRIPTION")), session().description);
}

#[test]
fn an_event_without_a_time_takes_the_day_and_needs_no_zone() {
    let mut event = session();
    event.start = None;
    event.venue.clear();
    event.description.clear();
    let calendar = read(&written(&[event]));
    let [event] = &calendar.within[..] else {
        panic!("an event alone");
    };
    let at = |name: &str| {
        event
            .properties
            .iter()
            .find(|(property, ..)| property == name)
    };
    let day = |value: &str| ("VALUE=DATE".to_owned(), value.to_owned());
    let found = |name| at(name).map(|(_, parameters, value)| (parameters.clone(), value.clone()));
    assert_eq!(found("DTSTART"), Some(day("20261124")));
    assert_eq!(found("DTEND"), Some(day("20261125")));
    assert!(!event.has("LOCATION") && !event.has("DESCRIPTION"));
}

#[test]
fn a_meeting_over_midnight_ends_the_next_day_and_one_of_unknown_length_has_no_end() {
    let mut late = session();
    late.date = date!(2026 - 12 - 31);
    late.start = Some(time!(23:30));
    let mut open = session();
    open.minutes = None;
    let calendar = read(&written(&[late, open]));
    let events = calendar
        .within
        .iter()
        .filter(|within| within.name == "VEVENT");
    let events = events.collect::<Vec<_>>();
    assert_eq!(events[0].value("DTEND"), "20270101T010000");
    assert!(!events[1].has("DTEND"));
}

#[test]
fn a_cancelled_session_keeps_its_uid_and_says_so() {
    let mut cancelled = session();
    cancelled.cancelled = true;
    cancelled.sequence = 4;
    let calendar = read(&written(&[cancelled]));
    let event = &calendar.within[1];
    assert_eq!(event.value("STATUS"), "CANCELLED");
    assert_eq!(text(event.value("UID")), session().uid);
    assert_eq!(event.value("SEQUENCE"), "4");
}

#[test]
fn an_empty_calendar_is_one_and_the_same_calendar_gives_the_same_bytes() {
    assert!(read(&written(&[])).within.is_empty());
    assert_eq!(written(&[session()]), written(&[session()]));
}

#[test]
fn whatever_stands_in_texts_comes_back_and_breaks_no_line() {
    const PIECES: [&str; 16] = [
        "a",
        "long word ",
        "é",
        "漢",
        "🙂",
        ",",
        ";",
        ":",
        "\\",
        "\n",
        "\"",
        "\\n",
        "END:VEVENT",
        " ",
        "BEGIN:VEVENT\n",
        "=",
    ];
    for seed in 0..200 {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut pieces = |count: usize| {
            let pick = |_| PIECES[random.next_u32() as usize % PIECES.len()];
            (0..count).map(pick).collect::<String>()
        };
        let mut event = session();
        event.title = pieces(60);
        event.description = pieces(200);
        let calendar = read(&written(std::slice::from_ref(&event)));
        let read = &calendar.within[1];
        assert_eq!(text(read.value("SUMMARY")), event.title, "seed {seed}");
        assert_eq!(
            text(read.value("DESCRIPTION")),
            event.description,
            "seed {seed}"
        );
    }
    let mut hostile = session();
    hostile.uid = "a\r\nATTENDEE:x\u{0}\tb".to_owned();
    let calendar = read(&written(&[hostile]));
    assert_eq!(text(calendar.within[1].value("UID")), "a\nATTENDEE:x b");
}

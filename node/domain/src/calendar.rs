//! Sessions and meetings for people's own calendars: iCalendar, RFC 5545.

mod line;

use time::{Date, Duration, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset};

use line::{Line, text};

/// The rules of the country's clock since 1996, which every calendar program can follow.
const LONDON: [&str; 17] = [
    "BEGIN:VTIMEZONE",
    "TZID:Europe/London",
    "BEGIN:DAYLIGHT",
    "DTSTART:19960331T010000",
    "TZOFFSETFROM:+0000",
    "TZOFFSETTO:+0100",
    "TZNAME:BST",
    "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
    "END:DAYLIGHT",
    "BEGIN:STANDARD",
    "DTSTART:19961027T020000",
    "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0000",
    "TZNAME:GMT",
    "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
    "END:STANDARD",
    "END:VTIMEZONE",
];

/// A day's meeting or session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarEvent {
    /// Always the same for the same event, so that a later calendar replaces it: the record's
    /// id, say, with a name of the network behind an `@`.
    pub uid: String,
    /// What it is.
    pub title: String,
    /// The day.
    pub date: Date,
    /// When it begins, by the clock on the wall in London; none for the whole day.
    pub start: Option<Time>,
    /// How long it takes, when that is known.
    pub minutes: Option<u32>,
    /// Where it is; may be empty.
    pub venue: String,
    /// More about it; may be empty.
    pub description: String,
    /// Whether its day or time is not decided yet.
    pub tentative: bool,
    /// Whether it will not take place.
    pub cancelled: bool,
    /// How often it was changed: a program takes the higher of two.
    pub sequence: u32,
}

/// A calendar to bring into a calendar program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    title: String,
    events: Vec<CalendarEvent>,
}

impl Calendar {
    /// A calendar without events.
    pub fn new(title: impl Into<String>) -> Self {
        Self {
            title: title.into(),
            events: Vec::new(),
        }
    }

    /// Adds an event. Of two with one `uid` a program shows the one with the higher sequence.
    pub fn add(&mut self, event: CalendarEvent) {
        self.events.push(event);
    }

    /// The calendar as a file, as it stands at a time. The same calendar and time give the same
    /// bytes.
    pub fn write(&self, at: OffsetDateTime) -> Vec<u8> {
        let mut lines = vec![
            Line::new("BEGIN:VCALENDAR"),
            Line::new("VERSION:2.0"),
            Line::new("PRODID:-//Causeway//Causeway//EN"),
            Line::new("CALSCALE:GREGORIAN"),
            Line::new("METHOD:PUBLISH"),
            // The name's own property, and the one that programs knew before there was one.
            Line::new(format!("NAME:{}", text(&self.title))),
            Line::new(format!("X-WR-CALNAME:{}", text(&self.title))),
        ];
        if self.events.iter().any(|event| event.start.is_some()) {
            lines.extend(LONDON.map(Line::new));
        }
        let stamp = at.to_offset(UtcOffset::UTC);
        let stamp = format!("{}Z", moment(stamp.date(), stamp.time()));
        for event in &self.events {
            event.write(&stamp, &mut lines);
        }
        lines.push(Line::new("END:VCALENDAR"));
        let mut bytes = Vec::new();
        for line in lines {
            line.fold_into(&mut bytes);
        }
        bytes
    }
}

impl CalendarEvent {
    fn write(&self, stamp: &str, lines: &mut Vec<Line>) {
        let mut push = |line: String| lines.push(Line::new(line));
        push("BEGIN:VEVENT".to_owned());
        push(format!("UID:{}", text(&self.uid)));
        push(format!("DTSTAMP:{stamp}"));
        push(format!("SEQUENCE:{}", self.sequence));
        match self.start {
            Some(start) => {
                let begins = PrimitiveDateTime::new(self.date, start);
                push(london("DTSTART", begins));
                let minutes = self
                    .minutes
                    .map(|minutes| Duration::minutes(minutes.into()));
                if let Some(ends) = minutes.and_then(|minutes| begins.checked_add(minutes)) {
                    push(london("DTEND", ends));
                }
            }
            None => {
                push(format!("DTSTART;VALUE=DATE:{}", day(self.date)));
                // The first day after it.
                if let Some(next) = self.date.next_day() {
                    push(format!("DTEND;VALUE=DATE:{}", day(next)));
                }
            }
        }
        push(format!("SUMMARY:{}", text(&self.title)));
        if !self.venue.is_empty() {
            push(format!("LOCATION:{}", text(&self.venue)));
        }
        if !self.description.is_empty() {
            push(format!("DESCRIPTION:{}", text(&self.description)));
        }
        let status = if self.cancelled {
            "CANCELLED"
        } else if self.tentative {
            "TENTATIVE"
        } else {
            "CONFIRMED"
        };
        push(format!("STATUS:{status}"));
        push("END:VEVENT".to_owned());
    }
}

fn london(property: &str, at: PrimitiveDateTime) -> String {
    format!(
        "{property};TZID=Europe/London:{}",
        moment(at.date(), at.time())
    )
}

fn moment(date: Date, time: Time) -> String {
    let (hour, minute, second) = time.as_hms();
    format!("{}T{hour:02}{minute:02}{second:02}", day(date))
}

fn day(date: Date) -> String {
    let (year, month, day) = date.to_calendar_date();
    format!("{year:04}{:02}{day:02}", u8::from(month))
}

//! Lines of an iCalendar file: what stands in them, and how long they may be.

/// Most bytes of a line, its break not counted.
const BYTES_MAX: usize = 75;

/// One line, however long, before it is folded.
pub(super) struct Line(String);

impl Line {
    pub(super) fn new(line: impl Into<String>) -> Self {
        Self(line.into())
    }

    /// Writes the line in pieces of at most 75 bytes, each after the first with a space before
    /// it. No character is cut in two.
    pub(super) fn fold_into(&self, bytes: &mut Vec<u8>) {
        let mut length = 0;
        for char in self.0.chars() {
            if length + char.len_utf8() > BYTES_MAX {
                bytes.extend(b"\r\n ");
                length = 1;
            }
            length += char.len_utf8();
            bytes.extend(char.encode_utf8(&mut [0; 4]).as_bytes());
        }
        bytes.extend(b"\r\n");
    }
}

/// A text as the value of a property: commas, semicolons, backslashes and line breaks escaped,
/// other control characters left out.
pub(super) fn text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.replace("\r\n", "\n").chars() {
        match char {
            ',' | ';' | '\\' => escaped.extend(['\\', char]),
            '\n' | '\r' => escaped.push_str("\\n"),
            '\t' => escaped.push(' '),
            char if char.is_control() => {}
            char => escaped.push(char),
        }
    }
    escaped
}

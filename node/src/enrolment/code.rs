//! One-time codes.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Why a text is not a one-time code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// A letter or digit is missing, too many, or outside base32.
    #[error(
        "the one-time code is not complete: it has 26 letters (A to Z) and digits (2 to 7) in \
         groups; copy it again from the invitation"
    )]
    Shape,
}

/// A one-time code: 128 random bits that connect one node of one hub, once.
///
/// Written in base32 in groups of five, with or without the dashes, in either case. Never
/// printed by `Debug`; wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct OneTimeCode([u8; 16]);

impl OneTimeCode {
    /// Draws a new code.
    ///
    /// # Errors
    /// The system's error if it gives no random bytes.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The code with these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The code's bytes. To be stored only as a hash, and never logged.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The code as a person reads it: `ABCDE-FGHIJ-KLMNO-PQRST-UVWXY-Z`.
    pub fn reveal(&self) -> String {
        let letters = BASE32_NOPAD.encode(&self.0);
        let mut text = String::with_capacity(letters.len() + 5);
        for (at, letter) in letters.chars().enumerate() {
            if at > 0 && at % 5 == 0 {
                text.push('-');
            }
            text.push(letter);
        }
        text
    }
}

impl FromStr for OneTimeCode {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let letters: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let bytes = BASE32_NOPAD
            .decode(letters.as_bytes())
            .map_err(|_| CodeError::Shape)?;
        bytes.try_into().map(Self).map_err(|_| CodeError::Shape)
    }
}

impl fmt::Debug for OneTimeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OneTimeCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_was_typed() {
        let code = OneTimeCode::generate().expect("random bytes");
        let text = code.reveal();
        assert_eq!(text.len(), 31, "26 letters and 5 dashes");
        for typed in [text.clone(), text.to_lowercase(), text.replace('-', " ")] {
            assert_eq!(typed.parse(), Ok(code.clone()));
        }
    }

    #[test]
    fn a_damaged_code_is_refused_and_never_shown() {
        let code = OneTimeCode::from_bytes([0xa5; 16]);
        let text = code.reveal();
        for typed in [
            "",
            &text[..30],
            &text.replace('-', "8"),
            &format!("{text}A"),
        ] {
            assert_eq!(typed.parse::<OneTimeCode>(), Err(CodeError::Shape));
        }
        assert!(!format!("{code:?}").contains(&text[..5]));
    }
}

//! Names that people give to things and people: bounded, printable, trimmed.

use std::fmt;

use protocol::limits::MAX_NAME_CHARS;

use crate::Refusal;

/// A name that fits on a screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

impl Name {
    /// The name in `text`, without the space around it.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let name = text.trim();
        if name.is_empty() {
            return Err(Refusal::NameEmpty);
        }
        if name.chars().count() > MAX_NAME_CHARS {
            return Err(Refusal::NameTooLong);
        }
        if name.chars().any(char::is_control) {
            return Err(Refusal::NameUnprintable);
        }
        Ok(Self(name.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_trimmed_and_bounded_in_characters_not_bytes() {
        let longest = "č".repeat(MAX_NAME_CHARS);

        assert_eq!(Name::parse("  Mira Kovač ").unwrap().as_str(), "Mira Kovač");
        assert!(Name::parse(&longest).is_ok());
        assert_eq!(
            Name::parse(&format!("{longest}x")),
            Err(Refusal::NameTooLong)
        );
    }

    #[test]
    fn a_name_that_nobody_can_read_is_refused() {
        assert_eq!(Name::parse(" \t"), Err(Refusal::NameEmpty));
        assert_eq!(
            Name::parse("R-014\u{1b}[31m"),
            Err(Refusal::NameUnprintable)
        );
    }
}

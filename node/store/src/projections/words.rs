//! From what a person typed to what the full-text index is asked.

/// What is asked of the full-text index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Words {
    /// Nothing was typed.
    None,
    /// What was typed has neither letter nor digit, so that nothing can be found by it.
    Unfindable,
    /// Finds what has every word, the last one by its beginning.
    Expression(String),
}

impl Words {
    /// Each word is quoted, so that nothing that is typed is an instruction. What a word has of
    /// other signs divides it, and its parts must then follow one another as in the index.
    pub(super) fn typed(text: &str) -> Self {
        let words = text.split(|c: char| c.is_whitespace() || c.is_control());
        let words = words.filter(|word| !word.is_empty());
        let findable = |word: &&str| word.chars().any(char::is_alphanumeric);
        let quoted = |word: &str| format!("\"{}\"", word.replace('"', "\"\""));
        let (mut typed, mut expression) = (false, Vec::new());
        for word in words {
            typed = true;
            expression.extend(Some(word).filter(findable).map(quoted));
        }
        match (typed, expression.is_empty()) {
            (false, _) => Self::None,
            (true, true) => Self::Unfindable,
            (true, false) => Self::Expression(format!("{} *", expression.join(" "))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_typed_is_words() {
        let expression = |text: &str| Words::Expression(text.to_owned());
        for (typed, words) in [
            ("", Words::None),
            (" \t ", Words::None),
            ("& -", Words::Unfindable),
            ("mastery", expression("\"mastery\" *")),
            ("deep  & unders", expression("\"deep\" \"unders\" *")),
            ("NCP24-11", expression("\"NCP24-11\" *")),
            ("a\" OR b*", expression("\"a\"\"\" \"OR\" \"b*\" *")),
            ("NEAR(a b)", expression("\"NEAR(a\" \"b)\" *")),
            ("a\0b", expression("\"a\" \"b\" *")),
        ] {
            assert_eq!(Words::typed(typed), words, "{typed:?}");
        }
    }
}

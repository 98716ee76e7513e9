//! What one check found.

use serde_json::{Value, json};

/// What came of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All is well.
    Ok,
    /// It works, and will not for ever, or not well.
    Warning,
    /// It does not work.
    Fault,
    /// It rests on something that failed, or that is not there yet.
    NotChecked,
}

impl Verdict {
    /// Its word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Fault => "fault",
            Self::NotChecked => "not checked",
        }
    }
}

/// What one check found, and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    check: &'static str,
    verdict: Verdict,
    says: String,
    advice: String,
}

impl Finding {
    /// All is well; a few words on how it is.
    pub fn ok(check: &'static str, says: impl Into<String>) -> Self {
        Self::new(check, Verdict::Ok, says)
    }

    /// A sentence that says what will not do for ever and, after a semicolon, what to do: as this
    /// program's errors do.
    pub fn warning(check: &'static str, sentence: impl Into<String>) -> Self {
        Self::new(check, Verdict::Warning, sentence)
    }

    /// A sentence that says what is wrong and, after a semicolon, what to do.
    pub fn fault(check: &'static str, sentence: impl Into<String>) -> Self {
        Self::new(check, Verdict::Fault, sentence)
    }

    /// Why it was not checked.
    pub fn not_checked(check: &'static str, because: impl Into<String>) -> Self {
        Self::new(check, Verdict::NotChecked, because)
    }

    fn new(check: &'static str, verdict: Verdict, sentence: impl Into<String>) -> Self {
        let sentence = sentence.into();
        let (says, advice) = sentence.split_once("; ").unwrap_or((&sentence, ""));
        Self {
            check,
            verdict,
            says: says.to_owned(),
            advice: advice.to_owned(),
        }
    }

    /// What was checked.
    pub const fn check(&self) -> &'static str {
        self.check
    }

    /// What came of it.
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// How it is.
    pub fn says(&self) -> &str {
        &self.says
    }

    /// What to do; empty if there is nothing to do.
    pub fn advice(&self) -> &str {
        &self.advice
    }

    /// Whether it is a fault.
    pub fn failed(&self) -> bool {
        self.verdict == Verdict::Fault
    }

    /// Whether it is a fault or a warning.
    pub const fn found_something(&self) -> bool {
        matches!(self.verdict, Verdict::Fault | Verdict::Warning)
    }

    /// For programs.
    pub fn to_json(&self) -> Value {
        json!({
            "check": self.check, "verdict": self.verdict.word(), "says": self.says,
            "advice": self.advice,
        })
    }
}

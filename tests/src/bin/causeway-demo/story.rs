//! What the demo says, and what it found wanting.

/// Tells the story on standard output, a sentence for each step with what was measured below it,
/// and keeps what did not hold.
#[derive(Debug, Default)]
pub(crate) struct Story {
    step: Option<Step>,
    failures: Vec<String>,
}

#[derive(Debug)]
struct Step {
    number: u32,
    about: &'static str,
    details: Vec<String>,
    failed: bool,
}

impl Story {
    /// Begins a step.
    pub(crate) fn begin(&mut self, number: u32, about: &'static str) {
        self.step = Some(Step {
            number,
            about,
            details: Vec::new(),
            failed: false,
        });
    }

    /// Ends a step with the sentence that sums it up. It is told only if all in the step held.
    pub(crate) fn end(&mut self, sentence: impl AsRef<str>) {
        let Some(step) = self.step.take() else {
            return;
        };
        let sentence = if step.failed {
            format!("{}: this did not hold as it should.", step.about)
        } else {
            sentence.as_ref().to_owned()
        };
        step.tell(&sentence);
    }

    /// Ends a step that could not be played to its end.
    pub(crate) fn abandon(&mut self, why: &str) {
        self.fail(why);
        if let Some(step) = self.step.take() {
            step.tell(&format!(
                "{}: this could not be played to its end.",
                step.about
            ));
        }
    }

    /// Tells something that was measured.
    pub(crate) fn tell(&mut self, sentence: impl AsRef<str>) {
        let sentence = sentence.as_ref();
        match &mut self.step {
            Some(step) => step.details.push(sentence.to_owned()),
            None => println!("   {sentence}"),
        }
    }

    /// Tells what was found, and marks it as wrong if it is not what should be.
    pub(crate) fn check(&mut self, held: bool, sentence: impl AsRef<str>) {
        if held {
            self.tell(sentence);
        } else {
            self.fail(sentence.as_ref());
        }
    }

    /// Says that something did not hold.
    pub(crate) fn fail(&mut self, sentence: &str) {
        self.failures.push(sentence.to_owned());
        self.tell(format!("DID NOT HOLD: {sentence}"));
        if let Some(step) = &mut self.step {
            step.failed = true;
        }
    }

    /// What did not hold.
    pub(crate) fn failures(&self) -> &[String] {
        &self.failures
    }
}

impl Step {
    fn tell(&self, sentence: &str) {
        println!("\n{}. {sentence}", self.number);
        for detail in &self.details {
            println!("   - {detail}");
        }
    }
}

/// A count with its noun, as people say it.
pub(crate) fn count(number: impl TryInto<u64>, noun: &str) -> String {
    match number.try_into() {
        Ok(1) => format!("1 {noun}"),
        Ok(number) => format!("{number} {noun}s"),
        Err(_) => format!("many {noun}s"),
    }
}

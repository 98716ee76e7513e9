//! How far a long piece of work has come, and whether somebody asked it to stop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What a long piece of work says of itself while it runs, and hears from whoever waits for it.
/// The default says nothing to anybody and is never stopped. All clones are one.
#[derive(Debug, Clone, Default)]
pub struct Headway(Option<Arc<Told>>);

#[derive(Debug, Default)]
struct Told {
    stop: AtomicBool,
    step: Mutex<Step>,
}

/// How far a piece of work has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Step {
    /// What is being done, such as `rows`.
    pub doing: &'static str,
    /// How many of them are done.
    pub done: u64,
    /// How many there are; 0 if that is not known.
    pub total: u64,
}

impl Headway {
    /// One that somebody looks at.
    pub fn watched() -> Self {
        Self(Some(Arc::default()))
    }

    /// Says how far the work has come.
    pub fn at(&self, doing: &'static str, done: usize, total: usize) {
        if let Some(told) = &self.0 {
            let step = Step {
                doing,
                done: done as u64,
                total: total as u64,
            };
            *told.step.lock().unwrap_or_else(PoisonError::into_inner) = step;
        }
    }

    /// How far the work has come.
    pub fn step(&self) -> Step {
        let told = self.0.as_ref();
        told.map(|told| {
            let step = told.step.lock().unwrap_or_else(PoisonError::into_inner);
            step.clone()
        })
        .unwrap_or_default()
    }

    /// Asks the work to stop at its next safe step.
    pub fn stop(&self) {
        if let Some(told) = &self.0 {
            told.stop.store(true, Ordering::Relaxed);
        }
    }

    /// Whether it was asked to.
    pub fn is_stopped(&self) -> bool {
        let told = self.0.as_ref();
        told.is_some_and(|told| told.stop.load(Ordering::Relaxed))
    }
}

//! Closing the node for a moment and opening it again, as a restore needs.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc;

/// What is done while the node is closed, in its data folder. What it returns is told afterwards.
pub type Closed = Box<dyn FnOnce(&Path) -> String + Send>;

/// Asks whoever runs the node to close it, do something, and open it again. The pages' address
/// stays listened on meanwhile: who asks for a page waits.
#[derive(Debug, Clone)]
pub struct Reopener {
    asks: mpsc::Sender<Closed>,
    told: Arc<Mutex<Option<String>>>,
}

impl Reopener {
    /// One, and where its requests arrive.
    pub fn new() -> (Self, mpsc::Receiver<Closed>) {
        let (asks, asked) = mpsc::channel(1);
        let told = Arc::default();
        (Self { asks, told }, asked)
    }

    /// Asks for it; false if it is asked for already.
    pub fn ask(&self, work: Closed) -> bool {
        self.asks.try_send(work).is_ok()
    }

    /// Keeps what the work said, for the page that comes next.
    pub fn tell(&self, sentence: String) {
        *self.told.lock().unwrap_or_else(PoisonError::into_inner) = Some(sentence);
    }

    /// What the last work said.
    pub fn told(&self) -> Option<String> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.clone()
    }
}

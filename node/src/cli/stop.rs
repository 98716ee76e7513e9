//! When a program that serves is to stop, and how long that may take.

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::sync::watch;

use super::exit::Exit;
use crate::config::ShutdownConfig;
use crate::platform::{self, Signals};

/// How long a program may take beyond the configured time, for what is its own: its sessions, its log, the
/// last traces.
pub const OWN_TIME: Duration = Duration::from_secs(10);
/// Which part of it sessions and what they hold may take.
const SESSIONS: Duration = Duration::from_secs(4);

/// Whether this program was told to stop. From the first signal on it has the configured time and
/// [`OWN_TIME`]; then, or at a second signal, it ends at once, wherever it is. Whatever it called saved is
/// durable at any moment.
#[derive(Debug, Clone)]
pub struct Stop {
    told: watch::Receiver<bool>,
    grace: Arc<Mutex<Duration>>,
}

impl Stop {
    /// Listens from now on, so that a stop counts also while the program still starts.
    ///
    /// # Errors
    /// A sentence, if the system does not let the process listen for signals.
    pub fn listen() -> Result<Self> {
        let unheard = "signals cannot be received";
        let (tell, told) = watch::channel(false);
        let grace = Arc::new(Mutex::new(ShutdownConfig::default().grace()));
        let configured = Arc::clone(&grace);
        let (begun, listens) = mpsc::channel();
        // On a thread of its own, so that nothing that hangs can hang it.
        std::thread::Builder::new()
            .name("stop".to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                let runtime = match runtime {
                    Ok(runtime) => runtime,
                    Err(error) => return drop(begun.send(Err(error))),
                };
                runtime.block_on(async {
                    match Signals::listen() {
                        Ok(signals) => {
                            let _waits = begun.send(Ok(()));
                            attend(signals, tell, &configured).await;
                        }
                        Err(error) => drop(begun.send(Err(error))),
                    }
                });
            })
            .context(unheard)?;
        listens.recv().context(unheard)?.context(unheard)?;
        Ok(Self { told, grace })
    }

    /// How long open requests may take to end, as the settings say.
    pub fn set_grace(&self, grace: Duration) {
        *self.grace.lock().unwrap_or_else(PoisonError::into_inner) = grace;
    }

    /// Whether it was told.
    pub fn is_told(&self) -> bool {
        *self.told.borrow()
    }

    /// Waits until it is told.
    pub async fn told(&mut self) {
        if self.told.wait_for(|told| *told).await.is_err() {
            // Nobody can tell it any more.
            std::future::pending::<()>().await;
        }
    }
}

/// How long each part of a stop may take, from when it was begun.
#[derive(Debug, Clone, Copy)]
pub struct Closing {
    begun: Instant,
    grace: Duration,
}

impl Closing {
    /// Begins now, with the configured time.
    pub fn begin(grace: Duration) -> Self {
        let begun = Instant::now();
        Self { begun, grace }
    }

    /// How long open requests may still take.
    pub fn for_requests(&self) -> Duration {
        self.grace.saturating_sub(self.begun.elapsed())
    }

    /// How long sessions and what they hold may still take, once open requests have ended.
    pub fn for_sessions(&self) -> Duration {
        (self.grace + SESSIONS).saturating_sub(self.begun.elapsed())
    }
}

async fn attend(mut signals: Signals, tell: watch::Sender<bool>, grace: &Mutex<Duration>) {
    signals.next().await;
    let grace = *grace.lock().unwrap_or_else(PoisonError::into_inner);
    let within = grace + OWN_TIME;
    tracing::info!(within_ms = within.as_millis(), "asked to stop");
    platform::tell_stopping(within);
    tell.send_replace(true);
    let why = tokio::select! {
        () = tokio::time::sleep(within) => "the time to stop has passed",
        () = signals.next() => "asked to stop a second time",
    };
    eprintln!("error: {why}: it ends at once. Nothing that was called saved is lost");
    std::process::exit(i32::from(Exit::Failed as u8));
}

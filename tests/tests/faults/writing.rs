//! People who write while something breaks.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use node::Node;
use node::cli::Client;
use serde_json::json;
use tokio::task::JoinHandle;

use crate::program::note;

/// How many people write at once at one node.
const WRITERS: usize = 3;

/// People who write.
pub(crate) struct Writing {
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    asked: AtomicUsize,
    ended: AtomicBool,
    acknowledged: Mutex<Vec<String>>,
}

impl Writing {
    /// People who write over a program's socket until nobody answers any more.
    pub(crate) fn over(client: &Client, space: &str) -> Self {
        let shared = Arc::<Shared>::default();
        let tasks = (0..WRITERS).map(|_| {
            let (mut client, space) = (client.clone(), space.to_owned());
            let shared = Arc::clone(&shared);
            tokio::spawn(async move {
                loop {
                    let body = shared.ask();
                    match note(&mut client, &space, &body).await {
                        Ok(id) => shared.acknowledge(id),
                        Err(_) => return,
                    }
                }
            })
        });
        let tasks = tasks.collect();
        Self { shared, tasks }
    }

    /// A person who writes at a node within this process until told to stop, not too fast.
    pub(crate) fn at(node: &Node, space: &str) -> Self {
        let shared = Arc::<Shared>::default();
        let (node, space, at_work) = (node.clone(), space.to_owned(), Arc::clone(&shared));
        let task = tokio::task::spawn_blocking(move || {
            while !at_work.ended.load(Ordering::SeqCst) {
                let body = at_work.ask();
                let fields = json!({ "title": "An idea", "body": body }).to_string();
                let made = node.create_record("practice", &space, &fields);
                at_work.acknowledge(made.expect("it is saved").id.to_string());
                std::thread::sleep(Duration::from_millis(8));
            }
        });
        let tasks = vec![task];
        Self { shared, tasks }
    }

    /// The records that were said to be saved, in their order.
    pub(crate) fn acknowledged(&self) -> Vec<String> {
        let acknowledged = self.shared.acknowledged.lock();
        acknowledged.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Ends the writing. Returns what was said to be saved, and how many were asked for.
    pub(crate) async fn end(self) -> (BTreeSet<String>, usize) {
        self.shared.ended.store(true, Ordering::SeqCst);
        for task in self.tasks {
            task.await.expect("nobody panics");
        }
        let acknowledged = self.shared.acknowledged.lock();
        let acknowledged = acknowledged.unwrap_or_else(PoisonError::into_inner);
        let asked = self.shared.asked.load(Ordering::SeqCst);
        (acknowledged.iter().cloned().collect(), asked)
    }
}

impl Shared {
    fn ask(&self) -> String {
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        format!("It is the idea with the number {number}.")
    }

    fn acknowledge(&self, id: String) {
        let acknowledged = self.acknowledged.lock();
        acknowledged
            .unwrap_or_else(PoisonError::into_inner)
            .push(id);
    }
}

//! Nothing that must stay private is ever logged, at any level.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;
use tests::world::{World, until};
use tracing_subscriber::fmt::MakeWriter;

const NAME: &str = "Quillon Ashgrove-Planted";
const EMAIL: &str = "quillon.planted@example.org";
const TEXT: &str = "A planted sentence in a protocol";

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Kept {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Kept {
    fn text(&self) -> String {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_whole_run_logs_no_payload_name_code_or_key() {
    let kept = Kept::default();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(kept.clone())
        .init();
    let mut world = World::new().await;
    let invitation = world.invite("west-yorkshire");
    let node = node::Node::create(&world.path("west-yorkshire")).expect("a node");
    world.connect(&node, &invitation).await;
    drop(node);
    world.start_hub("west-yorkshire");
    world.add_hub("south-yorkshire").await;
    let (space, record) = world.project("NCP24-11", &["south-yorkshire"]).await;
    let south = world.hub("south-yorkshire");
    let person = json!({ "name": NAME, "email": EMAIL }).to_string();
    south
        .create_record("person", "", &person)
        .expect("a person");
    south
        .edit_record(&record, "", &json!({ "protocol": TEXT }).to_string())
        .expect("an edit");
    let wrong = json!({ "name": NAME, "email": NAME }).to_string();
    south
        .create_record("person", "", &wrong)
        .expect_err("no e-mail address");
    world.agree(space).await;
    let operations = world.coordinator().operations();
    operations
        .revoke("west-yorkshire", "a test")
        .expect("revoked");
    let west = world.hub("west-yorkshire").id();
    until("the session ends", || {
        !operations.node().peers_connected().contains(&west)
    })
    .await;

    let log = kept.text();
    assert!(log.contains("hubs may connect"), "the log was captured");
    assert!(log.contains("session{id="), "sessions are told apart");
    let mut stored = log
        .lines()
        .filter(|line| line.contains("a change was made"));
    assert!(
        stored.any(|line| line.contains("session{id=")),
        "what the store does for a session names it"
    );
    let code = invitation.code.reveal();
    let keys = [
        world.keys().root.seed(),
        world.keys().identity.seed(),
        south.identity().seed(),
    ];
    let keys = keys.map(|seed| hex::encode(seed.as_slice()));
    let bare = code.replace('-', "");
    let planted = [NAME, EMAIL, TEXT, &code, &bare]
        .into_iter()
        .map(str::to_owned);
    for secret in planted.chain(keys) {
        let found = log.lines().find(|line| line.contains(&secret));
        assert_eq!(found, None, "a line holds what must not be logged");
    }
}

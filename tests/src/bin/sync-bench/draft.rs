//! The workload: documents of about fifty small changes, each change an entry of its own.

use anyhow::Context as _;
use automerge::transaction::{CommitOptions, Transactable as _};
use automerge::{ActorId, AutoCommit, ObjType, ROOT, ReadDoc as _};
use bytes::Bytes;
use node::clock::now_ms;
use node_document::Author;
use node_feed::{Changes, DocumentId, Entry, Hash, Kind, Nonce, Tag, Writers};

/// How many changes a document of the workload has.
pub(crate) const CHANGES: usize = 50;

const TEXT: &str = "notes";
const WORDS: [&str; 8] = [
    "fractions, ",
    "bar models, ",
    "talk partners, ",
    "number lines, ",
    "proof, ",
    "arrays, ",
    "ratio, ",
    "place value, ",
];

/// A document that is being written.
pub(crate) struct Draft {
    id: DocumentId,
    author: Author,
    automerge: AutoCommit,
    changes: usize,
}

impl Draft {
    /// A new document of `author`'s hub that all members may write.
    pub(crate) fn new(author: &Author) -> Self {
        let id = DocumentId::new(author.hub, Writers::Members, node::random());
        Self::begin(id, author, AutoCommit::new())
    }

    /// Goes on with a document as [`Draft::save`] gave it.
    pub(crate) fn load(saved: &[u8], author: &Author) -> anyhow::Result<Self> {
        let (id, saved) = saved
            .split_first_chunk::<24>()
            .context("a saved draft is cut off")?;
        let id = DocumentId::try_from(id.as_slice())?;
        Ok(Self::begin(id, author, AutoCommit::load(saved)?))
    }

    fn begin(id: DocumentId, author: &Author, automerge: AutoCommit) -> Self {
        // The actor that docs/protocol.md derives; any other would be set aside.
        let hash = Hash::of(
            Tag::Actor,
            &[&author.writer, id.as_bytes(), &author.nonce.0],
        );
        let actor = ActorId::from(&hash.as_bytes()[..16]);
        Self {
            id,
            author: *author,
            automerge: automerge.with_actor(actor),
            changes: 0,
        }
    }

    pub(crate) fn save(&mut self) -> Vec<u8> {
        [self.id.as_bytes().as_slice(), &self.automerge.save()].concat()
    }

    /// The document's next change, as an entry to sign.
    pub(crate) fn next(&mut self) -> anyhow::Result<Entry> {
        let time_ms = now_ms();
        self.edit()?;
        let seconds = i64::try_from(time_ms / 1_000)?;
        self.automerge
            .commit_with(CommitOptions::default().with_time(seconds));
        let change = self
            .automerge
            .get_last_local_change()
            .context("nothing was changed")?;
        let changes = Changes {
            random: Nonce(node::random()),
            nonce: self.author.nonce,
            chunks: vec![Bytes::copy_from_slice(change.raw_bytes())],
        };
        self.changes += 1;
        let subject = self.id.subject();
        Ok(Entry {
            time_ms,
            kind: Kind::CHANGES,
            subject,
            payload: changes.encode(),
        })
    }

    fn edit(&mut self) -> anyhow::Result<()> {
        let text = match self.automerge.get(ROOT, TEXT)? {
            Some((_, text)) => text,
            None => self.automerge.put_object(ROOT, TEXT, ObjType::Text)?,
        };
        let end = self.automerge.length(&text);
        if self.changes % 5 == 4 {
            // The text has grown since the last time, so that this is never the same value.
            Ok(self.automerge.put(ROOT, "length", i64::try_from(end)?)?)
        } else {
            let word = WORDS[(self.changes + end) % WORDS.len()];
            Ok(self.automerge.splice_text(&text, end, 0, word)?)
        }
    }
}

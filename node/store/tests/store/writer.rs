//! One thread that writes, many that read.

use std::sync::Arc;
use std::sync::mpsc;

use node_store::{Appended, EntryStore, ReadStore, Readers, StoreError, Writer};

use crate::world::{SPACE, World, sqlite};

#[test]
fn changes_from_many_threads_are_durable_when_they_are_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut world = World::new();
    let writers = (2..10)
        .map(|number| world.writer(number))
        .collect::<Vec<_>>();
    let store = sqlite(&folder);
    let path = store.path().to_path_buf();
    let writer = Writer::start(store).unwrap();
    let readers = Readers::open(&path).unwrap();
    let authority = Arc::new(world.authority);
    std::thread::scope(|scope| {
        for (_, mut pen, open) in writers {
            let (handle, readers, authority) = (writer.handle(), &readers, Arc::clone(&authority));
            scope.spawn(move || {
                let mut runs = vec![open];
                runs.extend((0..20).map(|_| pen.write(&["note"])));
                for run in runs {
                    let (told, tells) = mpsc::channel();
                    let tip = run.last();
                    handle
                        .append(Arc::clone(&authority), vec![run], move |answers| {
                            told.send(answers).unwrap();
                        })
                        .unwrap();
                    let answers = tells.recv().unwrap().unwrap();
                    assert!(matches!(answers[0], Appended::Stored(_)));
                    assert!(readers.entry(tip.hash).unwrap().is_some());
                }
            });
        }
    });
    assert_eq!(readers.trees(SPACE).unwrap().len(), 8);
    assert_eq!(readers.totals().unwrap().entries, 8 * 21);
}

#[test]
fn what_waits_when_the_writer_is_dropped_is_still_stored() {
    let folder = tempfile::tempdir().unwrap();
    let writer = Writer::start(sqlite(&folder)).unwrap();
    let handle = writer.handle();
    for number in 0..50_u8 {
        handle
            .submit(
                move |store| store.set_setting(&number.to_string(), Some(&[number])),
                |outcome| outcome.unwrap(),
            )
            .unwrap();
    }
    drop(writer);
    let late = handle.call(|store| store.set_setting("late", Some(b"")));
    assert!(matches!(late, Err(StoreError::Closed)));
    let store = sqlite(&folder);
    assert_eq!(store.setting("49").unwrap().as_deref(), Some(&[49][..]));
    assert_eq!(store.setting("late").unwrap(), None);
}

#[test]
fn a_change_that_fails_says_so_to_whoever_asked_and_to_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let writer = Writer::start(sqlite(&folder)).unwrap();
    let handle = writer.handle();
    handle
        .call(|store| store.limit_bytes(Some(200_000)))
        .unwrap();
    let failed = handle.call(|store| store.set_setting("large", Some(&vec![1; 400_000])));
    assert!(matches!(failed, Err(StoreError::Full)), "{failed:?}");
    handle
        .call(|store| store.set_setting("small", Some(b"x")))
        .unwrap();
    assert!(
        handle
            .call(|store| store.setting("small"))
            .unwrap()
            .is_some()
    );
    assert!(
        handle
            .call(|store| store.setting("large"))
            .unwrap()
            .is_none()
    );
}

#[test]
fn whoever_watches_hears_of_each_batch_and_of_a_store_that_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let (told, tells) = mpsc::channel();
    let watcher = move |batch| told.send(batch).unwrap();
    let writer = Writer::start_watched(sqlite(&folder), watcher).unwrap();
    let set = |store: &mut node_store::SqliteStore| store.set_setting("a", Some(b"1"));
    writer.handle().call(set).unwrap();
    let batch = tells.recv().unwrap();
    assert_eq!((batch.changes, batch.stopped), (1, false));
    assert!(batch.took >= batch.waited && !batch.waited.is_zero());
}
